/** Processes that are lost while they load on a GPU, as real processes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { crashes, forgetCrashes } from "../../../server/devices/tried.ts";
import { temporaryFolder } from "../models/checkpoints.ts";
import { bundled } from "../models/child.ts";

let cache: string;
beforeEach(() => {
  cache = temporaryFolder();
  process.env["CODESCALER_CACHE"] = cache;
});

/** Runs work under the guard in a process of its own; `body` is the work. */
async function guarded(
  body: string,
  options: { readonly timeout?: number; readonly signal?: NodeJS.Signals } = {},
) {
  const script = await bundled(`
    import { guarded } from "./server/devices/guard.ts";
    guarded("key", async () => { process.stdout.write("in\\n"); ${body} }, ${options.timeout ?? 60_000}).then(
      () => process.stdout.write("done"),
      (error) => process.stdout.write(error.message),
    );
  `);
  const child = spawn(process.execPath, [script], { env: { ...process.env, CODESCALER_CACHE: cache } });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (options.signal && text.startsWith("in")) child.kill(options.signal);
  });
  const [code, signal]: [number | null, NodeJS.Signals | null] = await once(child, "close").then(
    ([first, second]) => [first, second],
  );
  return { code, signal, text };
}

const FOREVER = "await new Promise((resolve) => setTimeout(resolve, 60_000));";
const marks = () => readdirSync(join(cache, "devices-tried"));

describe("work on a GPU", () => {
  test("that ends, or fails in words, leaves nothing behind", async () => {
    expect((await guarded("return 1;")).text).toBe("in\ndone");
    expect((await guarded("throw new Error('no memory');")).text).toBe("in\nno memory");
    expect(marks()).toEqual([]);
    expect(await crashes("key")).toBe(0);
  });

  test("that takes the process down counts, for its own build only", async () => {
    await guarded(
      "process.kill(process.pid, 'SIGSEGV'); await new Promise(() => setInterval(() => {}, 1000));",
    );
    expect(await crashes("key")).toBe(1);
    expect(await crashes("other")).toBe(0);
    await guarded(FOREVER, { signal: "SIGKILL" });
    expect(await crashes("key")).toBe(2);
    await forgetCrashes("key");
    expect(await crashes("key")).toBe(0);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("that the user stops with %s is no crash", async (signal) => {
    expect((await guarded(FOREVER, { signal })).signal).toBe(signal);
    expect(await crashes("key")).toBe(0);
    expect(marks()).toEqual([]);
  });

  test("that never ends is told of, ends its process with a code of its own, and counts as a crash", async () => {
    const { code, text } = await guarded(FOREVER, { timeout: 100 });
    expect(text).toMatch(/^in\nThe GPU did not answer within/);
    expect(code).toBe(75);
    expect(await crashes("key")).toBeGreaterThanOrEqual(1);
  });

  test("crashes are forgotten after a day", async () => {
    await guarded(FOREVER, { signal: "SIGKILL" });
    expect(await crashes("key", Date.now() + 25 * 60 * 60 * 1000)).toBe(0);
    expect(marks()).toEqual([]);
  });
});
