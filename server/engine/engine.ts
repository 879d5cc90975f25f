/** What the rest of the server knows of an inference engine. */
import type { Priority } from "../../shared/contract.ts";
import type { Likelihood, Span } from "./likelihood.ts";

/** Token ids of one rendered input. */
export type Tokens = Int32Array;

export interface ScoreOptions {
  readonly priority: Priority;
  /** Aborting stops the work before the next batch; `score` then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Told how long the work waited for its first turn, in milliseconds; not called where nothing had to be done. */
  readonly waited?: ((ms: number) => void) | undefined;
  /** For each sequence the tokens whose log-probabilities are wanted; left out: none. */
  readonly spans?: readonly Span[];
}

export interface Scores {
  /** Raw logits, one per sequence, in the order given; empty for a model without a reward head. */
  readonly rewards: Float64Array;
  /** The same for the spans that were asked for; empty where none were. */
  readonly likelihoods: readonly Likelihood[];
  /** Tokens handed to the decode call for this request, counted there. */
  readonly decodedTokens: number;
}

/** A model loaded into memory with one context: a reward model, or a language model that judges by likelihood. */
export interface Engine {
  /** Where it runs, as a person would say it. */
  readonly device: string;
  /** Longest single sequence that fits, in tokens. */
  readonly maxSequence: number;
  readonly tokenizer: Tokenizer;
  /**
   * Rewards and likelihoods of token sequences, both in one pass. Rejects with ServiceError `invalid_request`,
   * `too_long`, `too_busy`, `engine_failed`.
   */
  score(sequences: readonly Tokens[], options: ScoreOptions): Promise<Scores>;
  /** Waits for the running batch, then frees model and context. */
  close(): Promise<void>;
}

/** The model's tokenizer. Neither way of encoding adds BOS or EOS. */
export interface Tokenizer {
  /** Ordinary text: control tokens written in it come back as the pieces of their spelling. */
  encode(text: string): Tokens;
  /** Already rendered text: every added token spelled in it becomes that one token. */
  encodeRendered(text: string): Tokens;
  /** All added tokens (control tokens and the like): spelling → id. */
  readonly added: ReadonlyMap<string, number>;
}

/** What judging by likelihood, and writing, need beside that. */
export interface LanguageTokenizer extends Tokenizer {
  /** The bytes of a token; of a control token its spelling. */
  bytesOf(token: number): Uint8Array;
  /** What a text of its own begins with, where the model was trained so. */
  readonly start: number | undefined;
  /** With what the model fills in between two texts; undefined for one that does not. */
  readonly fillIn: FillInTokens | undefined;
}

/** Ids of control tokens of a model that fills in. */
export interface FillInTokens {
  /** Stands before the text before the gap, */
  readonly prefix: number;
  /** before the text after it, */
  readonly suffix: number;
  /** and before what goes between. */
  readonly middle: number;
  /** Stands before a repository's name. */
  readonly repository: number | undefined;
  /** Stands before the path of another file. */
  readonly file: number | undefined;
}
