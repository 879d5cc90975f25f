/**
 * What the GGUF of a causal language model says about itself, whoever made it: sizes, vocabulary, chat template. Such a
 * file judges by likelihood, and writes. llama.cpp refuses most of what it cannot run by itself; what is checked here
 * is what it would end the process for, and what it would compute wrongly for these uses.
 */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { Shape } from "./convert/architectures.ts";
import { elements } from "./gguf/format.ts";
import { byteLength } from "./gguf/ggml.ts";
import { KEYS, type Normalizer, TOKEN_TYPE } from "./gguf/keys.ts";
import { type GgufHeader, openError, readGguf } from "./gguf/read-header.ts";
import { unusableModel } from "./gguf/structure.ts";
import { quoted } from "./gguf/values.ts";

export interface LanguageModelFile {
  readonly path: string;
  /** What its makers call it; "" where the file does not say. */
  readonly name: string;
  /** Changes with the file's tensors; not a hash of all weights. */
  readonly revision: string;
  /** Number format as its makers name it: "q4_k_m". */
  readonly type: string;
  readonly shape: Shape;
  readonly weights: {
    /** Of the largest layer. */
    readonly layerBytes: number;
    readonly embeddingBytes: number;
    readonly outputBytes: number;
  };
  readonly fileBytes: number;
  /** Bytes of keys and values per token at float16. */
  readonly kvBytesPerToken: number;
  /** Longest input, in tokens. */
  readonly maxTokens: number;
  /** Jinja source; undefined for a model that was not made for chats. */
  readonly chatTemplate: string | undefined;
  readonly normalizer: Normalizer;
  /** Spelling → id of the control tokens. */
  readonly addedTokens: ReadonlyMap<string, number>;
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
}

/** What a list says of a language model. */
export interface LanguageFacts {
  readonly kind: "language";
  readonly path: string;
  /** What its makers call it; "" where the file does not say. */
  readonly name: string;
  /** Number format as its makers name it: "q4_k_m". */
  readonly type: string;
  readonly fileBytes: number;
  readonly maxTokens: number;
  /** It has a chat template: it answers questions. */
  readonly chat: boolean;
}

/**
 * The same in short, without reading the vocabulary.
 * @throws ServiceError model_unusable, model_not_found
 */
export async function readLanguageFacts(path: string): Promise<LanguageFacts> {
  const small = (key: string) => !LARGE_KEYS.has(key) && key !== KEYS.tokens && key !== KEYS.tokenTypes;
  const header = await readGguf(path, small);
  const template = header.metadata.get(KEYS.chatTemplate);
  const name = header.metadata.get("general.name");
  return {
    kind: "language",
    path,
    name: name?.kind === "string" ? name.value : "",
    type: typeName(header),
    fileBytes: header.fileBytes,
    maxTokens: Math.min(shapeOf(path, header, 0).maxPositions, MAX_TOKENS),
    chat: template?.kind === "string" && template.value.trim() !== "",
  };
}

/** Longest input that is judged: models take more, but nobody waits for it on a CPU. */
const MAX_TOKENS = 4096;
/** Longest chat template that is taken. */
const TEMPLATE_CHARS = 1_000_000;
/** llama.cpp's own bound on layers (LLAMA_MAX_LAYERS). */
const MAX_LAYERS = 512;
/** No real size of a model comes near it. */
const MAX_SIZE = 2 ** 24;

/** Names of `general.file_type` (llama_ftype). */
const FILE_TYPE_NAMES: Readonly<Record<number, string>> = {
  0: "f32",
  1: "f16",
  2: "q4_0",
  3: "q4_1",
  7: "q8_0",
  8: "q5_0",
  9: "q5_1",
  10: "q2_k",
  11: "q3_k_s",
  12: "q3_k_m",
  13: "q3_k_l",
  14: "q4_k_s",
  15: "q4_k_m",
  16: "q5_k_s",
  17: "q5_k_m",
  18: "q6_k",
  25: "iq4_nl",
  30: "iq4_xs",
  32: "bf16",
  38: "mxfp4",
};

/** Arrays that cost time to read and that only llama.cpp needs. */
const LARGE_KEYS: ReadonlySet<string> = new Set([KEYS.merges, "tokenizer.ggml.scores"]);

/** Whether the file holds a reward head of ours; any other GGUF is a language model. */
export async function hasRewardHead(path: string): Promise<boolean> {
  const header = await readGguf(path, () => false);
  return header.metadata.has(KEYS.headWeight);
}

/**
 * Reads a causal language model's file, weights excepted.
 * @throws ServiceError model_unusable, model_not_found
 */
export async function readLanguageModel(path: string): Promise<LanguageModelFile> {
  const header = await readGguf(path, (key) => !LARGE_KEYS.has(key));
  const text = (key: string): string | undefined => {
    const value = header.metadata.get(key);
    return value?.kind === "string" ? value.value : undefined;
  };
  const tokens = stringsOf(path, header);
  const types = header.metadata.get(KEYS.tokenTypes);
  const addedTokens = new Map<string, number>();
  if (types?.kind === "int32s") {
    types.value.forEach((type, id) => {
      const spelling = tokens[id];
      if (type === TOKEN_TYPE.control && spelling) addedTokens.set(spelling, id);
    });
  }
  const shape = shapeOf(path, header, tokens.length);
  const chatTemplate = text(KEYS.chatTemplate);
  if (chatTemplate !== undefined && chatTemplate.length > TEMPLATE_CHARS) {
    throw unusableModel(path, "has a chat template of absurd length");
  }
  const spelling = (key: string): string | undefined => {
    const id = header.metadata.get(key);
    return id?.kind === "uint32" ? tokens[id.value] : undefined;
  };
  return {
    path,
    name: text("general.name") ?? "",
    revision: await fingerprint(path, header),
    type: typeName(header),
    shape,
    weights: weightBytes(header),
    fileBytes: header.fileBytes,
    // Two bytes each for a key and a value.
    kvBytesPerToken: 2 * shape.layers * shape.kvHeads * 2 * shape.headDim,
    maxTokens: Math.min(shape.maxPositions, MAX_TOKENS),
    chatTemplate: chatTemplate?.trim() ? chatTemplate : undefined,
    // GGUF does not say it; of the vocabularies in use only Qwen's has one.
    normalizer: text(KEYS.pre) === "qwen2" ? "NFC" : "none",
    addedTokens,
    bosToken: spelling(KEYS.bos),
    eosToken: spelling(KEYS.eos),
  };
}

function stringsOf(path: string, { metadata }: GgufHeader): readonly string[] {
  const tokens = metadata.get(KEYS.tokens);
  if (tokens?.kind === "strings" && tokens.value.length > 0) return tokens.value;
  throw unusableModel(path, "has no vocabulary");
}

/** Sizes under the names that llama.cpp gives them for every architecture. */
function shapeOf(path: string, { metadata }: GgufHeader, vocabulary: number): Shape {
  const named = metadata.get("general.architecture");
  if (named?.kind !== "string") throw unusableModel(path, "does not say which architecture it has");
  const architecture = named.value;
  const size = (key: string, otherwise?: number): number => {
    const value = metadata.get(`${architecture}.${key}`);
    if (value === undefined && otherwise !== undefined) return otherwise;
    if (value?.kind !== "uint32" || value.value < 1 || value.value > MAX_SIZE) {
      throw unusableModel(
        path,
        `has no plain number for ${quoted(`${architecture}.${key}`)}, as a causal language model with equal layers has`,
      );
    }
    return value.value;
  };
  const number = (key: string, otherwise: number): number => {
    const value = metadata.get(`${architecture}.${key}`);
    return value?.kind === "float32" ? value.value : otherwise;
  };
  const hidden = size("embedding_length");
  const heads = size("attention.head_count");
  const kvHeads = size("attention.head_count_kv", heads);
  const headDim = size("attention.key_length", Math.floor(hidden / heads));
  const layers = size("block_count");
  if (layers > MAX_LAYERS || heads % kvHeads !== 0 || headDim < 1) {
    throw unusableModel(path, "has sizes that do not fit together");
  }
  return {
    layers,
    hidden,
    heads,
    kvHeads,
    headDim,
    feedForward: size("feed_forward_length", 4 * hidden),
    vocabulary,
    maxPositions: size("context_length"),
    ropeTheta: number("rope.freq_base", 10_000),
    normEpsilon: number("attention.layer_norm_rms_epsilon", 1e-5),
  };
}

function weightBytes({ tensors }: GgufHeader): LanguageModelFile["weights"] {
  const layers = new Map<string, number>();
  let embeddingBytes = 0;
  let outputBytes = 0;
  let tied = true;
  for (const { name, bytes } of tensors) {
    const layer = /^blk\.(\d+)\./.exec(name)?.[1];
    if (layer !== undefined) layers.set(layer, (layers.get(layer) ?? 0) + bytes);
    else if (name === "token_embd.weight") embeddingBytes += bytes;
    else outputBytes += bytes;
    if (name === "output.weight") tied = false;
  }
  return {
    layerBytes: Math.max(0, ...layers.values()),
    embeddingBytes,
    // llama.cpp makes the output of a tied model from a second copy of the embedding.
    outputBytes: outputBytes + (tied ? embeddingBytes : 0),
  };
}

function typeName({ metadata, tensors }: GgufHeader): string {
  const number = metadata.get("general.file_type");
  const name = number?.kind === "uint32" ? FILE_TYPE_NAMES[number.value] : undefined;
  if (name !== undefined) return name;
  const largest = tensors.reduce<(typeof tensors)[number] | undefined>(
    (best, tensor) => (best && best.bytes >= tensor.bytes ? best : tensor),
    undefined,
  );
  return largest?.type ?? "unknown";
}

/** Of all that the table of tensors says, and of the values of the smallest ones: fine-tuning changes those too. */
async function fingerprint(path: string, { tensors, fileBytes }: GgufHeader): Promise<string> {
  const hash = createHash("sha256").update(String(fileBytes));
  const file = await open(path, "r").catch((error: unknown) => {
    throw openError(path, error);
  });
  try {
    for (const { name, shape, type, offset } of tensors) {
      hash.update(`${name} ${type} ${shape.join(",")}\n`);
      if (shape.length > 1 || elements(shape) > 65_536) continue;
      const bytes = Buffer.alloc(byteLength(type, elements(shape)));
      const { bytesRead } = await file.read(bytes, 0, bytes.byteLength, offset);
      hash.update(bytes.subarray(0, bytesRead));
    }
  } catch (error) {
    throw openError(path, error);
  } finally {
    await file.close();
  }
  return hash.digest("hex").slice(0, 12);
}
