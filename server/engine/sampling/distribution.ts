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

interface Weighted {
  readonly token: number;
  /** Probability at the temperature, of all tokens. */
  readonly probability: number;
}

/**
 * Tokens are looked at down to e^-6 of the likeliest one's probability, then e^-12, and so on: sorting a whole vocabulary
 * would take longer than decoding a token.
 */
const DEPTH_STEP = 6;
const DEEPEST = 90;

/** The distribution at one position, for all samples that have the same text so far. */
export class Distribution {
  readonly #row: LogitRow;
  readonly #sampling: Sampling;
  readonly #best: number;
  readonly #logSum: number;
  /** The same at the temperature. */
  readonly #sharpLogSum: number;
  #depth = 0;
  /** Likeliest first. */
  #known: readonly Weighted[] = [];

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
    if (this.#sampling.temperature === 0) {
      const token = this.#likeliest(banned);
      return this.#drawn(token, banned.size === 0 ? 1 : 0);
    }
    const { allowed, mass, whole } = this.#allowed(banned);
    if (allowed.length === 0) return this.#drawn(this.#likeliest(banned), 0);
    let left = random * mass;
    let last = allowed[0];
    for (const one of allowed) {
      last = one;
      left -= one.probability;
      if (left < 0) break;
    }
    // What is not known yet lies beyond: as deep as the number wants.
    if (left >= 0 && this.#open && this.#deepen()) return this.draw(random, banned);
    return this.#drawn(last?.token ?? 0, (last?.probability ?? 0) / whole);
  }

  /** Whether every token may be drawn. */
  get #open(): boolean {
    return this.#sampling.topP >= 1 && this.#sampling.minP <= 0;
  }

  /** What may be drawn, as far as it is known; its probability in all, and that with what is banned. */
  #allowed(banned: ReadonlySet<number>): {
    readonly allowed: readonly Weighted[];
    readonly mass: number;
    readonly whole: number;
  } {
    if (this.#depth === 0) this.#deepen();
    const nucleus = this.#open ? this.#known : this.#nucleus();
    const allowed = banned.size === 0 ? nucleus : nucleus.filter(({ token }) => !banned.has(token));
    if (!this.#open) return { allowed, mass: total(allowed), whole: total(nucleus) };
    let mass = 1;
    for (const token of banned) mass -= this.#probability(token);
    return { allowed, mass: Math.max(mass, total(allowed)), whole: 1 };
  }

  #nucleus(): readonly Weighted[] {
    const { topP, minP } = this.#sampling;
    // What is less likely than that by a factor of 1 ÷ minP need not be known.
    const deepest = minP > 0 ? -Math.log(minP) : Number.POSITIVE_INFINITY;
    while (total(this.#known) < topP && this.#depth < deepest && this.#deepen()) {}
    const least = (this.#known[0]?.probability ?? 0) * minP;
    let mass = 0;
    let count = 0;
    for (const { probability } of this.#known) {
      if (count > 0 && (mass >= topP || probability < least)) break;
      mass += probability;
      count++;
    }
    return this.#known.slice(0, count);
  }

  /** Looks at less likely tokens too; false when there are none. */
  #deepen(): boolean {
    if (this.#depth >= DEEPEST) return false;
    this.#depth += DEPTH_STEP;
    const { temperature } = this.#sampling;
    const limit = this.#depth >= DEEPEST ? Number.NEGATIVE_INFINITY : this.#best - this.#depth * temperature;
    const { values } = this.#row;
    this.#known = Array.from(this.#row.above(limit))
      .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b)
      .map((token) => ({ token, probability: this.#probability(token) }));
    return true;
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

function total(weighted: readonly Weighted[]): number {
  return weighted.reduce((sum, { probability }) => sum + probability, 0);
}
