/** Probes in real child processes: drivers that work, lie, crash and hang are scripts here. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Drivers } from "../../../server/devices/drivers.ts";
import { probeKey, runProbe } from "../../../server/devices/probe-build.ts";
import { forgetProbes, type ProbeRecord, recall, remember } from "../../../server/devices/probe-cache.ts";
import { temporaryFolder } from "../../helpers/checkpoints.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
  process.env["CODESCALER_CACHE"] = join(folder, "cache");
});

function script(text: string): string {
  const path = join(folder, "script.cjs");
  writeFileSync(path, text);
  return path;
}

const GPU = { name: "Vulkan0", description: "A Card", type: "gpu", freeBytes: 8e9, totalBytes: 9e9 };
const USABLE = { kind: "usable", devices: [GPU] };

describe("a probe", () => {
  test("reads the result behind whatever a driver prints", async () => {
    const text = `console.log("driver says hello"); console.log(${JSON.stringify(JSON.stringify(USABLE))});`;
    expect(await runProbe([], 20_000, script(text))).toEqual(USABLE);
  });

  test("that crashes says with which signal", async () => {
    const result = await runProbe(
      [],
      20_000,
      script("process.kill(process.pid, 'SIGSEGV'); setTimeout(() => {}, 9e4);"),
    );
    expect(result).toEqual({ kind: "crashed", problem: "its driver ended a test process with SIGSEGV" });
  });

  test("that hangs, deaf to polite requests, is ended", async () => {
    const text = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000);";
    expect(await runProbe([], 500, script(text))).toMatchObject({ kind: "hung" });
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"])(
    "that someone stops with %s says nothing of the driver",
    async (signal) => {
      const text = `process.kill(process.pid, "${signal}"); setTimeout(() => {}, 9e4);`;
      const result = await runProbe([], 20_000, script(text));
      expect(result).toEqual({ kind: "stopped", problem: `its test was stopped with ${signal}` });
      await remember("key", { result, at: 1000, seconds: 1 });
      expect(await recall("key", 1001)).toBeUndefined();
    },
  );

  test("reads the result behind a driver that prints without end, as far as that ends", async () => {
    const print = `for (let line = 0; line < 40_000; line++) console.log("${"driver says hello ".repeat(4)}");`;
    expect(
      await runProbe([], 60_000, script(`${print} console.log(${JSON.stringify(JSON.stringify(USABLE))});`)),
    ).toEqual(USABLE);
  });

  test("that prints beyond all measure has failed, and does not hang", async () => {
    const print = `const line = "x".repeat(1 << 20); const more = () => process.stdout.write(line, more); more();`;
    expect(await runProbe([], 60_000, script(print))).toEqual({
      kind: "failed",
      problem: "its driver prints without end",
    });
  });

  test("that fails in words hands them on", async () => {
    const text =
      "console.error('noise'); console.error('The library computes wrongly here.'); process.exit(1);";
    expect(await runProbe([], 20_000, script(text))).toEqual({
      kind: "failed",
      problem: "The library computes wrongly here",
    });
  });

  test.each(["", "console.log('not json');", "console.log('{}');"])(
    "without an answer has failed: %j",
    async (text) => {
      expect(await runProbe([], 20_000, script(text))).toMatchObject({ kind: "failed" });
    },
  );
});

describe("what is remembered", () => {
  const DAY = 24 * 60 * 60 * 1000;
  const record = (kind: "usable" | "hung", at: number): ProbeRecord => ({
    result: kind === "usable" ? { kind, devices: [] } : { kind, problem: "it hangs" },
    at,
    seconds: 1,
  });

  test("a good result holds until something changes, a bad one for a day", async () => {
    await remember("good", record("usable", 1000));
    await remember("bad", record("hung", 1000));
    expect((await recall("good", 1000 + 90 * DAY))?.result.kind).toBe("usable");
    expect((await recall("bad", 1000 + DAY / 2))?.result.kind).toBe("hung");
    expect(await recall("bad", 1001 + DAY)).toBeUndefined();
    expect(await recall("other", 2000)).toBeUndefined();
  });

  test("a result from the future does not count", async () => {
    await remember("good", record("usable", 5000));
    expect(await recall("good", 4000)).toBeUndefined();
  });

  test("doctor forgets all of it, and a damaged file is an empty one", async () => {
    await remember("good", record("usable", 1000));
    await forgetProbes();
    expect(await recall("good", 2000)).toBeUndefined();
    await remember("good", record("usable", 1000));
    writeFileSync(join(folder, "cache", "devices.json"), '{"good": {"result": {"kind": "us');
    expect(await recall("good", 2000)).toBeUndefined();
  });

  test("belongs to a build, a driver and a version", () => {
    const drivers = (fingerprint: string): Drivers => ({
      nvidia: undefined,
      nodes: [],
      vulkanLoader: undefined,
      vulkanDrivers: [],
      cudaRuntimes: [],
      fingerprint,
    });
    const build = { backend: "vulkan", folder: "/a" } as const;
    expect(probeKey(build, drivers("1"))).toBe(probeKey(build, drivers("1")));
    expect(probeKey(build, drivers("1"))).not.toBe(probeKey(build, drivers("2")));
    expect(probeKey(build, drivers("1"))).not.toBe(probeKey({ ...build, folder: "/b" }, drivers("1")));
  });
});
