/** Metadata of our GGUF files: llama.cpp's own keys for shape and vocabulary, and ours under `codescaler.`. */
import type { Architecture, Shape } from "../convert/architectures.ts";
import type { MetadataValue } from "./format.ts";
import { type FileType, GGML_TYPES } from "./ggml.ts";

/** Version of the keys below; a reader refuses a higher one. */
export const FORMAT = 1;

export const KEYS = {
  format: "codescaler.format",
  family: "codescaler.family",
  source: "codescaler.source",
  revision: "codescaler.revision",
  type: "codescaler.type",
  maxTokens: "codescaler.max_tokens",
  headWeight: "codescaler.head.weight",
  headBias: "codescaler.head.bias",
  normalizer: "codescaler.tokenizer.normalizer",
  slope: "codescaler.calibration.slope",
  intercept: "codescaler.calibration.intercept",
  criteria: "codescaler.criteria",
  ngramVersion: "codescaler.ngram.version",
  ngramWeights: "codescaler.ngram.weights",
  ngramScale: "codescaler.ngram.scale",
  ngramCoefficient: "codescaler.ngram.coefficient",
  matchingVersion: "codescaler.matching.version",
  matchingDimensions: "codescaler.matching.dimensions",
  matchingProblem: "codescaler.matching.problem",
  matchingProgram: "codescaler.matching.program",
  matchingCoefficient: "codescaler.matching.coefficient",
  chatTemplate: "tokenizer.chat_template",
  tokens: "tokenizer.ggml.tokens",
  tokenTypes: "tokenizer.ggml.token_type",
  merges: "tokenizer.ggml.merges",
  tokenizerModel: "tokenizer.ggml.model",
  pre: "tokenizer.ggml.pre",
  addBos: "tokenizer.ggml.add_bos_token",
  bos: "tokenizer.ggml.bos_token_id",
  eos: "tokenizer.ggml.eos_token_id",
  pad: "tokenizer.ggml.padding_token_id",
} as const;

/** llama.cpp's keys for the sizes of an architecture, after its name and a dot. */
export const SIZE_KEYS: Readonly<Record<string, (shape: Shape) => number>> = {
  block_count: (shape) => shape.layers,
  context_length: (shape) => shape.maxPositions,
  embedding_length: (shape) => shape.hidden,
  feed_forward_length: (shape) => shape.feedForward,
  "attention.head_count": (shape) => shape.heads,
  "attention.head_count_kv": (shape) => shape.kvHeads,
  "attention.key_length": (shape) => shape.headDim,
  "attention.value_length": (shape) => shape.headDim,
  "rope.dimension_count": (shape) => shape.headDim,
  vocab_size: (shape) => shape.vocabulary,
};
export const FLOAT_KEYS: Readonly<Record<string, (shape: Shape) => number>> = {
  "attention.layer_norm_rms_epsilon": (shape) => shape.normEpsilon,
  "rope.freq_base": (shape) => shape.ropeTheta,
};

/** llama.cpp's name of the only kind of vocabulary that is converted. */
export const BYTE_LEVEL_BPE = "gpt2";
/** llama.cpp's names of the pre-tokenizers that are converted. */
export const PRE_TOKENIZERS = ["qwen2", "llama-bpe", "smaug-bpe", "gpt-2"] as const;
export type PreTokenizer = (typeof PRE_TOKENIZERS)[number];

export const FAMILIES = [
  "codescaler",
  "skywork-qwen3",
  "skywork-llama",
  "acecode",
  "themis",
  "nano",
] as const;
/** How a model's input is rendered; see server/rendering. */
export type Family = (typeof FAMILIES)[number];

export function isFamily(text: string): text is Family {
  return (FAMILIES as readonly string[]).includes(text);
}

/** Token types of llama.cpp (`llama_token_type`). */
export const TOKEN_TYPE = { normal: 1, control: 3, unused: 5 } as const;

/** Unicode normal form that the tokenizer applies to text first. */
export type Normalizer = "NFC" | "none";

export interface Vocabulary {
  /** One spelling per embedding row, all different. */
  readonly tokens: readonly string[];
  readonly types: Int32Array;
  /** "left right", best first. */
  readonly merges: readonly string[];
  readonly pre: PreTokenizer;
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  readonly pad: number | undefined;
  readonly normalizer: Normalizer;
}

/** Of the features in server/ranking/text-parts/ngram.ts; a model of another version is refused. */
export const NGRAM_VERSION = 3;

/** A linear model on hashed n-grams of the program: a part of the reward beside the head's; see server/ranking/text-parts/ngram.ts. */
export interface NgramModel {
  /** Which features are counted, and how they are hashed. */
  readonly version: number;
  /** One weight a bucket, in units of `scale`; their number is a power of two. */
  readonly weights: Int8Array;
  readonly scale: number;
  /** What its value is multiplied with before it is added to the head's. */
  readonly coefficient: number;
}

/** Of the features in server/ranking/text-parts/matching.ts; a model of another version is refused. */
export const MATCHING_VERSION = 1;

/** Word vectors of problems and programs: a part of the reward beside the head's; see server/ranking/text-parts/matching.ts. */
export interface MatchingModel {
  /** Which features are looked up, and how they are hashed. */
  readonly version: number;
  /** Components of a vector. */
  readonly dimensions: number;
  /** A row of `dimensions` for each bucket of a problem's features; their number is a power of two. */
  readonly problem: Int8Array;
  /** As many for those of a program. */
  readonly program: Int8Array;
  /** What the cosine is multiplied with before it is added to the head's reward. */
  readonly coefficient: number;
}

/** What a model file says of its input: all that is needed where the weights are elsewhere. */
export interface TokenizerMetadata {
  readonly name: string;
  readonly architecture: Architecture;
  readonly shape: Shape;
  readonly vocabulary: Vocabulary;
  readonly family: Family;
  readonly source: string;
  readonly revision: string;
  readonly maxTokens: number;
  readonly chatTemplate: string;
  readonly calibration?: { readonly slope: number; readonly intercept: number } | undefined;
  /** Criterion → wording of its system turn. */
  readonly criteria?: Readonly<Record<string, string>> | undefined;
  readonly ngram?: NgramModel | undefined;
  readonly matching?: MatchingModel | undefined;
}

export interface RewardMetadata extends TokenizerMetadata {
  readonly type: FileType;
  readonly head: Float32Array;
  readonly bias: number;
}

/** All metadata of a reward model's file, in the order it is written. */
export function rewardMetadata(model: RewardMetadata): Map<string, MetadataValue> {
  return metadataOf(model, model);
}

/** The same without what belongs to weights. */
export function tokenizerMetadata(model: TokenizerMetadata): Map<string, MetadataValue> {
  return metadataOf(model, undefined);
}

function metadataOf(
  model: TokenizerMetadata,
  weights: Pick<RewardMetadata, "type" | "head" | "bias"> | undefined,
): Map<string, MetadataValue> {
  const { architecture, shape, vocabulary } = model;
  const metadata = new Map<string, MetadataValue>();
  const uint = (key: string, value: number): void => void metadata.set(key, { kind: "uint32", value });
  const float = (key: string, value: number): void => void metadata.set(key, { kind: "float32", value });
  const text = (key: string, value: string): void => void metadata.set(key, { kind: "string", value });

  text("general.architecture", architecture);
  text("general.type", "model");
  text("general.name", model.name);
  if (weights !== undefined) {
    uint("general.file_type", GGML_TYPES[weights.type].fileType);
    if (weights.type === "q8_0" || weights.type === "q4_0") uint("general.quantization_version", 2);
  }

  uint(KEYS.format, FORMAT);
  text(KEYS.family, model.family);
  text(KEYS.source, model.source);
  text(KEYS.revision, model.revision);
  if (weights !== undefined) text(KEYS.type, weights.type);
  uint(KEYS.maxTokens, model.maxTokens);
  text(KEYS.normalizer, vocabulary.normalizer);
  if (model.calibration !== undefined) {
    float(KEYS.slope, model.calibration.slope);
    float(KEYS.intercept, model.calibration.intercept);
  }
  if (model.criteria !== undefined) text(KEYS.criteria, JSON.stringify(model.criteria));
  if (model.ngram !== undefined) {
    uint(KEYS.ngramVersion, model.ngram.version);
    metadata.set(KEYS.ngramWeights, { kind: "int8s", value: model.ngram.weights });
    float(KEYS.ngramScale, model.ngram.scale);
    float(KEYS.ngramCoefficient, model.ngram.coefficient);
  }
  if (model.matching !== undefined) {
    uint(KEYS.matchingVersion, model.matching.version);
    uint(KEYS.matchingDimensions, model.matching.dimensions);
    metadata.set(KEYS.matchingProblem, { kind: "int8s", value: model.matching.problem });
    metadata.set(KEYS.matchingProgram, { kind: "int8s", value: model.matching.program });
    float(KEYS.matchingCoefficient, model.matching.coefficient);
  }
  if (weights !== undefined) {
    metadata.set(KEYS.headWeight, { kind: "float32s", value: weights.head });
    float(KEYS.headBias, weights.bias);
  }

  for (const [key, size] of Object.entries(SIZE_KEYS)) uint(`${architecture}.${key}`, size(shape));
  for (const [key, number] of Object.entries(FLOAT_KEYS)) float(`${architecture}.${key}`, number(shape));

  text(KEYS.chatTemplate, model.chatTemplate);
  text(KEYS.tokenizerModel, BYTE_LEVEL_BPE);
  text(KEYS.pre, vocabulary.pre);
  metadata.set(KEYS.addBos, { kind: "bool", value: false });
  if (vocabulary.bos !== undefined) uint(KEYS.bos, vocabulary.bos);
  if (vocabulary.eos !== undefined) uint(KEYS.eos, vocabulary.eos);
  if (vocabulary.pad !== undefined) uint(KEYS.pad, vocabulary.pad);
  metadata.set(KEYS.tokens, { kind: "strings", value: vocabulary.tokens });
  metadata.set(KEYS.tokenTypes, { kind: "int32s", value: vocabulary.types });
  metadata.set(KEYS.merges, { kind: "strings", value: vocabulary.merges });
  return metadata;
}
