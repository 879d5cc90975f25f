/** Reads the headers of model files; the weights stay where they are. */
import { KEYS } from "./gguf/keys.ts";
import { readGguf } from "./gguf/read-header.ts";
import { checkVocabulary } from "./gguf/structure.ts";
import { modelFacts, rewardModel, tokenizerOf } from "./model-facts.ts";
import type { ModelFacts, RewardModelFile, TokenizerFile } from "./model-file.ts";

/** Keys of arrays that cost time to read and that only llama.cpp needs. */
const LARGE_KEYS: ReadonlySet<string> = new Set([KEYS.merges, "tokenizer.ggml.scores"]);
const VOCABULARY_KEYS: ReadonlySet<string> = new Set([
  KEYS.tokens,
  KEYS.tokenTypes,
  KEYS.headWeight,
  KEYS.ngramWeights,
  KEYS.matchingProblem,
  KEYS.matchingProgram,
]);

/**
 * Reads what a list shows, stepping over vocabulary and head.
 * @throws ServiceError model_unusable, model_not_found
 */
export async function readModelFacts(path: string): Promise<ModelFacts> {
  const header = await readGguf(path, (key) => !LARGE_KEYS.has(key) && !VOCABULARY_KEYS.has(key));
  return modelFacts(path, header);
}

/**
 * Reads a reward model's file, weights excepted.
 * @throws ServiceError model_unusable when it is no complete reward model of ours, model_not_found
 */
export async function readRewardModel(path: string): Promise<RewardModelFile> {
  return rewardModel(path, await readGguf(path, (key) => !LARGE_KEYS.has(key)));
}

/**
 * Reads what rendering and tokenizing need, of a reward model or of a file that holds nothing else.
 * @throws ServiceError model_unusable, model_not_found
 */
export async function readTokenizerFile(path: string): Promise<TokenizerFile> {
  const header = await readGguf(path, (key) => !LARGE_KEYS.has(key));
  checkVocabulary(path, header);
  return tokenizerOf(path, header);
}
