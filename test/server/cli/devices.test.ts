/** A GPU whose driver is broken, met by the built command line: it falls back to the CPU, says so, and remembers. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { readDrivers, THIS_SYSTEM } from "../../../server/devices/drivers.ts";
import { probeKey } from "../../../server/devices/probe-build.ts";
import { type Build, installedBuilds } from "../../../server/engine/llama/builds.ts";
import { ROOT } from "../../helpers/paths.ts";
import { codescaler, serve } from "../../helpers/server-process.ts";

let folder: string;
let env: NodeJS.ProcessEnv;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "codescaler-devices-"));
  // The system's loader takes this one first, and refuses it: a Vulkan that is there and broken, on any machine.
  writeFileSync(
    join(folder, "libvulkan.so.1"),
    "not a library at all, but long enough to have a header of one",
  );
  env = {
    CODESCALER_HOME: join(folder, "home"),
    CODESCALER_CACHE: join(folder, "cache"),
    LD_LIBRARY_PATH: folder,
    GGML_VK_VISIBLE_DEVICES: "0",
    // Beside it there is no CUDA to be used either.
    CUDA_VISIBLE_DEVICES: "",
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const hasVulkan =
  process.platform === "linux" && installedBuilds().some(({ backend }) => backend === "vulkan");
function vulkan(): Build {
  const build = installedBuilds().find(({ backend }) => backend === "vulkan");
  if (!build) throw new Error("there is no Vulkan build");
  return build;
}
const SENTENCE =
  /^The GPU could not be used \(Vulkan: .*libvulkan\.so\.1.*\): running on the CPU\. "codescaler doctor" says more\.$/;

describe.skipIf(!hasVulkan)("a GPU with a broken driver", () => {
  test("the server runs on the CPU, and health and log say why", async () => {
    const server = await serve(["--device", "auto"], env);
    try {
      const health = await server.call("GET", "/health");
      expect(health.json).toMatchObject({
        device: { backend: "cpu", gpu_layers: 0, reason: expect.stringMatching(SENTENCE) },
      });
      expect(server.stderr()).toMatch(/The GPU could not be used/);
    } finally {
      await server.stop();
    }
    expect(existsSync(join(folder, "cache", "devices.json"))).toBe(true);
  });

  test("that killed its server three times while it ranked is left alone, and doctor forgets it", async () => {
    const marks = join(folder, "cache", "crash-marks");
    mkdirSync(marks, { recursive: true });
    const key = probeKey(vulkan(), await readDrivers({ ...THIS_SYSTEM, env: { ...process.env, ...env } }));
    const reasonNow = async () => {
      const server = await serve(["--device", "auto"], env);
      try {
        const { json } = await server.call("GET", "/health");
        return z.object({ device: z.object({ backend: z.string(), reason: z.string() }) }).parse(json).device;
      } finally {
        await server.stop();
      }
    };
    // As a process leaves them that is gone: what is lost in scoring is found out by test/model/lost.test.ts.
    const gone = spawnSync(process.execPath, ["--version"]).pid;
    for (const loss of [1, 2]) writeFileSync(join(marks, `loss-${loss}`), `${gone} scoring ${key}`);
    expect((await reasonNow()).reason).toMatch(/libvulkan/);
    writeFileSync(join(marks, "loss-3"), `${gone} scoring ${key}`);
    expect(await reasonNow()).toEqual({
      backend: "cpu",
      reason:
        'The GPU could not be used (Vulkan: the program was lost 3 times while it ranked with a model there): running on the CPU. "codescaler doctor" says more.',
    });
    await codescaler(["doctor"], { env });
    expect(readdirSync(marks)).toEqual([]);
  });

  test("a command says it on stderr, and works", async () => {
    const result = await codescaler(
      ["rank", "--task", "-", join(ROOT, "test/helpers/server-process.ts"), "--json"],
      {
        input: "Write a test helper.",
        env,
      },
    );
    expect(result.code).toBe(0);
    expect(result.stderr.split("\n")).toContainEqual(expect.stringMatching(SENTENCE));
    expect(JSON.parse(result.stdout)).toMatchObject({ model: { device: expect.stringMatching(/^CPU/) } });
  });

  test("insisting on a GPU fails in one sentence", async () => {
    const result = await codescaler(
      ["rank", "--device", "gpu", "--task", "-", join(ROOT, "test/helpers/server-process.ts")],
      {
        input: "Write a test helper.",
        env,
      },
    );
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/No usable GPU was found \(Vulkan: .*\)\. "codescaler doctor" says more/);
  });

  test("doctor names the build, the reason and the way out", async () => {
    const { code, stdout } = await codescaler(["doctor", "--json"], { env });
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      system: { platform: "linux" },
      chosen: { backend: "cpu", reason: expect.stringMatching(/Vulkan: .*libvulkan/) },
      probes: [{ backend: "vulkan", result: "failed" }],
    });
    expect(report.hints).toContainEqual(expect.stringMatching(/Vulkan build does not work here/));
    const text = await codescaler(["doctor"], { env });
    expect(text.stdout).toMatch(/^Models run on: CPU, /m);
  });
});

describe("the CUDA build", () => {
  test("is offered or refused in words, and nothing is left behind", async () => {
    const listed = await codescaler(["devices", "list", "--json"], { env });
    expect(JSON.parse(listed.stdout)).toContainEqual(
      expect.objectContaining({ backend: "cpu", installed: true }),
    );
    const removed = await codescaler(["devices", "remove", "cuda"], { env });
    expect(removed).toMatchObject({ code: 1, stderr: expect.stringMatching(/not installed/) });
    const builds = join(folder, "home", "builds");
    expect(existsSync(builds) ? readdirSync(builds) : []).toEqual([]);
  });

  test.each([[["devices", "fly"]], [["devices", "install", "rocm"]]])(
    "wrong usage is told: %j",
    async (args) => {
      expect((await codescaler(args, { env })).code).toBe(2);
    },
  );
});
