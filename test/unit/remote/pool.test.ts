import { expect, test } from "vitest";
import { EngineFailure } from "../../../server/remote/engine-failure.ts";
import { EnginePool, TIMING } from "../../../server/remote/pool.ts";

const NEVER = new AbortController().signal;
const target = { base: "http://127.0.0.1:1", host: "127.0.0.1:1", token: undefined, concurrency: undefined };
const sequences = [Int32Array.of(1, 2, 3)];
const closed = new Error("The server is ending.");

test("a closed pool refuses what it is asked, also when an engine would have come back soon", async () => {
  const pool = new EnginePool(
    [target],
    async () => Promise.reject(new EngineFailure("gone", "It is gone.")),
    TIMING,
    () => {},
  );
  await expect(pool.open()).rejects.toThrow("It is gone.");
  pool.close(closed);
  await expect(pool.score(sequences, "bulk", NEVER)).rejects.toBe(closed);
});

test("a closed pool refuses what waits for an engine, and what comes while the engine is still being tried", async () => {
  const pool = new EnginePool(
    [target],
    // Takes the connection, never answers, and does not notice that it is given up.
    () => new Promise(() => {}),
    TIMING,
    () => {},
  );
  void pool.open();
  const before = pool.score(sequences, "bulk", NEVER);
  pool.close(closed);
  const after = pool.score(sequences, "bulk", NEVER);
  await expect(before).rejects.toBe(closed);
  await expect(after).rejects.toBe(closed);
});
