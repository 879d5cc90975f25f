/** From a model file and the user's wishes to a running engine: build, device, memory, threads. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism, freemem, totalmem } from "node:os";
import { ServiceError } from "../errors.ts";
import { serverScript } from "../paths.ts";
import { type Bindings, type Device, loadBindings } from "./bindings.ts";
import { type Backend, type Build, installedBuilds } from "./builds.ts";
import { checkGolden } from "./golden.ts";
import type { LlamaEngine } from "./llama.ts";
import { loadLlama } from "./load.ts";
import type { EngineModel, EngineSettings } from "./settings.ts";
import { type LoadedTokenizer, loadTokenizer } from "./tokenizer.ts";

export const DEVICES = ["auto", "gpu", "cpu"] as const;
export type DeviceWish = (typeof DEVICES)[number];

export interface EngineOptions {
  /** `auto` takes a GPU when one is usable and large enough, else the CPU; `gpu` insists on it. */
  readonly device: DeviceWish;
  /** Threads of the CPU; default: one for a small model, else all of few cores or half of many (hyper-threads). */
  readonly threads?: number | undefined;
  /** Size of the KV cache in tokens; default by device and memory. */
  readonly contextTokens?: number | undefined;
  readonly precision?: EngineSettings["precision"];
}

/** A model file with the sizes that decide where it fits. */
export interface StartModel extends EngineModel {
  readonly fileBytes: number;
  /** Bytes of keys and values per token at float16. */
  readonly kvBytesPerToken: number;
  /** Longest input of the model, in tokens. */
  readonly maxTokens: number;
}

/** Room for compute buffers beside weights and KV cache: 58 MiB were measured for 1.7B at batches of 512. */
const COMPUTE_BYTES = 256 * 2 ** 20;
/** A CPU reads every used cell for every token: 8,192 cells are a question with fifty candidates. */
const CPU_CONTEXT = 8192;
const GPU_CONTEXT = 32_768;
/** A GPU starts slowly the first time (shader compilation); beyond this the probe counts as failed. */
const PROBE_TIMEOUT_MS = 20_000;

interface OpenBuild {
  readonly build: Build;
  readonly bindings: Bindings;
}

/** The loaded libraries, or why there are none: a process can hold one build, and loading it cannot be undone. */
let opened: Promise<OpenBuild> | undefined;

/**
 * Loads the model on the best usable device.
 * @throws ServiceError engine_failed when no build runs here or memory is short, model_unusable for a bad file
 */
export async function startEngine(model: StartModel, options: EngineOptions): Promise<LlamaEngine> {
  opened ??= openBuild(options.device);
  const { build, bindings } = await opened;
  const gpu = build.backend === "cpu" ? undefined : bindings.devices().find(isGpu);
  if (options.device === "gpu" && !gpu) {
    throw new ServiceError(
      "engine_failed",
      "No usable GPU was found. Update its driver, or set the device to cpu.",
    );
  }
  const useGpu =
    gpu !== undefined && (options.device === "gpu" || fits(model, gpu.freeBytes, minimumContext(model)));
  const memory = useGpu ? gpu.freeBytes : freeMemory();
  return loadLlama(bindings, model, {
    gpu: useGpu,
    threads: options.threads ?? defaultThreads(model),
    contextTokens: contextTokens(model, options, memory, useGpu),
    retainedTokens: useGpu ? GPU_CONTEXT : CPU_CONTEXT / 4,
    batchTokens: useGpu ? 2048 : 512,
    precision: options.precision ?? "fast",
  });
}

/**
 * Loads only the tokenizer of a model, for ranking on a remote engine: no GPU is looked for, no weights are read.
 * @throws ServiceError engine_failed when no build runs here, model_unusable for a bad file
 */
export async function startTokenizer(
  file: Pick<EngineModel, "path" | "addedTokens">,
): Promise<LoadedTokenizer> {
  opened ??= openBuild("cpu");
  return loadTokenizer((await opened).bindings, file);
}

/**
 * The devices of one build, once the golden model was scored right on them. Run in a child process, because a
 * broken driver may take its process down.
 */
export async function probeDevices(folder: string): Promise<Device[]> {
  const bindings = loadBindings(folder);
  await checkGolden(bindings);
  return bindings.devices();
}

async function openBuild(wish: DeviceWish): Promise<OpenBuild> {
  const builds = installedBuilds();
  const cpu = builds.find((build) => build.backend === "cpu") ?? builds.at(-1);
  if (!cpu) {
    throw new ServiceError(
      "engine_failed",
      `No inference library is installed for ${process.platform}-${process.arch}. Reinstall the package without --omit=optional.`,
    );
  }
  let chosen = cpu;
  if (wish !== "cpu") {
    for (const build of builds) {
      if (build.backend === "cpu" || !gpuMayExist(build.backend)) continue;
      if ((await usableGpu(build)) === undefined) continue;
      chosen = build;
      break;
    }
  }
  const bindings = loadBindings(chosen.folder);
  await checkGolden(bindings);
  return { build: chosen, bindings };
}

/** A look that costs nothing: without a device node there is no GPU on Linux, and no process need be started. */
function gpuMayExist(backend: Backend): boolean {
  if (process.platform !== "linux" || backend === "metal") return true;
  return ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"].some((path) => existsSync(path));
}

/**
 * Free memory of the GPU that a model would run on; undefined when none is usable.
 * Asked in a child process, so nothing is loaded here.
 */
export async function freeGpuMemory(): Promise<number | undefined> {
  for (const build of installedBuilds()) {
    if (build.backend === "cpu" || !gpuMayExist(build.backend)) continue;
    const gpu = await usableGpu(build);
    if (gpu !== undefined) return gpu.freeBytes;
  }
  return undefined;
}

/** The GPU that a build finds in a child process. */
function usableGpu(build: Build): Promise<Device | undefined> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [serverScript, "probe", build.folder],
      { timeout: PROBE_TIMEOUT_MS, env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" } },
      (error, stdout) => {
        if (error) return resolve(undefined);
        try {
          // What `probeDevices` of the same version printed; a driver may have printed something else.
          const devices = JSON.parse(stdout) as Device[];
          resolve(devices.find(isGpu));
        } catch {
          resolve(undefined);
        }
      },
    );
  });
}

function isGpu(device: Pick<Device, "type">): boolean {
  return device.type === "gpu" || device.type === "igpu";
}

/**
 * Threads wait for each other several times in every layer. A small model's layers are done before a second thread
 * has been woken, and on a machine with other work one that is not running holds up all: measured with nano, a
 * ranking took 0.07 s with one thread and 0.15 to 0.7 s with two.
 */
const SMALL_MODEL_BYTES = 32 * 2 ** 20;

function defaultThreads(model: StartModel): number {
  const cores = availableParallelism();
  if (model.fileBytes < SMALL_MODEL_BYTES) return 1;
  return cores <= 4 ? cores : Math.ceil(cores / 2);
}

/** Least useful context: the longest input, and as much again for what other candidates do not share. */
function minimumContext(model: StartModel): number {
  return 2 * model.maxTokens;
}

function fits(model: StartModel, memory: number, tokens: number): boolean {
  return model.fileBytes + COMPUTE_BYTES + tokens * model.kvBytesPerToken <= memory;
}

function contextTokens(model: StartModel, options: EngineOptions, memory: number, gpu: boolean): number {
  const bytesPerToken = model.kvBytesPerToken * (options.precision === "exact" ? 2 : 1);
  const room = Math.floor((memory - model.fileBytes - COMPUTE_BYTES) / bytesPerToken);
  const wanted = options.contextTokens ?? Math.max(gpu ? GPU_CONTEXT : CPU_CONTEXT, minimumContext(model));
  const least = options.contextTokens ?? Math.min(wanted, model.maxTokens + 512);
  if (room < least) {
    throw new ServiceError(
      "engine_failed",
      `The model needs about ${gib(model.fileBytes + COMPUTE_BYTES + least * bytesPerToken)} of memory, but ${gib(memory)} is free. Choose a smaller model or type.`,
    );
  }
  // llama.cpp rounds the context up to whole blocks of 256 cells.
  return Math.floor(Math.min(wanted, room) / 256) * 256 || 256;
}

/**
 * Memory that may be taken, in bytes. On Linux what the kernel says is available (Node 20.13 and newer also heed
 * the container's limit). macOS and Windows count pages as used that they give back on demand: half of all is
 * assumed there.
 */
export function freeMemory(): number {
  if (process.platform !== "linux") return Math.max(freemem(), totalmem() / 2);
  return typeof process.availableMemory === "function" ? process.availableMemory() : freemem();
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
