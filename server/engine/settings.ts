/** What an engine is made from: facts of the model file, and how it is to run. */
import type { Turns } from "./turns.ts";

/** What the engine needs to know of a model file. */
export interface EngineModel {
  readonly path: string;
  /** Weights of the reward head: float32 [hidden]; a plain language model has none. */
  readonly head?: Float32Array | undefined;
  readonly bias?: number | undefined;
  /** Spelling → id of all added tokens. */
  readonly addedTokens: ReadonlyMap<string, number>;
}

/** A part of the model on GPUs. */
export interface GpuShare {
  /** Places in the backend's list of devices; layers are spread over them by their free memory. */
  readonly devices: readonly number[];
  /** Layers, beside the output, that are there. */
  readonly layers: number;
  /** What people call them. */
  readonly name: string;
}

export interface EngineSettings {
  /** Where layers go beside the CPU; undefined: everything on the CPU. */
  readonly gpu?: GpuShare | undefined;
  readonly threads: number;
  /** Cells of the KV cache, in tokens: what one group of candidates with its question may take. */
  readonly contextTokens: number;
  /** Cells kept for later requests. Attention reads every used cell, so on a CPU more slows new requests. */
  readonly retainedTokens: number;
  /** Tokens per decode call. */
  readonly batchTokens: number;
  /** `exact` = float32 KV cache without flash attention, to compare with other implementations. */
  readonly precision: "fast" | "exact";
  /** Shared by all that compute on this machine; left out: nobody else does. */
  readonly turns?: Turns | undefined;
  /** Called before the engine begins to compute; what it gives is called when there is nothing left to do. */
  readonly watched?: (() => Promise<() => void>) | undefined;
}

/** Most rows of logits of one decode call: with a vocabulary of 152,000 they take 39 MB, and as much for computing. */
export const OUTPUT_ROWS = 64;

/**
 * Members of a group: enough to fill batches, few enough that their ids and their sources' fit in a context.
 * llama.cpp keeps a row of logits for each possible output (0.6 MB each with Qwen3's vocabulary).
 */
export const GROUP_MEMBERS = 32;
