/** What `doctor` chooses and advises, from the facts of machines that are not here. */
import { describe, expect, test } from "vitest";
import { runtimeOf } from "../../../server/cli/doctor.ts";
import type { Facts, ProbeFacts, System } from "../../../server/doctor/facts.ts";
import { choose, hintsFor } from "../../../server/doctor/hints.ts";

const SYSTEM: System = {
  platform: "linux",
  arch: "x64",
  name: "Some Linux",
  kernel: "6.1",
  glibc: "2.39",
  wsl: false,
  container: false,
  node: "v22.0.0",
  electron: null,
  cpu: "A CPU",
  cores: 8,
  cpu_features: ["avx2"],
  memory_bytes: 32e9,
  free_memory_bytes: 24e9,
};
const VULKAN = { backend: "vulkan", folder: "/v", bytes: 80e6, added: false, cuda_runtime: null } as const;
const CUDA = { backend: "cuda", folder: "/c", bytes: 180e6, added: true, cuda_runtime: 13 } as const;
const RENDER = { path: "/dev/dri/renderD128", usable: true };
const NVIDIA = { path: "/dev/nvidia0", usable: true };
const CARD = {
  name: "Vulkan0",
  description: "A Card",
  type: "gpu",
  freeBytes: 8e9,
  totalBytes: 9e9,
} as const;

interface Change {
  readonly system?: Partial<System>;
  readonly drivers?: Partial<Facts["drivers"]>;
  readonly store?: Partial<Facts["store"]>;
  readonly builds?: Facts["builds"];
  readonly probes?: readonly Partial<ProbeFacts>[];
  readonly cuda_build?: number;
}

/** A machine with nothing wrong and no GPU, changed. */
function machine(change: Change = {}): Facts {
  return {
    version: "1",
    build_version: "3",
    system: { ...SYSTEM, ...change.system },
    store: { folder: "/models", free_bytes: 100e9, writable: true, ...change.store },
    drivers: {
      nvidia: undefined,
      nodes: [],
      vulkanLoader: undefined,
      vulkanDrivers: [],
      cudaRuntimes: [],
      ...change.drivers,
    },
    builds: change.builds ?? [VULKAN],
    probes: (change.probes ?? []).map((one) => ({
      backend: "vulkan",
      result: "usable",
      problem: null,
      devices: [],
      seconds: 1,
      lost: 0,
      ...one,
    })),
    cuda_build: change.cuda_build ?? null,
  };
}

describe("the choice", () => {
  test("is the first build that works, and says what better one does not", () => {
    const facts = machine({
      probes: [{ backend: "cuda", result: "failed", problem: "no runtime" }, { devices: [CARD] }],
    });
    expect(choose(facts)).toMatchObject({ backend: "vulkan", device: "A Card" });
    expect(choose(facts).reason).toMatch(/CUDA could not be used/);
  });

  test("is the CPU where none works, with the driver's fault as the reason", () => {
    const facts = machine({ probes: [{ result: "hung", problem: "its driver did not answer" }] });
    expect(choose(facts)).toEqual({
      backend: "cpu",
      device: "A CPU",
      reason: "The GPU could not be used (Vulkan: its driver did not answer).",
    });
    expect(choose(machine()).reason).toBe("No GPU was found that a build could use.");
  });
});

describe("hints", () => {
  test("a machine with nothing wrong has none, with a GPU or without", () => {
    expect(hintsFor(machine())).toEqual([]);
    expect(hintsFor(machine({ drivers: { nodes: [RENDER] }, probes: [{ devices: [CARD] }] }))).toEqual([]);
  });

  test.each<[string, Change, RegExp]>([
    ["an old glibc", { system: { glibc: "2.31" } }, /glibc 2\.31 is too old/],
    ["musl", { system: { glibc: null } }, /not glibc .*Debian/],
    ["no build at all", { builds: [] }, /reinstall the package without --omit=optional/],
    [
      "no right to the GPU",
      { drivers: { nodes: [{ ...RENDER, usable: false }] } },
      /may not open \/dev\/dri\/renderD128: .*usermod -aG render,video/,
    ],
    [
      "no right to it in a container",
      { system: { container: true }, drivers: { nodes: [{ ...RENDER, usable: false }] } },
      /may not open .*start the container/,
    ],
    ["no Vulkan loader", { drivers: { nodes: [RENDER] } }, /libvulkan1/],
    ["no Vulkan driver", { drivers: { nodes: [RENDER] } }, /mesa-vulkan-drivers/],
    ["a container without a GPU", { system: { container: true } }, /--gpus all/],
    ["WSL", { system: { wsl: true }, drivers: { nodes: [{ path: "/dev/dxg", usable: true }] } }, /In WSL/],
    [
      "the CUDA build without a driver",
      { cuda_build: 13, builds: [CUDA, VULKAN] },
      /no NVIDIA driver was found: install the driver \(580 or newer\).*devices remove cuda/,
    ],
    [
      "the CUDA build without its runtime",
      { cuda_build: 13, builds: [CUDA, VULKAN], drivers: { nvidia: "580.65", nodes: [NVIDIA] } },
      /needs libcudart and libcublas of CUDA 13/,
    ],
    [
      "the CUDA build with an old driver",
      { cuda_build: 13, builds: [CUDA, VULKAN], drivers: { nvidia: "550.54.14", nodes: [NVIDIA] } },
      /driver 550\.54\.14 is too old for CUDA 13: update it to 580/,
    ],
    [
      "all that the CUDA build needs, without it",
      {
        drivers: { nvidia: "580.65", nodes: [NVIDIA], cudaRuntimes: [{ major: 13, libraries: ["/l"] }] },
        probes: [{ devices: [CARD] }],
      },
      /codescaler devices install cuda/,
    ],
    [
      "a driver that crashes",
      { probes: [{ result: "crashed", problem: "with SIGSEGV" }] },
      /Vulkan driver crashes \(with SIGSEGV\): update it/,
    ],
    ["a driver that hangs", { probes: [{ result: "hung", problem: "60 s" }] }, /does not answer .*restart/],
    ["wrong results", { probes: [{ result: "failed", problem: "it computes wrongly" }] }, /computes wrongly/],
    [
      "a test that someone stopped",
      { probes: [{ result: "stopped", problem: "with SIGINT" }] },
      /run codescaler doctor again/,
    ],
    ["a process that was lost", { probes: [{ devices: [CARD], lost: 2 }] }, /lost 2 times .*smaller model/],
    ["little memory", { system: { free_memory_bytes: 1e9 } }, /Only 1\.0 GB of memory is free/],
    ["little disk", { store: { free_bytes: 2e9 } }, /Only 2\.0 GB is free where models are kept/],
    ["a folder that cannot be written", { store: { writable: false } }, /CODESCALER_HOME/],
  ])("for %s say the way out", (_what, change, sentence) => {
    const hints = hintsFor(machine(change));
    expect(hints.join("\n")).toMatch(sentence);
    // One or two sentences each, and never the same twice.
    for (const hint of hints) expect(hint).toMatch(/^[^\n]{20,400}\.$/);
    expect(new Set(hints).size).toBe(hints.length);
  });
});

test("the runtime is named: a desktop's Node is not a plain one", () => {
  expect(runtimeOf(SYSTEM)).toBe("Node v22.0.0, glibc 2.39");
  expect(runtimeOf({ ...SYSTEM, electron: "37.2.0", glibc: null })).toBe("Electron 37.2.0 with Node v22.0.0");
});
