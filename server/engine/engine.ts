/** What the rest of the server knows of an inference engine. Implemented by llama.ts. */
import type { Priority } from "../../shared/contract.ts";

/** Token ids of one rendered input. */
export type Tokens = Int32Array;

export interface ScoreOptions {
  readonly priority: Priority;
  /** Aborting stops the work before the next batch; `score` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface Scores {
  /** Raw logits, one per sequence, in the order given. */
  readonly rewards: Float64Array;
  /** Tokens handed to the decode call for this request, counted there. */
  readonly decodedTokens: number;
}

/** A reward model loaded into memory with one context. */
export interface Engine {
  /** Where it runs, as a person would say it. */
  readonly device: string;
  /** Longest single sequence that fits, in tokens. */
  readonly maxSequence: number;
  readonly tokenizer: Tokenizer;
  /** Rewards of token sequences. Rejects with ServiceError `invalid_request`, `too_long`, `too_busy`, `engine_failed`. */
  score(sequences: readonly Tokens[], options: ScoreOptions): Promise<Scores>;
  /** Waits for the running batch, then frees model and context. */
  close(): Promise<void>;
}

/** Byte-level BPE of the model. Neither method adds BOS or EOS. */
export interface Tokenizer {
  /** Ordinary text: control tokens written in it come back as the pieces of their spelling. */
  encode(text: string): Tokens;
  /** Already rendered text: every added token spelled in it becomes that one token. */
  encodeRendered(text: string): Tokens;
  /** All added tokens (control tokens and the like): spelling → id. */
  readonly added: ReadonlyMap<string, number>;
}
