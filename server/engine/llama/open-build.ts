/** Which build of llama.cpp this process runs: the best one that works here, and why no better one. */

import { forgetLosses, leftAlone, losses } from "../../devices/crash-marks.ts";
import { type Drivers, mayExist, readDrivers } from "../../devices/drivers.ts";
import { guarded } from "../../devices/gpu-guard.ts";
import { listDevices, neededLibraries, probe, probeKey } from "../../devices/probe-build.ts";
import { ServiceError } from "../../errors.ts";
import { type Bindings, type Device, loadBindings } from "./bindings.ts";
import { BACKEND_NAMES, type Build, installedBuilds } from "./builds.ts";
import { checkGolden } from "./golden.ts";
import { gpuIndexes } from "./probe-devices.ts";

/** A build that is loaded and computed the golden model right. */
export interface OpenBuild {
  readonly build: Build;
  readonly bindings: Bindings;
  /** Under which it is remembered. */
  readonly key: string;
  /** Places of the usable GPUs in the backend's list; none: the CPU. */
  readonly gpus: readonly number[];
  /** A process was lost on it lately: the next one asks for less. */
  readonly wasLost: boolean;
  /** Why a build that should be better is not used; undefined when none is or could be. */
  readonly problem: string | undefined;
}

/**
 * A process can hold one build, and loading it cannot be undone: call this once.
 * @param gpu look for a GPU at all
 * @throws ServiceError engine_failed when no build works here
 */
export async function openBuild(gpu: boolean): Promise<OpenBuild> {
  const builds = installedBuilds();
  const problems: string[] = [];
  if (gpu) {
    const drivers = await readDrivers();
    for (const build of builds) {
      if (build.backend === "cpu" || !mayExist(build.backend, drivers)) continue;
      const opened = await tryBuild(build, drivers);
      if (opened === "absent") continue;
      if (typeof opened !== "string") return { ...opened, problem: opened.problem ?? problems[0] };
      problems.push(`${BACKEND_NAMES[build.backend]}: ${opened}`);
    }
  }
  const cpu = builds.find(({ backend }) => backend === "cpu") ?? builds.at(-1);
  if (!cpu) {
    throw new ServiceError(
      "engine_failed",
      `No inference library is installed for ${process.platform}-${process.arch}. Reinstall the package without --omit=optional.`,
    );
  }
  const bindings = loadBindings(cpu.folder);
  await checkGolden(bindings, []);
  return { build: cpu, bindings, key: cpu.backend, gpus: [], wasLost: false, problem: problems[0] };
}

/** The build, loaded; "absent" where there is no GPU for it; or why it cannot be used, as a part of a sentence. */
async function tryBuild(build: Build, drivers: Drivers): Promise<OpenBuild | string> {
  const key = probeKey(build, drivers);
  const lost = await losses(key);
  const reason = leftAlone(lost);
  if (reason !== undefined) return reason;
  const wasLost = lost.loading + lost.scoring > 0;
  const { result } = await probe(build, drivers, wasLost);
  if (result.kind === "absent") return result.kind;
  if (result.kind !== "usable") return result.problem;
  return guarded(key, async () => {
    const bindings = loadBindings(build.folder, neededLibraries(build, drivers));
    const gpus = gpuIndexes(bindings.devices());
    try {
      if (gpus.length === 0) throw new ServiceError("engine_failed", "The GPU is gone.");
      await checkGolden(bindings, gpus);
      return { build, bindings, key, gpus, wasLost, problem: undefined };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      // It is loaded for good: its own CPU part does the work.
      await checkGolden(bindings, []);
      const problem = `${BACKEND_NAMES[build.backend]}: ${error.message.replace(/\.$/, "")}`;
      return { build, bindings, key, gpus: [], wasLost, problem };
    }
  });
}

/** Says that a model was loaded, so that what was lost at that no longer counts. What was lost later still does. */
export async function trust(open: OpenBuild): Promise<void> {
  if (open.wasLost) await forgetLosses(open.key, "loading");
}

/** GPUs that a model would run on, with the memory that is free now. */
export interface FreeGpus {
  readonly build: Build;
  readonly gpus: readonly (Device & { readonly index: number })[];
}

/** The GPUs of the best build that works; undefined when none does. Asked in child processes, nothing is loaded here. */
export async function freeGpus(): Promise<FreeGpus | undefined> {
  const drivers = await readDrivers();
  for (const build of installedBuilds()) {
    if (build.backend === "cpu" || !mayExist(build.backend, drivers)) continue;
    if (leftAlone(await losses(probeKey(build, drivers))) !== undefined) continue;
    if ((await probe(build, drivers)).result.kind !== "usable") continue;
    const now = await listDevices(build, drivers);
    if (now.kind !== "usable") continue;
    return { build, gpus: gpusOf(now.devices) };
  }
  return undefined;
}

/** The GPUs among a backend's devices, with their places. */
export function gpusOf(devices: readonly Device[]): (Device & { readonly index: number })[] {
  return gpuIndexes(devices).flatMap((index) => {
    const device = devices[index];
    return device === undefined ? [] : [{ ...device, index }];
  });
}
