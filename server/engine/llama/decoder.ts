/** Rewards of token sequences on one native context: groups that fit are planned as a trie, decoded, and judged by the head. */
import { ServiceError } from "../../errors.ts";
import type { Tokens } from "../engine.ts";
import { type EngineModel, type EngineSettings, GROUP_MEMBERS } from "../settings.ts";
import { commonPrefix, planGroup, type TrieToken } from "../trie.ts";
import { Batch } from "./batch.ts";
import { type Bindings, lastError } from "./bindings.ts";
import { KvCache } from "./kv-cache.ts";
import type { Pointer } from "./layouts.ts";

/** New tokens of a group: bounds the work lost when a group is interrupted for good. */
const GROUP_TOKENS = 4096;
/** Cells never planned for: a strict prefix of another sequence takes one cell more than the trie has nodes. */
const SPARE_CELLS = GROUP_MEMBERS;

/** Who asked for the work, told of its steps. */
export interface Steps {
  /** Called before each decode call; what it throws ends the group. What was decoded stays in the KV cache. */
  before(): void;
  /** Called after each decode call with the number of its tokens. */
  decoded(tokens: number): void;
}

export class Decoder {
  /** Cells that sequences may take, and so the longest one, in tokens. */
  readonly capacity: number;
  readonly #bindings: Bindings;
  readonly #context: Pointer;
  readonly #head: Float32Array;
  readonly #bias: number;
  readonly #batch: Batch;
  readonly #kv: KvCache;

  constructor(bindings: Bindings, context: Pointer, model: EngineModel, settings: EngineSettings) {
    this.#bindings = bindings;
    this.#context = context;
    this.#head = model.head;
    this.#bias = model.bias;
    this.capacity = bindings.contextSize(context) - SPARE_CELLS;
    this.#batch = new Batch(Math.min(settings.batchTokens, settings.contextTokens));
    const memory = bindings.memory(context);
    this.#kv = new KvCache(
      {
        clear: () => bindings.clearMemory(memory),
        copySequence: (source, target, length) => bindings.copySequence(memory, source, target, 0, length),
        removeSequence: (sequence) => bindings.removeSequence(memory, sequence),
      },
      this.capacity,
    );
  }

  /** Keeps at most so many cells, of what was used last. */
  trim(cells: number): void {
    this.#kv.trim(cells);
  }

  forget(): void {
    this.#kv.clear();
  }

  /**
   * Scores as many sequences as fit together, from the first one on.
   * @param pending at least one; distinct, non-empty, in canonical order, of at most `capacity` tokens, with ids of
   *   the vocabulary: anything else could end the process
   * @returns rewards of the first sequences, at least of one
   * @throws ServiceError engine_failed, and whatever `steps` throws
   */
  async score(pending: readonly Tokens[], steps: Steps): Promise<number[]> {
    const group = this.#chooseGroup(pending);
    const slots = this.#kv.allocate(group);
    // What fits the capacity fits an empty cache: #chooseGroup counted the same nodes.
    if (!slots) throw new ServiceError("too_long", "An input does not fit the context. Shorten it.");
    const ids = slots.map((slot) => slot.id);
    const held = slots.map((slot) => slot.resident);
    try {
      const plan = planGroup(group, held);
      for (let start = 0; start < plan.inner.length; start += this.#batch.capacity) {
        const part = plan.inner.slice(start, start + this.#batch.capacity);
        await this.#decode(part, ids, false, steps);
        for (const token of part) for (const member of token.members) held[member] = token.position + 1;
      }
      const rewards = await this.#decodeLast(plan.last, ids, steps);
      group.forEach((tokens, index) => {
        held[index] = tokens.length;
      });
      return rewards;
    } finally {
      slots.forEach((slot, index) => {
        const tokens = group[index];
        if (tokens) this.#kv.hold(slot, tokens.subarray(0, held[index]));
      });
      this.#kv.compact();
    }
  }

  /** Neighbours in canonical order share most: take them in order while they fit. */
  #chooseGroup(pending: readonly Tokens[]): Tokens[] {
    const chosen: Tokens[] = [];
    let nodes = 0;
    for (const tokens of pending) {
      const previous = chosen.at(-1);
      nodes += tokens.length - (previous ? commonPrefix(previous, tokens) : 0);
      if (previous && nodes > Math.min(GROUP_TOKENS, this.capacity)) break;
      chosen.push(tokens);
      if (chosen.length === GROUP_MEMBERS) break;
    }
    return chosen;
  }

  async #decodeLast(last: readonly TrieToken[], ids: readonly number[], steps: Steps): Promise<number[]> {
    const rewards: number[] = [];
    // With embeddings on, every token of a call is an output: only the last tokens may be in it.
    this.#bindings.setEmbeddings(this.#context, true);
    try {
      for (let start = 0; start < last.length; start += this.#batch.capacity) {
        const part = last.slice(start, start + this.#batch.capacity);
        await this.#decode(part, ids, true, steps);
        for (const index of part.keys()) rewards.push(this.#reward(index));
      }
    } finally {
      this.#bindings.setEmbeddings(this.#context, false);
    }
    return rewards;
  }

  async #decode(
    tokens: readonly TrieToken[],
    ids: readonly number[],
    output: boolean,
    steps: Steps,
  ): Promise<void> {
    steps.before();
    const status = await this.#bindings.decodeAsync(this.#context, this.#batch.fill(tokens, ids, output));
    if (status !== 0) {
      // The native cache may hold part of the batch: forget both sides rather than guess.
      this.#kv.clear();
      throw new ServiceError(
        "engine_failed",
        `The engine failed to decode (status ${status}): ${lastError(this.#bindings)}`,
      );
    }
    steps.decoded(tokens.length);
  }

  /** Head applied to the hidden state of an output, in float64. */
  #reward(output: number): number {
    const hidden = this.#bindings.embedding(this.#context, output, this.#head.length);
    let reward = this.#bias;
    for (let index = 0; index < hidden.length; index++)
      reward += (hidden[index] ?? 0) * (this.#head[index] ?? 0);
    if (!Number.isFinite(reward)) {
      throw new ServiceError(
        "engine_failed",
        "The model gave a reward that is not a number. Its file is damaged or its type too coarse.",
      );
    }
    return reward;
  }
}
