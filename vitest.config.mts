import { defineConfig } from "vitest/config";

/** Tests are split by what they need: nothing (unit), a built server (server), a real model (model). */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { test: { name: "server", include: ["test/server/**/*.test.ts"], testTimeout: 60_000 } },
      { test: { name: "model", include: ["test/model/**/*.test.ts"], testTimeout: 120_000 } },
    ],
    // A native engine in a worker thread must never share its process with another one.
    pool: "forks",
    maxWorkers: 2,
  },
});
