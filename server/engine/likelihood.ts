/** What a language model gives each token of a text: values, and the memory of those that were computed. Pure. */
import type { Tokens } from "./engine.ts";
import { Generations } from "./generations.ts";

/** Tokens [from, to) of a sequence; the first one of all has nothing before it, so `from` is at least 1. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** One value a token of a span, in order. */
export interface Likelihood {
  /** Natural logarithm of the token's probability after all tokens before it. */
  readonly logprobs: Float32Array;
  /** The same less that of the likeliest token there: 0 where the model would have written this one. */
  readonly gaps: Float32Array;
}

/** What is known of one token: its log-probability, and how far it is behind the likeliest. */
interface Known {
  readonly logprob: number;
  readonly gap: number;
}

/** Values that are kept for certain; twice as many take about 20 MB. */
const GENERATION = 65_536;

/**
 * Values by the text up to their token, so that a token that candidates share is computed once, whoever sends them and
 * when. Texts are known by a hash of 53 bits: two of a million differ in it with a chance of one in ten thousand.
 */
export class LikelihoodMemory extends Generations<number, Known> {
  constructor() {
    super(GENERATION);
  }
}

/** The values of one span while they are being found: from memory first, then from the model. */
export class PendingLikelihood {
  readonly span: Span;
  readonly logprobs: Float32Array;
  readonly gaps: Float32Array;
  readonly #keys: Float64Array;
  readonly #memory: LikelihoodMemory;

  /** @param span within the sequence, from 1 on */
  constructor(tokens: Tokens, span: Span, memory: LikelihoodMemory) {
    const length = span.to - span.from;
    this.span = span;
    this.#keys = prefixKeys(tokens, span);
    this.#memory = memory;
    this.logprobs = new Float32Array(length).fill(Number.NaN);
    this.gaps = new Float32Array(length).fill(Number.NaN);
    this.recall();
  }

  /** Takes what the memory has: another request may have found it. */
  recall(): void {
    this.#keys.forEach((key, index) => {
      const known = Number.isNaN(this.logprobs[index]) ? this.#memory.get(key) : undefined;
      if (known) this.#put(index, known);
    });
  }

  /** Whether the value of the token at this place of the sequence is still wanted. */
  wants(position: number): boolean {
    const index = position - this.span.from;
    return index >= 0 && index < this.logprobs.length && Number.isNaN(this.logprobs[index]);
  }

  /** Place, in the sequence, of the first token without a value; undefined when all have one. */
  get firstUnknown(): number | undefined {
    const index = this.logprobs.findIndex(Number.isNaN);
    return index === -1 ? undefined : this.span.from + index;
  }

  /** Gives the token at a place of the sequence its value. */
  give(position: number, known: Known): void {
    const index = position - this.span.from;
    this.#put(index, known);
    this.#memory.set(this.#keys[index] ?? Number.NaN, known);
  }

  /** The values of a part of the span. */
  part({ from, to }: Span): Likelihood {
    const [start, end] = [from - this.span.from, to - this.span.from];
    return { logprobs: this.logprobs.subarray(start, end), gaps: this.gaps.subarray(start, end) };
  }

  #put(index: number, { logprob, gap }: Known): void {
    this.logprobs[index] = logprob;
    this.gaps[index] = gap;
  }
}

/**
 * What is known of spans, by the keys of their sequences; where one is asked for twice, of both spans together.
 * @param keys of the sequences: equal for equal ones
 * @param spans of the sequences, in their order
 */
export function lookUpLikelihoods(
  sequences: readonly Tokens[],
  keys: readonly string[],
  spans: readonly Span[],
  memory: LikelihoodMemory,
): Map<string, PendingLikelihood> {
  const widest = new Map<string, { readonly tokens: Tokens; readonly span: Span }>();
  for (const [index, { from, to }] of spans.entries()) {
    const key = keys[index] ?? "";
    const known = widest.get(key)?.span;
    const span = known ? { from: Math.min(from, known.from), to: Math.max(to, known.to) } : { from, to };
    widest.set(key, { tokens: sequences[index] ?? new Int32Array(), span });
  }
  return new Map(
    [...widest].map(([key, { tokens, span }]) => [key, new PendingLikelihood(tokens, span, memory)]),
  );
}

/** For each token of the span a key of the sequence up to it, itself included. */
function prefixKeys(tokens: Tokens, { from, to }: Span): Float64Array {
  const keys = new Float64Array(to - from);
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (let index = 0; index < to; index++) {
    const token = tokens[index] ?? 0;
    high = Math.imul(high ^ token, 0x01000193) ^ (high >>> 15);
    low = Math.imul(low ^ (token + index), 0x5bd1e995) ^ (low >>> 13);
    if (index >= from) keys[index - from] = (high >>> 0) * 2 ** 21 + (low >>> 11);
  }
  return keys;
}
