/**
 * How much of a model goes onto GPUs, computed from its shape and their free memory. Pure.
 * llama.cpp keeps the token embedding on the CPU, puts the last layers on the GPU first, and keeps a layer's keys and
 * values where the layer is.
 */
import {
  type Architecture,
  backboneTensors,
  type Shape,
  tensorType,
} from "../models/convert/architectures.ts";
import { elements } from "../models/gguf/format.ts";
import { byteLength, type FileType } from "../models/gguf/ggml.ts";
import { OUTPUT_ROWS } from "./settings.ts";

/** Bytes of the parts of a model that can be in different places. */
export interface ModelSizes {
  readonly layers: number;
  /** Weights of one layer; all are equally large. */
  readonly layerBytes: number;
  /** The token embedding, looked up on the CPU. */
  readonly embeddingBytes: number;
  /** Final norm, and the language-model head, which llama.cpp makes from the token embedding. */
  readonly outputBytes: number;
  /** Keys and values of one token in one layer. */
  readonly cacheBytes: number;
  /** Longest input, in tokens. */
  readonly maxTokens: number;
  readonly shape: Shape;
}

/** A GPU as its backend lists it. */
export interface Gpu {
  /** Its place in the backend's list of devices. */
  readonly index: number;
  readonly freeBytes: number;
}

export interface Placement {
  /** Places in the backend's list of devices; the layers are spread over them. */
  readonly devices: readonly number[];
  /** Layers on the GPU, from 1 to all. */
  readonly gpuLayers: number;
  readonly contextTokens: number;
  readonly batchTokens: number;
  /** What it takes of the GPUs' memory, as estimated. */
  readonly bytes: number;
}

export interface PlacementWish {
  /** Tokens of context that were asked for; default: as many as fit, up to `GPU_CONTEXT`. */
  readonly contextTokens?: number | undefined;
  /** A few layers on the GPU are taken too; otherwise it must be worth it. */
  readonly insist: boolean;
}

/** Context of a GPU with room: a question of 4,096 tokens with 32 candidates of which 900 are their own. */
export const GPU_CONTEXT = 32_768;
/** Tokens of one decode call: large ones fill a large GPU, small ones need a quarter of the buffers. */
const BATCHES = [2048, 512] as const;
/** Part of the free memory that is planned with: the driver's own needs and other programs change it meanwhile. */
const USABLE = 0.95;
/** Contexts and pipelines of the driver itself. */
const DRIVER_BYTES = 128 * 2 ** 20;
/** With fewer of its layers on the GPU than this a model is about as slow as on the CPU, and the desktop slower. */
const LEAST_SHARE = 0.25;
/** llama.cpp rounds the context to whole blocks of so many cells. */
const BLOCK = 256;
/** Bytes of the attention mask for a token of the batch and a cell: float32, and float16 for flash attention. */
const MASK_BYTES = 6;

/** Bytes of the weights in the parts of a model that can be in different places. */
export type WeightBytes = Pick<ModelSizes, "layerBytes" | "embeddingBytes" | "outputBytes">;

/** What the sizes follow from: the weights as they are in a file, or the format they will be written in. */
export type SizedModel = { readonly shape: Shape; readonly maxTokens: number } & (
  | { readonly weights: WeightBytes }
  | { readonly architecture: Architecture; readonly type: FileType }
);

/** @param cacheValueBytes bytes of one number in the KV cache: 2, or 4 in float32 */
export function modelSizes(model: SizedModel, cacheValueBytes = 2): ModelSizes {
  const { shape, maxTokens } = model;
  return {
    layers: shape.layers,
    // By the architecture: entries of the catalogue say something else under `weights`.
    ...("architecture" in model ? plannedBytes(model.architecture, shape, model.type) : model.weights),
    cacheBytes: 2 * shape.kvHeads * shape.headDim * cacheValueBytes,
    maxTokens,
    shape,
  };
}

function plannedBytes(architecture: Architecture, shape: Shape, type: FileType): WeightBytes {
  let layerBytes = 0;
  let embeddingBytes = 0;
  let normBytes = 0;
  for (const { name, shape: size } of backboneTensors(architecture, { ...shape, layers: 1 })) {
    const bytes = byteLength(tensorType(name, size, type), elements(size));
    if (name.startsWith("blk.")) layerBytes += bytes;
    else if (name === "token_embd.weight") embeddingBytes += bytes;
    else normBytes += bytes;
  }
  return { layerBytes, embeddingBytes, outputBytes: normBytes + embeddingBytes };
}

/** Context that a group of candidates shares well: the longest input, and as much again for what they do not share. */
export function usualContext(sizes: Pick<ModelSizes, "maxTokens">): number {
  return 2 * sizes.maxTokens;
}

/** Least context: the longest input, and a little for what one more candidate does not share. */
export function leastContext(sizes: Pick<ModelSizes, "maxTokens">): number {
  return sizes.maxTokens + 512;
}

/**
 * Where the model goes; undefined when too little of it fits on any GPU.
 * Preferred in this order: all on one GPU, all on several, as many layers as fit. The context shrinks before a layer
 * leaves the GPU, because a layer on the CPU slows every token.
 */
export function planPlacement(
  sizes: ModelSizes,
  gpus: readonly Gpu[],
  wish: PlacementWish,
): Placement | undefined {
  const byRoom = [...gpus].sort((a, b) => b.freeBytes - a.freeBytes);
  const [largest] = byRoom;
  if (largest === undefined) return undefined;
  return (
    planWhole(sizes, [largest], wish) ??
    (byRoom.length > 1 ? planWhole(sizes, byRoom, wish) : undefined) ??
    planPart(sizes, byRoom, wish)
  );
}

function planWhole(sizes: ModelSizes, gpus: readonly Gpu[], wish: PlacementWish): Placement | undefined {
  const weights = sizes.layers * sizes.layerBytes + sizes.outputBytes;
  const wanted = wish.contextTokens ?? Math.max(GPU_CONTEXT, usualContext(sizes));
  for (const batchTokens of BATCHES) {
    const fixed = weights + gpus.length * bufferBytes(sizes, batchTokens);
    const perToken = sizes.layers * sizes.cacheBytes + gpus.length * batchTokens * MASK_BYTES;
    const room = Math.floor((usable(gpus) - fixed) / perToken);
    // A small batch is better than a context in which candidates cannot share their question.
    const smallest = batchTokens === BATCHES.at(-1);
    const least = wish.contextTokens ?? (smallest ? leastContext(sizes) : usualContext(sizes));
    if (room < least) continue;
    const contextTokens = wholeBlocks(Math.min(wanted, room));
    return {
      devices: gpus.map(({ index }) => index),
      gpuLayers: sizes.layers,
      contextTokens,
      batchTokens,
      bytes: fixed + contextTokens * perToken,
    };
  }
  return undefined;
}

function planPart(sizes: ModelSizes, gpus: readonly Gpu[], wish: PlacementWish): Placement | undefined {
  const batchTokens = BATCHES[1];
  const contexts =
    wish.contextTokens === undefined ? [usualContext(sizes), leastContext(sizes)] : [wish.contextTokens];
  for (const context of contexts) {
    const contextTokens = wholeBlocks(context);
    const perLayer = sizes.layerBytes + contextTokens * sizes.cacheBytes;
    // A layer on the CPU comes over for large batches, with its keys and values: measured as one more layer.
    const buffers = bufferBytes(sizes, batchTokens) + contextTokens * batchTokens * MASK_BYTES + perLayer;
    const fixed = sizes.outputBytes + gpus.length * buffers;
    const room = Math.floor((usable(gpus) - fixed) / perLayer);
    const gpuLayers = Math.min(room, sizes.layers - 1);
    if (gpuLayers < (wish.insist ? 1 : Math.max(1, sizes.layers * LEAST_SHARE))) continue;
    return {
      devices: gpus.map(({ index }) => index),
      gpuLayers,
      contextTokens,
      batchTokens,
      bytes: fixed + gpuLayers * perLayer,
    };
  }
  return undefined;
}

/** Bytes that the layers off the GPU take of this machine's own memory, with the embedding. */
export function cpuBytes(sizes: ModelSizes, placement: Placement): number {
  const { gpuLayers, contextTokens, batchTokens } = placement;
  const layers = sizes.layers - gpuLayers;
  // Beside a GPU, llama.cpp keeps room for attention without flash attention on the CPU: 310 MiB with 0.6B.
  const scores = layers > 0 ? 4 * sizes.shape.heads * batchTokens * contextTokens : 0;
  return (
    sizes.embeddingBytes +
    layers * (sizes.layerBytes + contextTokens * sizes.cacheBytes) +
    bufferBytes(sizes, batchTokens) +
    scores
  );
}

/**
 * Compute buffers on one device, without the mask: the widest activations of a batch (gate, up and their product in
 * the feed-forward part, or queries, keys and values; and the hidden state twice) in float32, and the logits. With the
 * mask that is half as much again as Vulkan took for 0.6B: 65 for 34 MiB (batches of 512), 202 for 136 (2,048).
 */
function bufferBytes({ shape }: ModelSizes, batchTokens: number): number {
  const attention = (2 * shape.heads + 2 * shape.kvHeads) * shape.headDim;
  const widest = Math.max(3 * shape.feedForward, attention) + 2 * shape.hidden;
  return 4 * (batchTokens * widest + OUTPUT_ROWS * shape.vocabulary);
}

function usable(gpus: readonly Gpu[]): number {
  return gpus.reduce((sum, { freeBytes }) => sum + Math.max(0, USABLE * freeBytes - DRIVER_BYTES), 0);
}

function wholeBlocks(tokens: number): number {
  return Math.max(BLOCK, Math.floor(tokens / BLOCK) * BLOCK);
}
