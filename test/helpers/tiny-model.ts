/** A tiny random Qwen3 reward model, written by the project's own writer, on the real engine. */
import { join } from "node:path";
import { type Bindings, loadBindings } from "../../server/engine/llama/bindings.ts";
import { installedBuilds } from "../../server/engine/llama/builds.ts";
import type { LlamaEngine } from "../../server/engine/llama/llama-engine.ts";
import type { LlamaWriter } from "../../server/engine/llama/llama-writer.ts";
import { loadLlama, loadWriter } from "../../server/engine/llama/load.ts";
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
let bindings: Bindings | undefined;

/** Runs a model on the CPU build, or on the GPUs of the one that CODESCALER_TEST_BACKEND names. */
export async function tinyEngine(model: EngineModel, settings: EngineSettings): Promise<LlamaEngine> {
  return loadLlama(tinyBindings(), model, onBackend(settings));
}

/** The same to write with. */
export async function tinyWriter(model: EngineModel, settings: EngineSettings): Promise<LlamaWriter> {
  return loadWriter(tinyBindings(), model, onBackend(settings));
}

const BACKEND = process.env["CODESCALER_TEST_BACKEND"] ?? "cpu";

function tinyBindings(): Bindings {
  const build = installedBuilds().find(({ backend }) => backend === BACKEND);
  if (!build) throw new Error(`no build for ${BACKEND} is installed on this platform`);
  bindings ??= loadBindings(build.folder);
  return bindings;
}

function onBackend(settings: EngineSettings): EngineSettings {
  if (BACKEND === "cpu") return settings;
  const devices = gpuIndexes(tinyBindings().devices());
  if (devices.length === 0) throw new Error(`${BACKEND} found no GPU here`);
  // All layers and more.
  return { ...settings, gpu: { devices, layers: 99, name: BACKEND } };
}
