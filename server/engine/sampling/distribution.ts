/** From the logits of a position to the next token. Pure. */
import type { LogitRow } from "../logit-row.ts";

/** How tokens are drawn. */
export interface Sampling {
  /** Logits are divided by it; 0: always the likeliest token. */
  readonly temperature: number;
  /** Only the likeliest tokens that together have at least this probability, at this temperature. */
  readonly topP: number;
  /** Only tokens with at least this share of the likeliest one's probability, at this temperature. */
  readonly minP: number;
}

export interface Drawn {
  readonly token: number;
  /** Natural logarithm of the probability that the model itself gives it: at temperature 1, of all tokens. */
  readonly logprob: number;
  /** Probability with which it is drawn where nothing is banned. */
  readonly share: number;
}

/** Likeliest first: tokens, their probabilities at the temperature among all tokens, and what those are together. */
interface Sorted {
  readonly tokens: Int32Array;
  readonly probabilities: Float64Array;
  readonly mass: number;
}

/**
 * Tokens are looked at down to e^-3 of the likeliest one's probability, then e^-6, e^-12 and so on: sorting a whole
 * vocabulary would take longer than decoding a token.
 */
const FIRST_DEPTH = 3;
const DEEPEST = 90;
/** More tokens than any vocabulary has: a token and its rank go into one number. */
const TOKENS = 2 ** 20;

const NOTHING: Sorted = { tokens: new Int32Array(), probabilities: new Float64Array(), mass: 0 };

/** The distribution at one position, for all samples that have the same text so far. */
export class Distribution {
  readonly #row: LogitRow;
  readonly #sampling: Sampling;
  readonly #best: number;
  readonly #logSum: number;
  /** The same at the temperature. */
  readonly #sharpLogSum: number;
  #depth = 0;
  #known = NOTHING;

  /** @param row with the logits of the position; they must not change while this is in use */
  constructor(row: LogitRow, sampling: Sampling) {
    this.#row = row;
    this.#sampling = sampling;
    this.#best = row.max();
    this.#logSum = row.logSum(this.#best);
    const { temperature } = sampling;
    this.#sharpLogSum =
      temperature === 0 || temperature === 1 ? this.#logSum : row.logSum(this.#best, temperature);
  }

  /** Whether the logits are numbers at all. */
  get valid(): boolean {
    return Number.isFinite(this.#logSum) && Number.isFinite(this.#sharpLogSum);
  }

  /**
   * Draws a token.
   * @param random a number from 0 to 1, exclusive
   * @param banned tokens that may not be drawn; where only they would be left, the likeliest other token is
   */
  draw(random: number, banned: ReadonlySet<number>): Drawn {
    if (this.#sampling.temperature === 0)
      return this.#drawn(this.#likeliest(banned), banned.size === 0 ? 1 : 0);
    if (this.#depth === 0) this.#deepen();
    const count = this.#open ? undefined : this.#nucleus();
    let whole = 1;
    if (count !== undefined) whole = sum(this.#known.probabilities, count);
    let mass = whole;
    for (const token of banned) {
      if (count === undefined || this.#known.tokens.subarray(0, count).includes(token))
        mass -= this.#probability(token);
    }
    for (;;) {
      const { tokens, probabilities } = this.#known;
      let left = random * mass;
      let last: number | undefined;
      for (let index = 0; index < (count ?? tokens.length); index++) {
        const token = tokens[index] ?? 0;
        if (banned.has(token)) continue;
        last = token;
        left -= probabilities[index] ?? 0;
        if (left < 0) return this.#drawn(token, (probabilities[index] ?? 0) / whole);
      }
      // What is not known yet lies beyond: as deep as the number wants.
      if (count === undefined && this.#deepen()) continue;
      // Nothing is left, or so little that rounding hides it.
      if (last === undefined) return this.#drawn(this.#likeliest(banned), 0);
      return this.#drawn(last, this.#probability(last) / whole);
    }
  }

  /** Whether every token may be drawn. */
  get #open(): boolean {
    return this.#sampling.topP >= 1 && this.#sampling.minP <= 0;
  }

  /** How many of the likeliest tokens may be drawn. */
  #nucleus(): number {
    const { topP, minP } = this.#sampling;
    // What is less likely than that by a factor of 1 ÷ minP need not be known.
    const deepest = minP > 0 ? -Math.log(minP) : Number.POSITIVE_INFINITY;
    while (this.#known.mass < topP && this.#depth < deepest && this.#deepen()) {}
    const { probabilities } = this.#known;
    const least = (probabilities[0] ?? 0) * minP;
    let mass = 0;
    let count = 0;
    for (const probability of probabilities) {
      if (count > 0 && (mass >= topP || probability < least)) break;
      mass += probability;
      count++;
    }
    return count;
  }

  /** Looks at less likely tokens too; false when there are none. */
  #deepen(): boolean {
    if (this.#depth >= DEEPEST) return false;
    this.#depth = this.#depth === 0 ? FIRST_DEPTH : 2 * this.#depth;
    const { temperature } = this.#sampling;
    const limit = this.#depth >= DEEPEST ? Number.NEGATIVE_INFINITY : this.#best - this.#depth * temperature;
    const tokens = this.#byLikelihood(this.#row.above(limit));
    const probabilities = Float64Array.from(tokens, (token) => this.#probability(token));
    this.#known = { tokens, probabilities, mass: sum(probabilities, probabilities.length) };
    return true;
  }

  /** Likeliest first, equally likely ones by their id. */
  #byLikelihood(tokens: Int32Array): Int32Array {
    const distance = new Float32Array(1);
    const bits = new Uint32Array(distance.buffer);
    // The bits of numbers that are not negative are ordered as the numbers are: sorted without a comparison in JavaScript.
    const keys = Float64Array.from(tokens, (token) => {
      distance[0] = this.#best - (this.#row.values[token] ?? 0);
      return (bits[0] ?? 0) * TOKENS + token;
    }).sort();
    return Int32Array.from(keys, (key) => key % TOKENS);
  }

  #likeliest(banned: ReadonlySet<number>): number {
    let best = -1;
    const { values } = this.#row;
    if (banned.size === 0) return this.#row.above(this.#best)[0] ?? 0;
    values.forEach((logit, token) => {
      if (!banned.has(token) && (best === -1 || logit > (values[best] ?? 0))) best = token;
    });
    return best;
  }

  #probability(token: number): number {
    const { temperature } = this.#sampling;
    return Math.exp((this.#row.values[token] ?? Number.NaN) / temperature - this.#sharpLogSum);
  }

  #drawn(token: number, share: number): Drawn {
    return { token, logprob: (this.#row.values[token] ?? Number.NaN) - this.#logSum, share };
  }
}

function sum(values: Float64Array, count: number): number {
  let total = 0;
  for (let index = 0; index < count; index++) total += values[index] ?? 0;
  return total;
}
