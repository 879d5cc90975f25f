import { defineConfig } from "vitest/config";

/** Long enough for a machine that is busy with other things; nothing is measured by it. */
const PATIENCE_MS = 120_000;

const project = (name: string) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
    // A native engine in a worker thread must never share its process with another one.
    pool: "forks" as const,
  },
});

/** Tests are split by what they need: nothing (unit), a built server (server), a tiny model (model), real weights (real). */
export default defineConfig({
  test: { projects: [project("unit"), project("server"), project("model"), project("real")], maxWorkers: 2 },
});
