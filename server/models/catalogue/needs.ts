/** What a model needs of network, disk and memory, computed from its shape. Pure. */

import { type Architecture, backboneTensors, type Shape, tensorType } from "../convert/architectures.ts";
import { elements } from "../gguf/format.ts";
import { byteLength, type FileType } from "../gguf/ggml.ts";
import type { CatalogueModel } from "./catalogue.ts";

/** Vocabulary, merges and tensor table of a GGUF: Llama 3's take 9 MB, Qwen's 7 MB. */
const METADATA_BYTES = 12 * 2 ** 20;
/** tokenizer.json and the other small files: Llama 3's have 17 MB, Qwen's 11 MB. */
const SMALL_FILES_BYTES = 18 * 2 ** 20;
/** Compute buffers beside weights and KV cache, as engine/start.ts plans them. */
const COMPUTE_BYTES = 256 * 2 ** 20;
/** Context that memory is planned for: twice the longest input of the published models, as the engine does. */
export const PLANNED_CONTEXT = 8192;

/** Weights of the backbone and the head, without the language-model head. */
export function parameters(architecture: Architecture, shape: Shape): number {
  const backbone = backboneTensors(architecture, shape).reduce((sum, spec) => sum + elements(spec.shape), 0);
  return backbone + shape.hidden;
}

/** Bytes of the converted file. */
export function convertedBytes(architecture: Architecture, shape: Shape, type: FileType): number {
  return backboneTensors(architecture, shape).reduce(
    (sum, spec) => sum + byteLength(tensorType(spec.name, spec.shape, type), elements(spec.shape)),
    METADATA_BYTES,
  );
}

/** Bytes to download, as far as the shape says; the Hub's own listing is exact. */
export function downloadBytes(model: CatalogueModel): number {
  const { shape, weights, architecture } = model;
  const languageHead = weights.languageHead ? shape.vocabulary * shape.hidden : 0;
  const values = parameters(architecture, shape) + languageHead;
  return byteLength(weights.type, values) + SMALL_FILES_BYTES;
}

/** Bytes of keys and values per token, in float16. */
export function cacheBytesPerToken(shape: Shape): number {
  return 2 * 2 * shape.layers * shape.kvHeads * shape.headDim;
}

/** Bytes of memory that the model takes when it runs: weights, KV cache of `context` tokens, compute buffers. */
export function memoryBytes(
  model: Pick<CatalogueModel, "architecture" | "shape">,
  type: FileType,
  context: number = PLANNED_CONTEXT,
): number {
  const { architecture, shape } = model;
  return convertedBytes(architecture, shape, type) + context * cacheBytesPerToken(shape) + COMPUTE_BYTES;
}
