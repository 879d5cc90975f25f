/**
 * Rewards and likelihoods of token sequences on one native context: groups that fit are planned as a trie and decoded;
 * the head judges the hidden states of last tokens, and log-probabilities are read off the logits.
 */

import type { Priority } from "../../../shared/contract.ts";
import { createPacer } from "../../../shared/threads/step.ts";
import { ServiceError } from "../../errors.ts";
import type { Tokens } from "../engine.ts";
import type { PendingLikelihood } from "../likelihood.ts";
import { LogitRow } from "../logit-row.ts";
import { type EngineModel, type EngineSettings, GROUP_MEMBERS, OUTPUT_ROWS } from "../settings.ts";
import { commonPrefix, planGroup, type TrieToken } from "../trie.ts";
import { Turns } from "../turns.ts";
import { Batch } from "./batch.ts";
import { type Bindings, lastError } from "./bindings.ts";
import { KvCache } from "./kv-cache.ts";
import type { Pointer } from "./layouts.ts";

/** New tokens of a group: bounds the work lost when a group is interrupted for good. */
const GROUP_TOKENS = 4096;
/** Cells never planned for: a token that is decoded anew takes one cell more than the trie has nodes. */
const SPARE_CELLS = GROUP_MEMBERS;

/** A sequence and what is wanted of it. */
export interface Wanted {
  readonly tokens: Tokens;
  readonly reward: boolean;
  /** Filled in as values are found; what it has already is not computed again. */
  readonly likelihood: PendingLikelihood | undefined;
}

/** Who asked for the work, told of its steps. */
export interface Steps {
  readonly priority: Priority;
  /** Called before each decode call; what it throws ends the group. What was decoded stays in the KV cache. */
  before(): void;
  /** Called after each decode call with the number of its tokens. */
  decoded(tokens: number): void;
}

/** Values of one group while it is decoded. */
interface Group {
  readonly wanted: readonly Wanted[];
  /** Sequence id of each member. */
  readonly ids: readonly number[];
  readonly steps: Steps;
}

export class Decoder {
  /** Cells that sequences may take, and so the longest one, in tokens. */
  readonly capacity: number;
  readonly #bindings: Bindings;
  readonly #context: Pointer;
  readonly #head: Float32Array;
  readonly #bias: number;
  readonly #vocabulary: number;
  readonly #outputRows: number;
  #row: LogitRow | undefined;
  readonly #turns: Turns;
  readonly #batch: Batch;
  readonly #kv: KvCache;

  /** @param vocabulary number of its tokens */
  constructor(
    bindings: Bindings,
    context: Pointer,
    model: Pick<EngineModel, "head" | "bias">,
    settings: EngineSettings,
    vocabulary: number,
  ) {
    this.#bindings = bindings;
    this.#context = context;
    this.#head = model.head ?? new Float32Array();
    this.#bias = model.bias ?? 0;
    this.#vocabulary = vocabulary;
    this.#outputRows = outputRows(settings);
    this.#turns = settings.turns ?? new Turns();
    this.capacity = bindings.contextSize(context) - SPARE_CELLS;
    this.#batch = new Batch(Math.min(settings.batchTokens, settings.contextTokens));
    const memory = bindings.memory(context);
    this.#kv = new KvCache(
      {
        clear: () => bindings.clearMemory(memory),
        copySequence: (source, target, length) => bindings.copySequence(memory, source, target, 0, length),
        removeSequence: (sequence, from) => bindings.removeSequence(memory, sequence, from),
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
   * Scores as many sequences as fit together, from the first one on. Their likelihoods are complete then.
   * @param pending at least one; distinct, non-empty, in canonical order, of at most `capacity` tokens, with ids of
   *   the vocabulary: anything else could end the process
   * @returns rewards of the first sequences, at least of one; undefined where none was wanted
   * @throws ServiceError engine_failed, and whatever `steps` throws
   */
  async score(pending: readonly Wanted[], steps: Steps): Promise<(number | undefined)[]> {
    const wanted = this.#chooseGroup(pending);
    const sequences = wanted.map(({ tokens }) => tokens);
    const slots = this.#kv.allocate(sequences, wanted.map(reusable));
    // What fits the capacity fits an empty cache: #chooseGroup counted the same nodes.
    if (!slots) throw new ServiceError("too_long", "An input does not fit the context. Shorten it.");
    const group: Group = { wanted, ids: slots.map((slot) => slot.id), steps };
    const held = slots.map((slot) => slot.resident);
    try {
      const plan = planGroup(sequences, held);
      for (const part of this.#parts(plan.inner, wanted)) {
        await this.#decode(part, group, (token) => wantsNext(token, wanted));
        for (const token of part) for (const member of token.members) held[member] = token.position + 1;
        await this.#readLikelihoods(part, wanted);
      }
      const last = plan.last.filter(({ members: [member = 0] }) => wanted[member]?.reward);
      const rewards = await this.#decodeLast(last, group);
      last.forEach(({ members: [member = 0], position }) => {
        held[member] = position + 1;
      });
      return wanted.map((_, index) => rewards.get(index));
    } finally {
      slots.forEach((slot, index) => {
        const tokens = sequences[index];
        if (tokens) this.#kv.hold(slot, tokens.subarray(0, held[index]));
      });
      this.#kv.compact();
    }
  }

  /** Neighbours in canonical order share most: take them in order while they fit. */
  #chooseGroup(pending: readonly Wanted[]): Wanted[] {
    const chosen: Wanted[] = [];
    let nodes = 0;
    for (const wanted of pending) {
      const previous = chosen.at(-1);
      nodes += wanted.tokens.length - (previous ? commonPrefix(previous.tokens, wanted.tokens) : 0);
      if (previous && nodes > Math.min(GROUP_TOKENS, this.capacity)) break;
      chosen.push(wanted);
      if (chosen.length === GROUP_MEMBERS) break;
    }
    return chosen;
  }

  /** Cuts the plan into decode calls: each with as many tokens, and as many outputs, as a call may have. */
  *#parts(tokens: readonly TrieToken[], wanted: readonly Wanted[]): Generator<readonly TrieToken[]> {
    let start = 0;
    let rows = 0;
    for (const [index, token] of tokens.entries()) {
      const row = wantsNext(token, wanted) ? 1 : 0;
      if (index - start === this.#batch.capacity || rows + row > this.#outputRows) {
        yield tokens.slice(start, index);
        start = index;
        rows = 0;
      }
      rows += row;
    }
    if (start < tokens.length) yield tokens.slice(start);
  }

  /** Gives the tokens that follow those of the last decode call their values. */
  async #readLikelihoods(part: readonly TrieToken[], wanted: readonly Wanted[]): Promise<void> {
    const pause = createPacer();
    this.#row ??= new LogitRow(this.#vocabulary);
    const row = this.#row;
    for (const [index, { members, position }] of part.entries()) {
      const next = position + 1;
      const open = members.filter((member) => wanted[member]?.likelihood?.wants(next));
      if (open.length === 0) continue;
      await pause();
      this.#bindings.copyLogits(this.#context, index, row.values);
      const best = row.max();
      const sum = row.logSum(best);
      if (!Number.isFinite(sum)) throw notANumber("probability");
      for (const member of open) {
        const logit = row.values[wanted[member]?.tokens[next] ?? -1] ?? Number.NaN;
        wanted[member]?.likelihood?.give(next, { logprob: logit - sum, gap: logit - best });
      }
    }
  }

  /** @returns rewards by member */
  async #decodeLast(last: readonly TrieToken[], group: Group): Promise<Map<number, number>> {
    const rewards = new Map<number, number>();
    if (last.length === 0) return rewards;
    // With embeddings on, every token of a call is an output: only the last tokens may be in it.
    this.#bindings.setEmbeddings(this.#context, true);
    try {
      const size = Math.min(this.#batch.capacity, this.#outputRows);
      for (let start = 0; start < last.length; start += size) {
        const part = last.slice(start, start + size);
        await this.#decode(part, group, () => true);
        part.forEach(({ members: [member = 0] }, index) => {
          rewards.set(member, this.#reward(index));
        });
      }
    } finally {
      this.#bindings.setEmbeddings(this.#context, false);
    }
    return rewards;
  }

  async #decode(
    tokens: readonly TrieToken[],
    { ids, steps }: Group,
    output: (token: TrieToken) => boolean,
  ): Promise<void> {
    const done = await this.#turns.take(steps.priority);
    let status: number;
    try {
      steps.before();
      status = await this.#bindings.decodeAsync(this.#context, this.#batch.fill(tokens, ids, output));
    } finally {
      done();
    }
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
    if (!Number.isFinite(reward)) throw notANumber("reward");
    return reward;
  }
}

/** Rows of logits that a context makes room for. */
export function outputRows({ batchTokens }: Pick<EngineSettings, "batchTokens">): number {
  return Math.min(batchTokens, OUTPUT_ROWS);
}

/** Leading tokens whose results nobody wants: the one before the first unknown value is decoded, and what follows. */
function reusable({ tokens, likelihood }: Wanted): number {
  const unknown = likelihood?.firstUnknown;
  return unknown === undefined ? tokens.length - 1 : unknown - 1;
}

/** Whether someone wants the value of a token that follows this one. */
function wantsNext({ members, position }: TrieToken, wanted: readonly Wanted[]): boolean {
  return members.some((member) => wanted[member]?.likelihood?.wants(position + 1));
}

function notANumber(what: "reward" | "probability"): ServiceError {
  return new ServiceError(
    "engine_failed",
    `The model gave a ${what} that is not a number. Its file is damaged or its type too coarse.`,
  );
}
