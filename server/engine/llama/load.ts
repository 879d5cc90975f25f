/** From a GGUF to a running engine or writer: a context of libllama on its weights, with the parameters this project needs. */
import { ServiceError } from "../../errors.ts";
import { type EngineModel, type EngineSettings, GROUP_MEMBERS } from "../settings.ts";
import type { Bindings } from "./bindings.ts";
import { outputRows } from "./decoder.ts";
import { type ContextParams, FLASH_ATTENTION, GGML_TYPE, type Pointer } from "./layouts.ts";
import { LlamaEngine } from "./llama-engine.ts";
import { LlamaWriter, MOST_SAMPLES } from "./llama-writer.ts";
import { takeWeights } from "./weights.ts";

/** Below it, questions and functions of usual length would be cut. */
const LEAST_CONTEXT = 2048;

/**
 * Loads a model to judge with. Where the context finds no room it is halved: how large it became is `maxSequence`.
 * @throws ServiceError model_unusable when libllama refuses the file, engine_failed when memory is short
 */
export async function loadLlama(
  bindings: Bindings,
  model: EngineModel,
  settings: EngineSettings,
): Promise<LlamaEngine> {
  const weights = await takeWeights(bindings, model, settings.gpu);
  try {
    if (model.head && bindings.hiddenSize(weights.model) !== model.head.length) {
      throw new ServiceError(
        "model_unusable",
        `The reward head has ${model.head.length} weights, but the model's hidden size differs. Convert the model again.`,
      );
    }
    const { context, contextTokens } = await createContext(
      bindings,
      weights.model,
      settings,
      outputRows(settings),
    );
    return new LlamaEngine(weights, context, model, { ...settings, contextTokens });
  } catch (error) {
    weights.release();
    throw error;
  }
}

/**
 * The same to write with.
 * @throws ServiceError model_unusable when libllama refuses the file, engine_failed when memory is short
 */
export async function loadWriter(
  bindings: Bindings,
  model: EngineModel,
  settings: EngineSettings,
): Promise<LlamaWriter> {
  const weights = await takeWeights(bindings, model, settings.gpu);
  try {
    const { context, contextTokens } = await createContext(bindings, weights.model, settings, MOST_SAMPLES);
    return new LlamaWriter(weights, context, model, { ...settings, contextTokens });
  } catch (error) {
    weights.release();
    throw error;
  }
}

interface Context {
  readonly context: Pointer;
  readonly contextTokens: number;
}

async function createContext(
  bindings: Bindings,
  model: Pointer,
  settings: EngineSettings,
  outputs: number,
): Promise<Context> {
  const exact = settings.precision === "exact";
  const params = (contextTokens: number): ContextParams => {
    const batchTokens = Math.min(settings.batchTokens, contextTokens);
    return {
      ...bindings.contextDefaults(),
      n_ctx: contextTokens,
      n_batch: batchTokens,
      n_ubatch: batchTokens,
      // With a unified KV cache any id below MAX_SEQUENCES may be used; fewer possible outputs than this would abort the
      // process.
      n_seq_max: GROUP_MEMBERS,
      n_outputs_max: Math.max(GROUP_MEMBERS, outputs),
      n_threads: settings.threads,
      n_threads_batch: settings.threads,
      pooling_type: 0,
      embeddings: false,
      kv_unified: true,
      flash_attn_type: exact ? FLASH_ATTENTION.off : FLASH_ATTENTION.auto,
      type_k: exact ? GGML_TYPE.F32 : GGML_TYPE.F16,
      type_v: exact ? GGML_TYPE.F32 : GGML_TYPE.F16,
      no_perf: true,
    };
  };
  for (const contextTokens of contextSizes(settings.contextTokens)) {
    const context = await bindings.createContextAsync(model, params(contextTokens));
    if (context) return { context, contextTokens };
  }
  throw new ServiceError(
    "engine_failed",
    `There is not enough memory for a context of ${Math.min(settings.contextTokens, LEAST_CONTEXT)} tokens. Choose a smaller model or context.`,
  );
}

/**
 * What is tried in turn where memory is short: half as much each time. A smaller context is slower with many
 * candidates, and cuts only the longest inputs; nothing fails for it.
 */
function* contextSizes(wanted: number): Generator<number> {
  yield wanted;
  for (let tokens = wanted / 2; tokens >= LEAST_CONTEXT; tokens /= 2) yield Math.floor(tokens / 256) * 256;
}
