/**
 * Rewards by token ids, least recently used first out. Quantised models give slightly different rewards in
 * different batches; reusing the first answer makes a reward independent of later company (contract.md).
 */
import { createHash } from "node:crypto";
import type { Tokens } from "./engine.ts";

/** 65,536 rewards with their hashes take about 12 MB; one RL step is 2,048. */
const CAPACITY = 65_536;

/** What a request asks for: the key of each sequence, the rewards that are known, and each unknown sequence once. */
export interface Lookup {
  readonly keys: readonly string[];
  readonly rewards: Map<string, number>;
  readonly pending: Map<string, Tokens>;
}

export class RewardCache {
  readonly #rewards = new Map<string, number>();

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
    const reward = this.#rewards.get(key);
    if (reward === undefined) return undefined;
    this.#rewards.delete(key);
    this.#rewards.set(key, reward);
    return reward;
  }

  set(key: string, reward: number): void {
    this.#rewards.set(key, reward);
    if (this.#rewards.size <= CAPACITY) return;
    const oldest = this.#rewards.keys().next();
    if (!oldest.done) this.#rewards.delete(oldest.value);
  }

  clear(): void {
    this.#rewards.clear();
  }
}
