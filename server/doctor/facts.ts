/** What `codescaler doctor` finds out about this machine. Shapes are those of its JSON. */
import { constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { access, mkdir, readFile } from "node:fs/promises";
import { arch, availableParallelism, cpus, release, totalmem, version } from "node:os";
import { VERSION } from "../../shared/contract.ts";
import { BUILD_VERSION } from "../devices/build-version.ts";
import { losses } from "../devices/crash-marks.ts";
import { addedCuda } from "../devices/cuda/cuda.ts";
import { type Drivers, mayExist, readDrivers } from "../devices/drivers.ts";
import { probe, probeKey } from "../devices/probe-build.ts";
import type { Device } from "../engine/llama/bindings.ts";
import { type Backend, installedBuilds } from "../engine/llama/builds.ts";
import { gpusOf } from "../engine/llama/open-build.ts";
import { freeMemory } from "../engine/memory.ts";
import { folderBytes } from "../files/disk.ts";
import { modelFolder } from "../files/folders.ts";

export interface System {
  readonly platform: string;
  readonly arch: string;
  /** As the system names itself. */
  readonly name: string;
  readonly kernel: string;
  /** Version of the C library; null where it is not glibc. */
  readonly glibc: string | null;
  readonly wsl: boolean;
  readonly container: boolean;
  readonly node: string;
  /** Version of the Electron whose Node this is, as in a desktop VS Code; null on a plain Node. */
  readonly electron: string | null;
  readonly cpu: string;
  readonly cores: number;
  /** Instructions that the builds for the CPU make use of. */
  readonly cpu_features: readonly string[];
  readonly memory_bytes: number;
  readonly free_memory_bytes: number;
}

export interface Store {
  readonly folder: string;
  /** Null when the disk does not say. */
  readonly free_bytes: number | null;
  readonly writable: boolean;
}

export interface BuildFacts {
  readonly backend: Backend;
  readonly folder: string;
  readonly bytes: number;
  /** Added by the user, not part of the package. */
  readonly added: boolean;
  readonly cuda_runtime: number | null;
}

export type ProbeKind = "usable" | "absent" | "failed" | "crashed" | "hung" | "stopped" | "skipped";

export interface ProbeFacts {
  readonly backend: Backend;
  readonly result: ProbeKind;
  /** Why it is not usable, as a part of a sentence; null when it is. */
  readonly problem: string | null;
  readonly devices: readonly Pick<Device, "name" | "description" | "type" | "freeBytes" | "totalBytes">[];
  readonly seconds: number;
  /** How often a process was lost lately while it loaded a model or ranked there. */
  readonly lost: number;
}

export interface Facts {
  readonly version: string;
  /** Version of the inference libraries. */
  readonly build_version: string;
  readonly system: System;
  readonly store: Store;
  readonly drivers: Omit<Drivers, "fingerprint">;
  readonly builds: readonly BuildFacts[];
  /** Fresh, best first. */
  readonly probes: readonly ProbeFacts[];
  /** CUDA runtime of the installed CUDA build; null when none is. */
  readonly cuda_build: number | null;
}

/** Looks at everything anew; the results replace what was remembered. Takes as long as the drivers take. */
export async function gatherFacts(): Promise<Facts> {
  const drivers = await readDrivers();
  const { fingerprint: _, ...told } = drivers;
  return {
    version: VERSION,
    build_version: BUILD_VERSION,
    system: await systemFacts(),
    store: await storeFacts(),
    drivers: told,
    builds: await Promise.all(
      installedBuilds().map(async ({ backend, folder, cudaMajor }) => ({
        backend,
        folder,
        bytes: await folderBytes(folder),
        added: cudaMajor !== undefined,
        cuda_runtime: cudaMajor ?? null,
      })),
    ),
    probes: await probeAll(drivers),
    cuda_build: addedCuda()?.cudaMajor ?? null,
  };
}

async function probeAll(drivers: Drivers): Promise<ProbeFacts[]> {
  const found: ProbeFacts[] = [];
  for (const build of installedBuilds()) {
    if (build.backend === "cpu") continue;
    const about = { backend: build.backend, devices: [], seconds: 0, lost: 0 };
    if (!mayExist(build.backend, drivers)) {
      found.push({ ...about, result: "skipped", problem: "there is no device of that kind" });
      continue;
    }
    const { loading, scoring } = await losses(probeKey(build, drivers));
    const lost = loading + scoring;
    const { result, seconds } = await probe(build, drivers, true);
    found.push(
      result.kind === "usable"
        ? { ...about, result: "usable", problem: null, devices: gpusOf(result.devices), seconds, lost }
        : { ...about, result: result.kind, problem: result.problem, seconds, lost },
    );
  }
  return found;
}

async function systemFacts(): Promise<System> {
  const linux = process.platform === "linux";
  const [os, info] = await Promise.all([
    linux ? readFile("/etc/os-release", "utf8").catch(() => "") : "",
    linux ? readFile("/proc/cpuinfo", "utf8").catch(() => "") : "",
  ]);
  return {
    platform: process.platform,
    arch: arch(),
    name: /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(os)?.[1] ?? version(),
    kernel: release(),
    glibc: linux ? (glibcVersion() ?? null) : null,
    wsl: linux && (/microsoft/i.test(release()) || existsSync("/dev/dxg")),
    container: linux && inContainer(),
    node: process.version,
    electron: process.versions["electron"] ?? null,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    cpu_features: cpuFeatures(info),
    memory_bytes: totalmem(),
    free_memory_bytes: freeMemory(),
  };
}

/** What the prebuilt CPU libraries differ in. */
const FEATURES = [
  "sse4_2",
  "avx",
  "f16c",
  "fma",
  "avx2",
  "avx512f",
  "avx512_vnni",
  "avx_vnni",
  "avx512_bf16",
  "amx_int8",
  "asimddp",
  "sve",
];

function cpuFeatures(info: string): string[] {
  const flags = new Set((/^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1] ?? "").split(" "));
  return FEATURES.filter((feature) => flags.has(feature));
}

/** Node's own report names the C library that it runs on. */
function glibcVersion(): string | undefined {
  const report: unknown = process.report?.getReport();
  if (typeof report !== "object" || report === null || !("header" in report)) return undefined;
  const { header } = report;
  if (typeof header !== "object" || header === null || !("glibcVersionRuntime" in header)) return undefined;
  return typeof header.glibcVersionRuntime === "string" ? header.glibcVersionRuntime : undefined;
}

function inContainer(): boolean {
  if (existsSync("/.dockerenv") || existsSync("/run/.containerenv")) return true;
  try {
    return /docker|containerd|kubepods|lxc/.test(readFileSync("/proc/1/cgroup", "utf8"));
  } catch {
    return false;
  }
}

/** Of the folder that models are kept in, which is made where it is missing. */
export async function storeFacts(): Promise<Store> {
  const folder = modelFolder();
  const writable = await mkdir(folder, { recursive: true })
    .then(() => access(folder, constants.W_OK))
    .then(
      () => true,
      () => false,
    );
  let free: number | null = null;
  try {
    const stats = statfsSync(folder);
    free = stats.bavail * stats.bsize;
  } catch {
    // A disk that does not say.
  }
  return { folder, free_bytes: free, writable };
}
