/** From a model's tokenizer and the engines that have its weights to a scorer. */
import type { DeviceReport } from "../../shared/contract.ts";
import { startTokenizer } from "../engine/llama/start.ts";
import type { TokenizerFile } from "../models/model-file.ts";
import type { Fit } from "../ranking/fit.ts";
import { createScorer, type Scorer } from "../ranking/scorer.ts";
import { RemoteEngine, type RemoteOptions } from "./remote-engine.ts";

/**
 * Opens a model whose weights are on other hosts.
 * @param id the name under which it is reported and asked for there
 * @param file a tokenizer without weights, or a whole model, of which only the tokenizer is used
 * @param onDevice called with what runs the model
 * @throws ServiceError engine_failed when no engine is usable
 */
export async function connectModel(
  id: string,
  file: TokenizerFile,
  options: RemoteOptions & { readonly fit?: Fit | undefined },
  onDevice?: (device: DeviceReport) => void,
): Promise<Scorer> {
  const engine = await RemoteEngine.start(id, file, await startTokenizer(file), options);
  const { revision = file.revision, type = "remote" } = engine;
  onDevice?.({
    backend: "remote",
    name: engine.device,
    gpu_layers: 0,
    layers: 0,
    context_tokens: engine.maxSequence,
    reason: null,
  });
  return createScorer(id, { ...file, revision, type }, engine, options.fit);
}
