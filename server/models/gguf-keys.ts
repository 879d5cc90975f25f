/** Metadata of our GGUF files: llama.cpp's own keys for shape and vocabulary, and ours under `codescaler.`. */
import type { Architecture, Shape } from "./architectures.ts";
import { type FileType, GGML_TYPES } from "./ggml.ts";
import type { MetadataValue } from "./gguf-format.ts";

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
  chatTemplate: "tokenizer.chat_template",
  tokens: "tokenizer.ggml.tokens",
  tokenTypes: "tokenizer.ggml.token_type",
  merges: "tokenizer.ggml.merges",
} as const;

export const FAMILIES = [
  "codescaler",
  "skywork-qwen3",
  "skywork-llama",
  "acecode",
  "themis",
  "nano",
] as const;
/** How a model's input is rendered; see server/families. */
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
  /** llama.cpp's name of the pre-tokenizer. */
  readonly pre: string;
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  readonly pad: number | undefined;
  readonly normalizer: Normalizer;
}

export interface RewardMetadata {
  readonly name: string;
  readonly architecture: Architecture;
  readonly shape: Shape;
  readonly vocabulary: Vocabulary;
  readonly family: Family;
  readonly source: string;
  readonly revision: string;
  readonly type: FileType;
  readonly maxTokens: number;
  readonly head: Float32Array;
  readonly bias: number;
  readonly chatTemplate: string;
  readonly calibration?: { readonly slope: number; readonly intercept: number } | undefined;
  /** Criterion → wording of its system turn. */
  readonly criteria?: Readonly<Record<string, string>> | undefined;
}

/** All metadata of a file, in the order it is written. */
export function rewardMetadata(model: RewardMetadata): Map<string, MetadataValue> {
  const { architecture, shape, vocabulary } = model;
  const metadata = new Map<string, MetadataValue>();
  const uint = (key: string, value: number): void => void metadata.set(key, { kind: "uint32", value });
  const float = (key: string, value: number): void => void metadata.set(key, { kind: "float32", value });
  const text = (key: string, value: string): void => void metadata.set(key, { kind: "string", value });

  text("general.architecture", architecture);
  text("general.type", "model");
  text("general.name", model.name);
  uint("general.file_type", GGML_TYPES[model.type].fileType);
  if (model.type === "q8_0" || model.type === "q4_0") uint("general.quantization_version", 2);

  uint(KEYS.format, FORMAT);
  text(KEYS.family, model.family);
  text(KEYS.source, model.source);
  text(KEYS.revision, model.revision);
  text(KEYS.type, model.type);
  uint(KEYS.maxTokens, model.maxTokens);
  text(KEYS.normalizer, vocabulary.normalizer);
  if (model.calibration !== undefined) {
    float(KEYS.slope, model.calibration.slope);
    float(KEYS.intercept, model.calibration.intercept);
  }
  if (model.criteria !== undefined) text(KEYS.criteria, JSON.stringify(model.criteria));
  metadata.set(KEYS.headWeight, { kind: "float32s", value: model.head });
  float(KEYS.headBias, model.bias);

  uint(`${architecture}.block_count`, shape.layers);
  uint(`${architecture}.context_length`, shape.maxPositions);
  uint(`${architecture}.embedding_length`, shape.hidden);
  uint(`${architecture}.feed_forward_length`, shape.feedForward);
  uint(`${architecture}.attention.head_count`, shape.heads);
  uint(`${architecture}.attention.head_count_kv`, shape.kvHeads);
  uint(`${architecture}.attention.key_length`, shape.headDim);
  uint(`${architecture}.attention.value_length`, shape.headDim);
  uint(`${architecture}.rope.dimension_count`, shape.headDim);
  uint(`${architecture}.vocab_size`, shape.vocabulary);
  float(`${architecture}.attention.layer_norm_rms_epsilon`, shape.normEpsilon);
  float(`${architecture}.rope.freq_base`, shape.ropeTheta);

  text(KEYS.chatTemplate, model.chatTemplate);
  text("tokenizer.ggml.model", "gpt2");
  text("tokenizer.ggml.pre", vocabulary.pre);
  metadata.set("tokenizer.ggml.add_bos_token", { kind: "bool", value: false });
  if (vocabulary.bos !== undefined) uint("tokenizer.ggml.bos_token_id", vocabulary.bos);
  if (vocabulary.eos !== undefined) uint("tokenizer.ggml.eos_token_id", vocabulary.eos);
  if (vocabulary.pad !== undefined) uint("tokenizer.ggml.padding_token_id", vocabulary.pad);
  metadata.set(KEYS.tokens, { kind: "strings", value: vocabulary.tokens });
  metadata.set(KEYS.tokenTypes, { kind: "int32s", value: vocabulary.types });
  metadata.set(KEYS.merges, { kind: "strings", value: vocabulary.merges });
  return metadata;
}
