/** From facts to what was chosen and what a user can do. Pure. */
import { gigabytes } from "../../shared/gigabytes.ts";
import { cudaBuilds } from "../devices/cuda/cuda.ts";
import { BACKEND_NAMES } from "../engine/llama/builds.ts";
import type { Facts, ProbeFacts } from "./facts.ts";

export interface ChosenDevice {
  readonly backend: "cuda" | "metal" | "vulkan" | "cpu";
  readonly device: string;
  /** One sentence. */
  readonly reason: string;
}

/** glibc of Ubuntu 22.04, on which the libraries were built. */
const LEAST_GLIBC = [2, 34] as const;
/** nano needs a tenth of it; a model of 1.7 billion weights all of it. */
const LITTLE_MEMORY = 4e9;
/** A model as q8_0 with its download needs at least this. */
const LITTLE_DISK = 5e9;

const CONTAINER =
  "This is a container without a GPU: if the machine has one, start it with access to it (--gpus all, or --device /dev/dri).";

/** What a model is loaded on by default. */
export function choose({ probes, system }: Facts): ChosenDevice {
  const usable = probes.find(({ result }) => result === "usable");
  if (usable !== undefined) {
    const device = usable.devices.map(({ description }) => description).join(" and ");
    const better =
      probes[0] === usable ? "" : `; ${BACKEND_NAMES[probes[0]?.backend ?? "cpu"]} could not be used`;
    return {
      backend: usable.backend,
      device,
      reason: `The ${BACKEND_NAMES[usable.backend]} build found ${device} and computed the test model right${better}.`,
    };
  }
  const failed = probes.find(({ result }) => result !== "skipped" && result !== "absent");
  return {
    backend: "cpu",
    device: system.cpu,
    reason:
      failed === undefined
        ? "No GPU was found that a build could use."
        : `The GPU could not be used (${BACKEND_NAMES[failed.backend]}: ${failed.problem}).`,
  };
}

/** Each one sentence or two with the way out, the most likely first. */
export function hintsFor(facts: Facts): string[] {
  return [
    ...systemHints(facts),
    ...rightsHints(facts),
    ...nvidiaHints(facts),
    ...vulkanHints(facts),
    ...crashHints(facts),
    ...spaceHints(facts),
  ];
}

function systemHints({ system, builds }: Facts): string[] {
  const hints: string[] = [];
  if (builds.length === 0) {
    hints.push(
      `No inference library is installed for ${system.platform}-${system.arch}: reinstall the package without --omit=optional.`,
    );
  }
  if (system.platform === "linux" && system.glibc === null) {
    hints.push(
      "This system's C library is not glibc (Alpine's is musl), and the inference libraries need glibc 2.34 or newer: use an image based on Debian, Ubuntu or Fedora, or a server on another machine (codescaler.server.url).",
    );
  } else if (system.glibc !== null && older(system.glibc, LEAST_GLIBC)) {
    hints.push(
      `glibc ${system.glibc} is too old, 2.34 or newer is needed: update the system, or use a server on another machine (codescaler.server.url).`,
    );
  }
  return hints;
}

function rightsHints({ drivers, system }: Facts): string[] {
  const closed = drivers.nodes.filter(({ usable }) => !usable).map(({ path }) => path);
  if (closed.length === 0) return [];
  const render = closed.some((path) => path.includes("/dri/"));
  const way = system.container
    ? "start the container with access to the device and its group"
    : render
      ? "add this account to the groups render and video (sudo usermod -aG render,video $USER) and log in again"
      : "ask the administrator for access to the NVIDIA devices";
  return [`This account may not open ${closed.join(", ")}: ${way}.`];
}

function nvidiaHints(facts: Facts): string[] {
  const { drivers, system, cuda_build: cuda } = facts;
  const builds = cudaBuilds(system.platform, system.arch);
  const card = drivers.nodes.some(({ path }) => /nvidia\d/.test(path)) || drivers.nvidia !== undefined;
  const hints: string[] = [];
  if (cuda !== null) {
    const build = builds.find(({ cudaMajor }) => cudaMajor === cuda);
    if (!card && system.platform === "linux" && !system.wsl) {
      hints.push(
        `The CUDA build is installed, but no NVIDIA driver was found: install the driver (${build?.leastDriver ?? 580} or newer)${system.container ? " and start the container with --gpus all" : ""}, or remove the build (codescaler devices remove cuda).`,
      );
    }
    if (!drivers.cudaRuntimes.some(({ major }) => major === cuda)) {
      hints.push(
        `The CUDA build needs libcudart and libcublas of CUDA ${cuda}, which were not found: install the CUDA ${cuda} runtime from NVIDIA (about 1 GB), or use the Vulkan build, which needs only the driver.`,
      );
    }
    if (build !== undefined && drivers.nvidia !== undefined && majorOf(drivers.nvidia) < build.leastDriver) {
      hints.push(
        `The NVIDIA driver ${drivers.nvidia} is too old for CUDA ${cuda}: update it to ${build.leastDriver} or newer, or use the Vulkan build.`,
      );
    }
    return hints;
  }
  if (card && builds.some(({ cudaMajor }) => drivers.cudaRuntimes.some(({ major }) => major === cudaMajor))) {
    hints.push(
      "An NVIDIA GPU and a CUDA runtime are here: the CUDA build may be faster than Vulkan (codescaler devices install cuda).",
    );
  }
  return hints;
}

function vulkanHints(facts: Facts): string[] {
  const { drivers, system, builds } = facts;
  if (system.platform !== "linux" || !builds.some(({ backend }) => backend === "vulkan")) return [];
  if (usable(facts)) return [];
  // Without any node there is no GPU that a driver could help.
  if (drivers.nodes.length === 0) return system.container ? [CONTAINER] : [];
  const hints: string[] = [];
  if (drivers.vulkanLoader === undefined) {
    hints.push(
      "Vulkan's loader is missing: install it (libvulkan1 on Debian and Ubuntu, vulkan-loader on Fedora, vulkan-icd-loader on Arch).",
    );
  }
  if (drivers.vulkanDrivers.length === 0) {
    hints.push(
      "No Vulkan driver is installed: install mesa-vulkan-drivers for AMD and Intel, or NVIDIA's own driver.",
    );
  }
  if (system.wsl) {
    hints.push(
      "In WSL a GPU is reached through CUDA: install the NVIDIA driver in Windows, a CUDA runtime here, and codescaler devices install cuda.",
    );
  }
  return hints;
}

function crashHints({ probes }: Facts): string[] {
  return probes.flatMap(({ backend, result, problem, lost }) => {
    const name = BACKEND_NAMES[backend];
    if (result === "usable" && lost > 0) {
      const times = lost === 1 ? "once" : `${lost} times`;
      return [
        `The program was lost ${times} while it loaded a model or ranked through ${name}, which is forgotten now: if it happens again, update the driver, choose a smaller model, or set the device to cpu.`,
      ];
    }
    switch (result) {
      case "crashed":
        return [`The ${name} driver crashes (${problem}): update it; until then the next build is used.`];
      case "hung":
        return [`The ${name} driver does not answer (${problem}): update it or restart the computer.`];
      case "failed":
        return [`The ${name} build does not work here (${problem}).`];
      case "stopped":
        return [`The test of the ${name} build was stopped before its end: run codescaler doctor again.`];
      case "usable":
      case "absent":
      case "skipped":
        return [];
      default:
        return result satisfies never;
    }
  });
}

function spaceHints({ system, store }: Facts): string[] {
  const hints: string[] = [];
  if (system.free_memory_bytes < LITTLE_MEMORY) {
    hints.push(
      `Only ${gigabytes(system.free_memory_bytes)} of memory is free: close programs, or keep to nano and models of 0.6 billion weights.`,
    );
  }
  if (!store.writable) {
    hints.push(`${store.folder} cannot be written: set CODESCALER_HOME to a folder of yours.`);
  } else if (store.free_bytes !== null && store.free_bytes < LITTLE_DISK) {
    hints.push(
      `Only ${gigabytes(store.free_bytes)} is free where models are kept: free some space or set CODESCALER_HOME to a larger disk.`,
    );
  }
  return hints;
}

function usable({ probes }: Facts): boolean {
  return probes.some(({ result }: ProbeFacts) => result === "usable");
}

function older(version: string, [major, minor]: readonly [number, number]): boolean {
  const [first = 0, second = 0] = version.split(".").map(Number);
  return first < major || (first === major && second < minor);
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}
