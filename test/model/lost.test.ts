/** Processes that are lost while they score, as real processes with the real engine: what the next start finds of them. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { forgetLosses, losses } from "../../server/devices/crash-marks.ts";
import { temporaryFolder } from "../helpers/checkpoints.ts";
import { bundled } from "../helpers/child.ts";
import { ROOT } from "../helpers/paths.ts";

let cache: string;
beforeEach(() => {
  cache = temporaryFolder();
  process.env["CODESCALER_CACHE"] = cache;
});

/** Runs a piece of code with an engine whose work is marked; `busy` resolves when it has begun to compute. */
async function withEngine(body: string): Promise<string> {
  const script = await bundled(`
    import { mark } from "./server/devices/crash-marks.ts";
    import { tinyEngine, tinyModel } from "./test/helpers/tiny-model.ts";
    const settings = { threads: 1, contextTokens: 1024, retainedTokens: 1024, batchTokens: 64, precision: "fast" };
    const watched = async () => (await mark("key", "scoring")).clear;
    const texts = (count) => Array.from({ length: count }, (_, text) =>
      Int32Array.from({ length: 100 }, (_, place) => (text * 31 + place * 7) % 200));
    (async () => {
      const engine = await tinyEngine(await tinyModel(${JSON.stringify(temporaryFolder())}), { ...settings, watched });
      const score = (count) => engine.score(texts(count), { priority: "bulk" });
      const busy = async () => {
        while (engine.decodedTotal < 100) await new Promise((resolve) => setImmediate(resolve));
      };
      ${body}
    })();
  `);
  const child = spawn(process.execPath, [script], {
    env: { ...process.env, CODESCALER_CACHE: cache, NODE_PATH: join(ROOT, "node_modules") },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code, signal] = await once(child, "close");
  return signal ?? String(code);
}

test("a process that dies while it scores was lost at that, and one that dies when it is done was not", async () => {
  expect(await withEngine("await score(3); process.kill(process.pid, 'SIGSEGV');")).toBe("SIGSEGV");
  expect(await losses("key")).toEqual({ loading: 0, scoring: 0 });
  for (const signal of ["SIGSEGV", "SIGKILL"]) {
    expect(await withEngine(`score(100); await busy(); process.kill(process.pid, "${signal}");`)).toBe(
      signal,
    );
  }
  expect(await losses("key")).toEqual({ loading: 0, scoring: 2 });
  // A load that went well says nothing of scoring.
  await forgetLosses("key", "loading");
  expect(await losses("key")).toEqual({ loading: 0, scoring: 2 });
  await forgetLosses();
  expect(await losses("key")).toEqual({ loading: 0, scoring: 0 });
});

test("a process that is stopped while it scores was not lost, whether it ends at once or orderly", async () => {
  expect(await withEngine("score(100); await busy(); process.kill(process.pid, 'SIGTERM');")).toBe("SIGTERM");
  const orderly = `process.once("SIGTERM", () => process.exit(0)); score(100); await busy();`;
  expect(await withEngine(`${orderly} process.kill(process.pid, "SIGTERM");`)).toBe("0");
  expect(await losses("key")).toEqual({ loading: 0, scoring: 0 });
});
