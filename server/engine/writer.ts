/** What the rest of the server knows of an engine that writes: N samples from one reading of a prompt. */
import type { Priority } from "../../shared/contract.ts";
import type { LanguageTokenizer, Tokens } from "./engine.ts";
import type { Sampling } from "./sampling/distribution.ts";

export interface SampleRequest {
  readonly prompt: Tokens;
  /** Samples wanted, at least one. */
  readonly count: number;
  /** Most tokens of a sample. */
  readonly maxTokens: number;
  readonly sampling: Sampling;
  /** The same seed, request and device give the same samples. */
  readonly seed: number;
  /** A sample ends before the first of these texts. */
  readonly stops: readonly string[];
  readonly priority: Priority;
  /** Aborting ends the work before the next step; `sample` then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** After so many milliseconds what is unfinished ends as it is. */
  readonly budgetMs?: number | undefined;
  /**
   * Asked every few tokens: after how many UTF-16 units each text is complete; undefined: not yet.
   * The answer may depend on the text alone, or samples would not be the same again.
   */
  readonly completeAt?: ((texts: readonly string[]) => Promise<readonly (number | undefined)[]>) | undefined;
  /** Told of each sample as it ends. */
  readonly onSample?: ((sample: Sample) => void) | undefined;
}

/** Why a sample ended: by itself or at a stop text, because its text was complete, or at a limit of tokens or time. */
export type Finish = "stop" | "syntax" | "length";

export interface Sample {
  /** From 0 on; each has a stream of random numbers of its own. */
  readonly index: number;
  readonly text: string;
  readonly tokens: number;
  /** Sum of the natural logarithms of the tokens' probabilities under the model itself. */
  readonly logprob: number;
  readonly finish: Finish;
}

export interface Samples {
  /** In the order of their indexes. */
  readonly samples: readonly Sample[];
  /** Tokens of the prompt that were in the cache already. */
  readonly cachedTokens: number;
  readonly decodeCalls: number;
  readonly promptMs: number;
  readonly sampleMs: number;
}

/** A language model in memory with a context for writing. */
export interface Writer {
  /** Where it runs, as a person would say it. */
  readonly device: string;
  /** Tokens that prompt and samples may have together. */
  readonly contextTokens: number;
  readonly tokenizer: LanguageTokenizer;
  /**
   * Samples that differ from each other, wherever the model gives a chance to so many.
   * Rejects with ServiceError `invalid_request`, `too_long`, `too_busy`, `engine_failed`.
   */
  sample(request: SampleRequest): Promise<Samples>;
  close(): Promise<void>;
}
