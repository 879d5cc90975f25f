import { defineConfig } from "vitest/config";

/** Long enough for a machine that is busy with other things; nothing is measured by it. */
const PATIENCE_MS = 120_000;

/** Tests are split by what they need: nothing (unit), a built server (server), a real model (model). */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: PATIENCE_MS } },
      { test: { name: "server", include: ["test/server/**/*.test.ts"], testTimeout: PATIENCE_MS } },
      { test: { name: "model", include: ["test/model/**/*.test.ts"], testTimeout: PATIENCE_MS } },
    ],
    // A native engine in a worker thread must never share its process with another one.
    pool: "forks",
    hookTimeout: PATIENCE_MS,
    maxWorkers: 2,
  },
});
