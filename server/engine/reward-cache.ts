/**
 * Rewards by token ids; what was not used for longest goes first. Quantised models give slightly different rewards in
 * different batches; reusing the first answer makes a reward independent of later company.
 */
import { createHash } from "node:crypto";
import type { Tokens } from "./engine.ts";

/**
 * So many rewards that were used last are kept for certain, and at most twice as many, which take about 12 MB with
 * their hashes; one RL step is 2,048. Two generations, the older one dropped as a whole: a single Map that gives up its
 * first entry again and again has to step over all that were there before (40 µs for each reward were measured).
 */
export const GENERATION = 32_768;

/** What a request asks for: the key of each sequence, the rewards that are known, and each unknown sequence once. */
export interface Lookup {
  readonly keys: readonly string[];
  readonly rewards: Map<string, number>;
  readonly pending: Map<string, Tokens>;
}

export class RewardCache {
  #recent = new Map<string, number>();
  #older = new Map<string, number>();

  /** Entries in memory; a reward that was used again may be in both generations. */
  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  /** Key of a sequence; equal for equal token ids. */
  static #key(tokens: Tokens): string {
    return createHash("sha256")
      .update(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength))
      .digest("base64");
  }

  /** Parts the sequences of a request into those with a kept reward and those to score. */
  lookUp(sequences: readonly Tokens[]): Lookup {
    const keys = sequences.map((tokens) => RewardCache.#key(tokens));
    const rewards = new Map<string, number>();
    const pending = new Map<string, Tokens>();
    for (const [index, tokens] of sequences.entries()) {
      const key = keys[index] ?? "";
      const known = this.get(key);
      if (known === undefined) pending.set(key, tokens);
      else rewards.set(key, known);
    }
    return { keys, rewards, pending };
  }

  get(key: string): number | undefined {
    const reward = this.#recent.get(key);
    if (reward !== undefined) return reward;
    const older = this.#older.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, reward: number): void {
    this.#recent.set(key, reward);
    if (this.#recent.size < GENERATION) return;
    this.#older = this.#recent;
    this.#recent = new Map();
  }

  clear(): void {
    this.#recent.clear();
    this.#older.clear();
  }
}
