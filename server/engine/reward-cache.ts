/**
 * Rewards by token ids; what was not used for longest goes first. Quantised models give slightly different rewards in
 * different batches; reusing the first answer makes a reward independent of later company.
 */
import { createHash } from "node:crypto";
import type { Tokens } from "./engine.ts";
import { Generations } from "./generations.ts";

/** Rewards that are kept for certain; twice as many take about 12 MB with their hashes. One RL step is 2,048. */
export const GENERATION = 32_768;

/** What a request asks for: the key of each sequence, the rewards that are known, and each unknown sequence once. */
export interface Lookup {
  readonly keys: readonly string[];
  readonly rewards: Map<string, number>;
  readonly pending: Map<string, Tokens>;
}

export class RewardCache extends Generations<string, number> {
  constructor() {
    super(GENERATION);
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
}
