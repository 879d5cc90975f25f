/**
 * Does a header describe exactly a model of ours? libllama ends the whole process on some sizes that do not fit
 * together (GGML_ASSERT) and reads keys that we never write, so it is shown only what was checked here.
 */
import { ServiceError } from "../../errors.ts";
import { type Architecture, backboneTensors, type Shape } from "../convert/architectures.ts";
import { ALIGNMENT, type Metadata } from "./format.ts";
import { FILE_TYPES, isFileType } from "./ggml.ts";
import { BYTE_LEVEL_BPE, FLOAT_KEYS, KEYS, PRE_TOKENIZERS, SIZE_KEYS } from "./keys.ts";
import type { GgufHeader } from "./read-header.ts";
import { quoted } from "./values.ts";

/** llama.cpp's own bound (LLAMA_MAX_LAYERS). */
const MAX_LAYERS = 512;

export interface Structure {
  readonly architecture: Architecture;
  readonly shape: Shape;
}

/** A file that cannot be used; `what` completes "FILE cannot be used: it …". */
export function unusableModel(path: string, what: string): ServiceError {
  return new ServiceError("model_unusable", `${path} cannot be used: it ${what}. Get or convert it again.`);
}

/**
 * Checks keys, sizes and tensors against one another. The header must hold the tokens.
 * @throws ServiceError model_unusable
 */
export function checkStructure(path: string, header: GgufHeader): Structure {
  const structure = checkVocabulary(path, header);
  checkTensors(path, header, structure.architecture, structure.shape);
  return structure;
}

/**
 * The same without the tensors, for a file of which only the vocabulary is used.
 * @throws ServiceError model_unusable
 */
export function checkVocabulary(path: string, header: GgufHeader): Structure {
  const { metadata } = header;
  const named = metadata.get("general.architecture");
  const architecture = named?.kind === "string" ? named.value : "";
  if (!isArchitecture(architecture)) {
    throw unusableModel(path, `has the unknown architecture ${quoted(architecture)}`);
  }
  checkKeys(path, metadata, architecture);
  const shape = readShape(path, metadata, architecture);
  checkTokenizer(path, metadata, shape.vocabulary);
  return { architecture, shape };
}

function isArchitecture(name: string): name is Architecture {
  return name === "qwen3" || name === "qwen2" || name === "llama";
}

/** Notes (`general.`) and our own keys are free; of those that steer llama.cpp only the ones we write are allowed. */
function checkKeys(path: string, metadata: Metadata, architecture: Architecture): void {
  const known = new Set<string>([
    ...Object.values(KEYS),
    ...[...Object.keys(SIZE_KEYS), ...Object.keys(FLOAT_KEYS)].map((key) => `${architecture}.${key}`),
  ]);
  for (const [key, { value }] of metadata) {
    if (known.has(key) || key.startsWith("codescaler.")) continue;
    if (key === "general.alignment" ? value === ALIGNMENT : key.startsWith("general.")) continue;
    throw unusableModel(path, `holds the setting ${quoted(key)}, which no conversion writes`);
  }
}

function readShape(path: string, metadata: Metadata, architecture: Architecture): Shape {
  const number = (key: string): number => {
    const value = metadata.get(`${architecture}.${key}`);
    if (value?.kind !== "uint32" && value?.kind !== "float32") {
      throw unusableModel(path, `lacks the metadata ${architecture}.${key}`);
    }
    return value.value;
  };
  const shape: Shape = {
    layers: number("block_count"),
    hidden: number("embedding_length"),
    heads: number("attention.head_count"),
    kvHeads: number("attention.head_count_kv"),
    headDim: number("attention.key_length"),
    feedForward: number("feed_forward_length"),
    vocabulary: number("vocab_size"),
    maxPositions: number("context_length"),
    ropeTheta: number("rope.freq_base"),
    normEpsilon: number("attention.layer_norm_rms_epsilon"),
  };
  // Several keys hold the same size: all of them must.
  for (const [key, expected] of Object.entries({ ...SIZE_KEYS, ...FLOAT_KEYS })) {
    if (number(key) !== expected(shape) || !(number(key) > 0) || !Number.isFinite(number(key))) {
      throw unusableModel(path, `has the impossible ${architecture}.${key} ${number(key)}`);
    }
  }
  if (shape.layers > MAX_LAYERS) throw unusableModel(path, `claims ${shape.layers} layers`);
  if (shape.heads % shape.kvHeads !== 0 || shape.headDim % 2 !== 0) {
    throw unusableModel(path, "has attention sizes that do not fit together");
  }
  return shape;
}

function checkTokenizer(path: string, metadata: Metadata, vocabulary: number): void {
  const pre = metadata.get(KEYS.pre)?.value;
  if (
    metadata.get(KEYS.tokenizerModel)?.value !== BYTE_LEVEL_BPE ||
    !PRE_TOKENIZERS.some((name) => name === pre)
  ) {
    throw unusableModel(path, "has a tokenizer that is not known");
  }
  const tokens = metadata.get(KEYS.tokens);
  const types = metadata.get(KEYS.tokenTypes);
  if (tokens?.kind !== "strings" || types?.kind !== "int32s" || !metadata.has(KEYS.merges)) {
    throw unusableModel(path, "lacks a part of its vocabulary");
  }
  if (tokens.value.length !== vocabulary || types.value.length !== vocabulary) {
    throw unusableModel(path, `has ${tokens.value.length} tokens for ${vocabulary} rows of its embedding`);
  }
  if (new Set(tokens.value).size !== vocabulary || tokens.value.includes("")) {
    throw unusableModel(path, "has a vocabulary with equal or empty tokens");
  }
}

function checkTensors(path: string, header: GgufHeader, architecture: Architecture, shape: Shape): void {
  const left = new Map(header.tensors.map((tensor) => [tensor.name, tensor] as const));
  const check = (name: string, expected: readonly number[]): void => {
    const tensor = left.get(name);
    if (tensor === undefined) throw unusableModel(path, `lacks the tensor ${name}`);
    if (tensor.shape.join() !== expected.join()) {
      throw unusableModel(
        path,
        `has the tensor ${name} in the shape [${tensor.shape.join(", ")}] instead of [${expected.join(", ")}]`,
      );
    }
    if (!isFileType(tensor.type)) {
      throw unusableModel(
        path,
        `has the tensor ${name} in ${tensor.type}; ${FILE_TYPES.join(", ")} can be used`,
      );
    }
    if (expected.length === 1 && tensor.type !== "f32") {
      throw unusableModel(path, `has the tensor ${name} in ${tensor.type} instead of f32`);
    }
    left.delete(name);
  };
  for (const { name, shape: expected } of backboneTensors(architecture, shape)) check(name, expected);
  if (architecture === "llama" && left.has("rope_freqs.weight"))
    check("rope_freqs.weight", [shape.headDim / 2]);
  for (const name of left.keys()) {
    throw unusableModel(
      path,
      `holds the tensor ${JSON.stringify(name)}, which its architecture does not have`,
    );
  }
}
