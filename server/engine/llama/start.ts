/** From a model file and the user's wishes to a running engine: build, device, memory, threads. */
import { availableParallelism } from "node:os";
import type { DeviceReport } from "../../../shared/contract.ts";
import { mark } from "../../devices/crash-marks.ts";
import { guarded, Hung } from "../../devices/gpu-guard.ts";
import { ServiceError } from "../../errors.ts";
import { CPU_CONTEXT, cpuContext, freeMemory, gib } from "../memory.ts";
import { cpuBytes, modelSizes, type Placement, planPlacement, type SizedModel } from "../placement.ts";
import type { EngineModel, EngineSettings } from "../settings.ts";
import { Turns } from "../turns.ts";
import { deviceName, gpuReport, tooLarge, unusable } from "./device-report.ts";
import type { LlamaEngine } from "./llama-engine.ts";
import type { LlamaWriter } from "./llama-writer.ts";
import { gpusOf, type OpenBuild, openBuild, trust } from "./open-build.ts";
import { JUDGE, type Role, type Started, type StartedOn, WRITER } from "./roles.ts";
import { type LoadedTokenizer, loadTokenizer } from "./tokenizer.ts";
import { weightsInMemory } from "./weights.ts";

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

/** One decode call at a time has the machine, whichever model it is of. */
const turns = new Turns();

/** A GPU that refuses memory it said it had is asked for this much less, */
const SMALLER = 0.75;
/** so many times, before the CPU does the work. */
const GPU_ATTEMPTS = 4;
/** A process was lost on this GPU: it may have been for want of memory. */
const CAREFUL = 0.6;

/** The loaded libraries, or why there are none: a process can hold one build, and loading it cannot be undone. */
let opened: Promise<OpenBuild> | undefined;

/**
 * Loads the model on the best usable device, to judge with.
 * @throws ServiceError engine_failed when no build runs here or memory is short, model_unusable for a bad file
 */
export async function startEngine(model: StartModel, options: EngineOptions): Promise<LlamaEngine> {
  return start(model, options, JUDGE);
}

/**
 * The same to write with. Weights that are in memory already are used where they are.
 * @throws ServiceError engine_failed when no build runs here or memory is short, model_unusable for a bad file
 */
export async function startWriter(model: StartModel, options: EngineOptions): Promise<LlamaWriter> {
  return start(model, options, WRITER);
}

async function start<T extends Started>(
  model: StartModel,
  options: EngineOptions,
  role: Role<T>,
): Promise<T> {
  const { started, device } = await startSomewhere(model, options, role);
  options.onDevice?.(device);
  return started;
}

async function startSomewhere<T extends Started>(
  model: StartModel,
  options: EngineOptions,
  role: Role<T>,
): Promise<StartedOn<T>> {
  opened ??= openBuild(options.device !== "cpu");
  const open = await opened;
  const shared = await weightsInMemory(model.path);
  if (shared) return startBeside(open, model, options, role, shared.gpu);
  let reason = open.problem === undefined ? null : unusable(open.problem);
  if (open.gpus.length > 0 && options.device !== "cpu") {
    const started = await startOnGpu(open, model, options, role);
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
  return startOnCpu(open, model, options, role, options.device === "cpu" ? null : reason);
}

/** A second context on weights that are in memory: it goes where they are, and takes what memory there is. */
async function startBeside<T extends Started>(
  open: OpenBuild,
  model: StartModel,
  options: EngineOptions,
  role: Role<T>,
  gpu: EngineSettings["gpu"],
): Promise<StartedOn<T>> {
  // The weights take no more memory than they do already.
  if (gpu === undefined) return startOnCpu(open, model, options, role, null, freeMemory() + model.fileBytes);
  const { layers } = model.shape;
  const started = await guarded(open.key, () =>
    role.load(open.bindings, model, {
      ...settingsOf(model, options),
      gpu,
      contextTokens: options.contextTokens ?? CPU_CONTEXT,
      retainedTokens: gpu.layers >= layers ? CPU_CONTEXT : CPU_CONTEXT / 4,
      batchTokens: 512,
      watched: watching(open),
    }),
  );
  const contextTokens = started.contextTokens;
  const device: DeviceReport = {
    backend: open.build.backend,
    name: gpu.name,
    gpu_layers: Math.min(gpu.layers, layers),
    layers,
    context_tokens: contextTokens,
    reason: null,
  };
  return { started, device };
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

/** The running engine; or, in a sentence, why the GPU cannot take this model. */
async function startOnGpu<T extends Started>(
  open: OpenBuild,
  model: StartModel,
  options: EngineOptions,
  role: Role<T>,
): Promise<StartedOn<T> | string> {
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
      const started = await guarded(open.key, () => load(open, model, options, role, placement, name));
      await trust(open);
      // Where memory was short after all, the context has become smaller than planned.
      const contextTokens = Math.min(placement.contextTokens, started.contextTokens);
      return { started, device: gpuReport(open, { ...placement, contextTokens }, sizes, name, free) };
    } catch (error) {
      if (error instanceof Hung || !(error instanceof ServiceError)) throw error;
      problem = `The GPU could not load the model (${error.message.replace(/\.$/, "")}).`;
    }
  }
  return problem;
}

async function load<T extends Started>(
  open: OpenBuild,
  model: StartModel,
  options: EngineOptions,
  role: Role<T>,
  placement: Placement,
  name: string,
): Promise<T> {
  const whole = placement.gpuLayers === model.shape.layers;
  const started = await role.load(open.bindings, model, {
    ...settingsOf(model, options),
    gpu: { devices: placement.devices, layers: placement.gpuLayers, name },
    contextTokens: placement.contextTokens,
    retainedTokens: whole ? placement.contextTokens : CPU_CONTEXT / 4,
    batchTokens: placement.batchTokens,
    watched: watching(open),
  });
  try {
    // Some drivers take memory and compile only now; better here than under the first request.
    await started.warmUp();
    return started;
  } catch (error) {
    await started.close();
    throw error;
  }
}

function settingsOf(
  model: StartModel,
  options: EngineOptions,
): Pick<EngineSettings, "threads" | "precision" | "turns"> {
  return {
    threads: options.threads ?? defaultThreads(model),
    precision: options.precision ?? "fast",
    turns,
  };
}

function watching(open: OpenBuild): EngineSettings["watched"] {
  return async () => (await mark(open.key, "scoring")).clear;
}

async function startOnCpu<T extends Started>(
  { bindings }: OpenBuild,
  model: StartModel,
  options: EngineOptions,
  role: Role<T>,
  reason: string | null,
  memory = freeMemory(),
): Promise<StartedOn<T>> {
  const valueBytes = options.precision === "exact" ? 4 : 2;
  const wanted = role.cpuContext(model.shape.maxPositions, options.contextTokens);
  const started = await role.load(bindings, model, {
    ...settingsOf(model, options),
    contextTokens: cpuContext(model, wanted, valueBytes, memory),
    retainedTokens: CPU_CONTEXT / 4,
    batchTokens: 512,
  });
  return {
    started,
    device: {
      backend: "cpu",
      name: started.device,
      gpu_layers: 0,
      layers: model.shape.layers,
      context_tokens: started.contextTokens,
      reason,
    },
  };
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
