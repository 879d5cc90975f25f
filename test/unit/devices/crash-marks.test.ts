/** Processes that are lost while they work on a GPU, as real processes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { forgetLosses, leftAlone, losses, mark } from "../../../server/devices/crash-marks.ts";
import { temporaryFolder } from "../../helpers/checkpoints.ts";
import { bundled } from "../../helpers/child.ts";

let cache: string;
beforeEach(() => {
  cache = temporaryFolder();
  process.env["CODESCALER_CACHE"] = cache;
});

/** Runs work under the guard in a process of its own; `body` is the work, `before` is run before it. */
async function guarded(
  body: string,
  options: { readonly timeout?: number; readonly signal?: NodeJS.Signals; readonly before?: string } = {},
) {
  const script = await bundled(`
    import { guarded } from "./server/devices/gpu-guard.ts";
    ${options.before ?? ""}
    guarded("key", async () => { process.stdout.write("in\\n"); ${body} }, ${options.timeout ?? 60_000}).then(
      () => process.stdout.write("done"),
      (error) => process.stdout.write(error.message),
    );
  `);
  const child = spawn(process.execPath, [script], { env: { ...process.env, CODESCALER_CACHE: cache } });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
    if (options.signal && text === "in\n") child.kill(options.signal);
  });
  const [code, signal]: [number | null, NodeJS.Signals | null] = await once(child, "close").then(
    ([first, second]) => [first, second],
  );
  return { code, signal, text };
}

const FOREVER = "await new Promise((resolve) => setTimeout(resolve, 60_000));";
const marks = () => readdirSync(join(cache, "crash-marks"));

describe("work on a GPU", () => {
  test("that ends, or fails in words, leaves nothing behind", async () => {
    expect((await guarded("return 1;")).text).toBe("in\ndone");
    expect((await guarded("throw new Error('no memory');")).text).toBe("in\nno memory");
    expect(marks()).toEqual([]);
    expect((await losses("key")).loading).toBe(0);
  });

  test("that takes the process down counts, for its own build only", async () => {
    await guarded(
      "process.kill(process.pid, 'SIGSEGV'); await new Promise(() => setInterval(() => {}, 1000));",
    );
    expect((await losses("key")).loading).toBe(1);
    expect((await losses("other")).loading).toBe(0);
    await guarded(FOREVER, { signal: "SIGKILL" });
    expect((await losses("key")).loading).toBe(2);
    await forgetLosses("key");
    expect((await losses("key")).loading).toBe(0);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("that the user stops with %s is no crash", async (signal) => {
    expect((await guarded(FOREVER, { signal })).signal).toBe(signal);
    expect((await losses("key")).loading).toBe(0);
    expect(marks()).toEqual([]);
  });

  test("that never ends is told of, ends its process with a code of its own, and counts as a crash", async () => {
    const { code, text } = await guarded(FOREVER, { timeout: 100 });
    expect(text).toMatch(/^in\nThe GPU did not answer within/);
    expect(code).toBe(75);
    expect((await losses("key")).loading).toBeGreaterThanOrEqual(1);
  });

  test("that whoever listens to signals ends in its own time is neither cut short nor a crash", async () => {
    const { code, text } = await guarded("await stopped;", {
      // As the server does before it loads a model.
      before: "const stopped = new Promise((resolve) => process.once('SIGTERM', resolve));",
      signal: "SIGTERM",
    });
    expect({ code, text }).toEqual({ code: 0, text: "in\ndone" });
    expect(marks()).toEqual([]);
  });

  test("of an earlier process with the number of this one was lost: in a container it may always be the same", async () => {
    const held = await mark("key", "scoring");
    expect(await losses("key")).toEqual({ loading: 0, scoring: 0 });
    writeFileSync(join(cache, "crash-marks", "of-the-one-before"), `${process.pid} scoring key`);
    expect(await losses("key")).toEqual({ loading: 0, scoring: 1 });
    held.clear();
    expect(marks()).toEqual(["of-the-one-before"]);
  });

  test("is left alone after two losses at loading or three at scoring, and says which", () => {
    expect(leftAlone({ loading: 1, scoring: 2 })).toBeUndefined();
    expect(leftAlone({ loading: 2, scoring: 0 })).toBe(
      "the program was lost 2 times while it loaded a model there",
    );
    expect(leftAlone({ loading: 0, scoring: 3 })).toBe(
      "the program was lost 3 times while it ranked with a model there",
    );
  });

  test("crashes are forgotten after a day", async () => {
    await guarded(FOREVER, { signal: "SIGKILL" });
    expect((await losses("key", Date.now() + 25 * 60 * 60 * 1000)).loading).toBe(0);
    expect(marks()).toEqual([]);
  });
});
