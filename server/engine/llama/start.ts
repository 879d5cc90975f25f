/** From a model file and the user's wishes to a running engine: build, device, memory, threads. */
import { availableParallelism } from "node:os";
import type { DeviceReport } from "../../../shared/contract.ts";
import { mark } from "../../devices/crash-marks.ts";
import { guarded, Hung } from "../../devices/guard.ts";
import { ServiceError } from "../../errors.ts";
import { CPU_CONTEXT, cpuContext, freeMemory, gib } from "../memory.ts";
import {
  cpuBytes,
  leastContext,
  type ModelSizes,
  modelSizes,
  type Placement,
  planPlacement,
  type SizedModel,
} from "../placement.ts";
import type { EngineModel, EngineSettings } from "../settings.ts";
import { BACKEND_NAMES } from "./builds.ts";
import type { LlamaEngine } from "./llama-engine.ts";
import { loadLlama } from "./load.ts";
import { gpusOf, type OpenBuild, openBuild, trust } from "./open-build.ts";
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
  /** Told where a model runs, each time one was loaded. */
  readonly onDevice?: ((device: DeviceReport) => void) | undefined;
}

/** A model file with the sizes that decide where it fits. */
export type StartModel = EngineModel &
  SizedModel & {
    readonly fileBytes: number;
    /** Bytes of keys and values per token at float16. */
    readonly kvBytesPerToken: number;
  };

interface StartedEngine {
  readonly engine: LlamaEngine;
  readonly device: DeviceReport;
}

/** A GPU that refuses memory it said it had is asked for this much less, */
const SMALLER = 0.75;
/** so many times, before the CPU does the work. */
const GPU_ATTEMPTS = 4;
/** A process was lost on this GPU: it may have been for want of memory. */
const CAREFUL = 0.6;

/** The loaded libraries, or why there are none: a process can hold one build, and loading it cannot be undone. */
let opened: Promise<OpenBuild> | undefined;

/**
 * Loads the model on the best usable device.
 * @throws ServiceError engine_failed when no build runs here or memory is short, model_unusable for a bad file
 */
export async function startEngine(model: StartModel, options: EngineOptions): Promise<LlamaEngine> {
  const { engine, device } = await startSomewhere(model, options);
  options.onDevice?.(device);
  return engine;
}

async function startSomewhere(model: StartModel, options: EngineOptions): Promise<StartedEngine> {
  opened ??= openBuild(options.device !== "cpu");
  const open = await opened;
  let reason = open.problem === undefined ? null : unusable(open.problem);
  if (open.gpus.length > 0 && options.device !== "cpu") {
    const started = await startOnGpu(open, model, options);
    if (typeof started !== "string") return started;
    if (options.device === "gpu") {
      throw new ServiceError(
        "engine_failed",
        `${started} Choose a smaller model or type, or the device auto.`,
      );
    }
    reason = `${started} Running on the CPU; a smaller model or type would use the GPU.`;
  } else if (options.device === "gpu") {
    throw new ServiceError(
      "engine_failed",
      `No usable GPU was found${open.problem === undefined ? "" : ` (${open.problem})`}. "codescaler doctor" says more; the device auto works without one.`,
    );
  }
  return startOnCpu(open, model, options, options.device === "cpu" ? null : reason);
}

/**
 * Loads only the tokenizer of a model, for ranking on a remote engine: no GPU is looked for, no weights are read.
 * @throws ServiceError engine_failed when no build runs here, model_unusable for a bad file
 */
export async function startTokenizer(
  file: Pick<EngineModel, "path" | "addedTokens">,
): Promise<LoadedTokenizer> {
  opened ??= openBuild(false);
  return loadTokenizer((await opened).bindings, file);
}

/** What a user reads when a GPU that should work does not. */
export function unusable(problem: string): string {
  return `The GPU could not be used (${problem}): running on the CPU. "codescaler doctor" says more.`;
}

/** The running engine; or, in a sentence, why the GPU cannot take this model. */
async function startOnGpu(
  open: OpenBuild,
  model: StartModel,
  options: EngineOptions,
): Promise<StartedEngine | string> {
  const sizes = modelSizes(model, options.precision === "exact" ? 4 : 2);
  let share = open.wasLost ? CAREFUL : 1;
  let problem = "";
  for (let attempt = 0; attempt < GPU_ATTEMPTS; attempt++, share *= SMALLER) {
    const gpus = gpusOf(open.bindings.devices());
    const free = gpus.reduce((sum, { freeBytes }) => sum + freeBytes, 0);
    const placement = planPlacement(
      sizes,
      gpus.map(({ index, freeBytes }) => ({ index, freeBytes: freeBytes * share })),
      { contextTokens: options.contextTokens, insist: options.device === "gpu" },
    );
    if (placement === undefined) return problem || tooLarge(sizes, free, options.contextTokens);
    if (placement.gpuLayers < sizes.layers && cpuBytes(sizes, placement) > freeMemory()) {
      return `Neither the GPU nor the memory beside it has room for the model (${gib(free)} and ${gib(freeMemory())} free).`;
    }
    const name = deviceName(open, placement, sizes);
    try {
      const engine = await guarded(open.key, () => load(open, model, options, placement, name));
      await trust(open);
      // Where memory was short after all, the context has become smaller than planned.
      const contextTokens = Math.min(placement.contextTokens, engine.maxSequence);
      return { engine, device: gpuReport(open, { ...placement, contextTokens }, sizes, name, free) };
    } catch (error) {
      if (error instanceof Hung || !(error instanceof ServiceError)) throw error;
      problem = `The GPU could not load the model (${error.message.replace(/\.$/, "")}).`;
    }
  }
  return problem;
}

async function load(
  open: OpenBuild,
  model: StartModel,
  options: EngineOptions,
  placement: Placement,
  name: string,
): Promise<LlamaEngine> {
  const whole = placement.gpuLayers === model.shape.layers;
  const engine = await loadLlama(open.bindings, model, {
    gpu: { devices: placement.devices, layers: placement.gpuLayers, name },
    threads: options.threads ?? defaultThreads(model),
    contextTokens: placement.contextTokens,
    retainedTokens: whole ? placement.contextTokens : CPU_CONTEXT / 4,
    batchTokens: placement.batchTokens,
    precision: options.precision ?? "fast",
    watched: async () => (await mark(open.key, "scoring")).clear,
  });
  try {
    // Some drivers take memory and compile only now; better here than under the first request.
    await engine.score([Int32Array.of(0)], { priority: "interactive" });
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

async function startOnCpu(
  { bindings }: OpenBuild,
  model: StartModel,
  options: EngineOptions,
  reason: string | null,
): Promise<StartedEngine> {
  const valueBytes = options.precision === "exact" ? 4 : 2;
  const engine = await loadLlama(bindings, model, {
    threads: options.threads ?? defaultThreads(model),
    contextTokens: cpuContext(model, options.contextTokens, valueBytes, freeMemory()),
    retainedTokens: CPU_CONTEXT / 4,
    batchTokens: 512,
    precision: options.precision ?? "fast",
  });
  return {
    engine,
    device: {
      backend: "cpu",
      name: engine.device,
      gpu_layers: 0,
      layers: model.shape.layers,
      context_tokens: engine.maxSequence,
      reason,
    },
  };
}

function gpuReport(
  open: OpenBuild,
  placement: Placement,
  sizes: ModelSizes,
  name: string,
  free: number,
): DeviceReport {
  const { gpuLayers, contextTokens } = placement;
  const split =
    gpuLayers < sizes.layers
      ? `${gpuLayers} of ${sizes.layers} layers run on the GPU and the rest on the CPU, because ${gib(free)} of its memory is free. A smaller model or type would be faster.`
      : null;
  return {
    backend: open.build.backend,
    name,
    gpu_layers: gpuLayers,
    layers: sizes.layers,
    context_tokens: contextTokens,
    reason:
      split ?? (open.problem === undefined ? null : `A faster build could not be used (${open.problem}).`),
  };
}

/** "CUDA: NVIDIA GeForce RTX 4090", with the share of the layers where it is not all of them. */
function deviceName(
  { build, bindings }: OpenBuild,
  { devices, gpuLayers }: Placement,
  sizes: ModelSizes,
): string {
  const all = bindings.devices();
  const cards = [...new Set(devices.map((index) => all[index]?.description ?? ""))].join(" and ");
  const share = gpuLayers < sizes.layers ? `, ${gpuLayers} of ${sizes.layers} layers` : "";
  return `${BACKEND_NAMES[build.backend]}: ${cards}${share}`;
}

function tooLarge(sizes: ModelSizes, free: number, wanted: number | undefined): string {
  const context = wanted ?? leastContext(sizes);
  const least = sizes.layers * (sizes.layerBytes + context * sizes.cacheBytes) + sizes.outputBytes;
  return `The GPU's memory is too small for this model: with a context of ${context} tokens it takes ${gib(least)} and buffers, and ${gib(free)} is free.`;
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
