/** Models in memory: a file that several contexts use is loaded once, and freed with the last of them. */
import { stat } from "node:fs/promises";
import { ServiceError } from "../../errors.ts";
import type { EngineModel, EngineSettings } from "../settings.ts";
import { type Bindings, lastError } from "./bindings.ts";
import type { Pointer } from "./layouts.ts";

export interface Weights {
  readonly bindings: Bindings;
  readonly model: Pointer;
  /** Where they are, as the first who asked for them wanted it. */
  readonly gpu: EngineSettings["gpu"];
  /** To be called once by each who got them: after the last call they are gone. */
  release(): void;
}

interface Loaded {
  readonly weights: Promise<Weights>;
  users: number;
}

/** By path and the file's state: a file that was replaced is another one. */
const inMemory = new Map<string, Loaded>();

/**
 * Loads a model, or takes the one that is loaded already.
 * @throws ServiceError model_unusable when libllama refuses the file
 */
export async function takeWeights(
  bindings: Bindings,
  file: Pick<EngineModel, "path">,
  gpu: EngineSettings["gpu"],
): Promise<Weights> {
  const key = await keyOf(file.path);
  const known = inMemory.get(key);
  const loaded: Loaded = known ?? { weights: load(bindings, file.path, gpu, () => leave(key)), users: 0 };
  loaded.users++;
  inMemory.set(key, loaded);
  try {
    return await loaded.weights;
  } catch (error) {
    if (inMemory.get(key) === loaded) inMemory.delete(key);
    throw error;
  }
}

/** Where the weights of a file are, if they are in memory. */
export async function weightsInMemory(path: string): Promise<Pick<Weights, "gpu"> | undefined> {
  return inMemory.get(await keyOf(path))?.weights.catch(() => undefined);
}

/** Whether nobody is left who uses them. */
function leave(key: string): boolean {
  const loaded = inMemory.get(key);
  if (loaded && --loaded.users > 0) return false;
  inMemory.delete(key);
  return true;
}

async function load(
  bindings: Bindings,
  path: string,
  gpu: EngineSettings["gpu"],
  isLast: () => boolean,
): Promise<Weights> {
  // llama.cpp counts the output as one more layer, and the first to go to the GPU.
  const params = { ...bindings.modelDefaults(), n_gpu_layers: gpu === undefined ? 0 : gpu.layers + 1 };
  const model = await bindings.loadModelAsync(path, params, gpu?.devices ?? []);
  if (!model) {
    throw new ServiceError(
      "model_unusable",
      `The model file cannot be loaded (${lastError(bindings)}). Get or convert it again.`,
    );
  }
  const peculiarity = bindings.peculiarity(model);
  if (peculiarity !== undefined) {
    bindings.freeModel(model);
    throw new ServiceError(
      "model_unusable",
      `The model ${peculiarity}: that is not supported. Choose another model.`,
    );
  }
  return {
    bindings,
    model,
    gpu,
    release: () => {
      if (isLast()) bindings.freeModel(model);
    },
  };
}

async function keyOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    return `${path} ${size} ${mtimeMs}`;
  } catch {
    // libllama says in its own words why it cannot be read.
    return path;
  }
}
