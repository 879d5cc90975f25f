/** A tiny random Qwen3 reward model, written by the project's own writer, on the real engine. */
import { join } from "node:path";
import { loadBindings } from "../../server/engine/llama/bindings.ts";
import { installedBuilds } from "../../server/engine/llama/builds.ts";
import type { LlamaEngine } from "../../server/engine/llama/llama-engine.ts";
import { loadLlama } from "../../server/engine/llama/load.ts";
import { gpuIndexes } from "../../server/engine/llama/probe-devices.ts";
import type { EngineModel, EngineSettings } from "../../server/engine/settings.ts";
import { makeRandomModel } from "../../server/models/convert/random.ts";
import type { RewardModelFile } from "../../server/models/model-file.ts";
import { readRewardModel } from "../../server/models/read-model.ts";

/** Makes the model in a folder; its weights are the same every time. */
export async function tinyModel(folder: string): Promise<RewardModelFile> {
  const file = join(folder, "tiny.gguf");
  await makeRandomModel(TINY, "f32", file);
  return readRewardModel(file);
}

const TINY = {
  layers: 2,
  hidden: 64,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  feedForward: 128,
  vocabulary: 512,
  tied: true,
  maxPositions: 2048,
  ropeTheta: 1_000_000,
  normEpsilon: 1e-6,
};

/** One build per process: loaded when the first engine is made. */
let bindings: ReturnType<typeof loadBindings> | undefined;

/** Runs a model on the CPU build, or on the GPUs of the one that CODESCALER_TEST_BACKEND names. */
export async function tinyEngine(model: EngineModel, settings: EngineSettings): Promise<LlamaEngine> {
  const backend = process.env["CODESCALER_TEST_BACKEND"] ?? "cpu";
  const build = installedBuilds().find((one) => one.backend === backend);
  if (!build) throw new Error(`no build for ${backend} is installed on this platform`);
  bindings ??= loadBindings(build.folder);
  const devices = backend === "cpu" ? [] : gpuIndexes(bindings.devices());
  if (backend !== "cpu" && devices.length === 0) throw new Error(`${backend} found no GPU here`);
  // All layers and more.
  const gpu = { devices, layers: 99, name: backend };
  return loadLlama(bindings, model, devices.length === 0 ? settings : { ...settings, gpu });
}
