/** The inference engine on libllama: loads a GGUF, scores token sequences over a trie with a kept KV cache. */
import { LIMITS, type Priority } from "../contract.ts";
import { ServiceError } from "../errors.ts";
import { Batch } from "./batch.ts";
import type { Bindings } from "./bindings.ts";
import type { Engine, ScoreOptions, Scores, Tokenizer, Tokens } from "./engine.ts";
import { KvCache } from "./kv-cache.ts";
import type { Pointer } from "./layouts.ts";
import { PriorityQueue } from "./queue.ts";
import { RewardCache } from "./reward-cache.ts";
import { type EngineModel, type EngineSettings, GROUP_MEMBERS } from "./settings.ts";
import { commonPrefix, compareTokens, planGroup, type TrieToken } from "./trie.ts";

/** New tokens of a group: bounds the work lost when a group is interrupted for good. */
const GROUP_TOKENS = 4096;
/** Cells never planned for: a strict prefix of another sequence takes one cell more than the trie has nodes. */
const SPARE_CELLS = GROUP_MEMBERS;

interface Job {
  readonly priority: Priority;
  readonly signal: AbortSignal | undefined;
  /** Sequences still without a reward, in canonical order. */
  pending: { readonly key: string; readonly tokens: Tokens }[];
  readonly rewards: Map<string, number>;
  decodedTokens: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Thrown inside a job to give way to a more urgent one; what was decoded stays in the KV cache. */
class Interrupted extends Error {}

export class LlamaEngine implements Engine {
  readonly device: string;
  readonly maxSequence: number;
  readonly tokenizer: Tokenizer;
  readonly #bindings: Bindings;
  readonly #model: Pointer;
  readonly #context: Pointer;
  readonly #head: Float32Array;
  readonly #bias: number;
  readonly #capacity: number;
  readonly #retained: number;
  readonly #vocabularySize: number;
  readonly #batch: Batch;
  readonly #kv: KvCache;
  readonly #rewards = new RewardCache();
  readonly #queue = new PriorityQueue<Job>();
  /** The worker draining the queue; undefined while there is nothing to do. */
  #worker: Promise<void> | undefined;
  #closed = false;
  #decodedTotal = 0;

  constructor(
    bindings: Bindings,
    model: Pointer,
    context: Pointer,
    file: EngineModel,
    settings: EngineSettings,
  ) {
    this.#bindings = bindings;
    this.#model = model;
    this.#context = context;
    this.#head = file.head;
    this.#bias = file.bias;
    this.#capacity = bindings.contextSize(context) - SPARE_CELLS;
    this.#retained = Math.min(settings.retainedTokens, this.#capacity);
    this.#batch = new Batch(Math.min(settings.batchTokens, settings.contextTokens));
    this.maxSequence = this.#capacity;
    const vocabulary = bindings.vocabulary(model);
    this.#vocabularySize = bindings.vocabularySize(vocabulary);
    const tokenize = (text: string, parseSpecial: boolean) => {
      // The vocabulary is freed with the model.
      if (this.#closed) throw shuttingDown();
      return bindings.tokenize(vocabulary, Buffer.from(text, "utf8"), parseSpecial);
    };
    this.tokenizer = {
      encode: (text) => tokenize(text, false),
      encodeRendered: (text) => tokenize(text, true),
      added: file.addedTokens,
    };
    const gpu = bindings.devices().find((device) => device.type === "gpu" || device.type === "igpu");
    this.device =
      settings.gpu && gpu
        ? `${gpu.name}: ${gpu.description}`
        : `CPU, ${settings.threads} ${settings.threads === 1 ? "thread" : "threads"}`;
    const memory = bindings.memory(context);
    this.#kv = new KvCache(
      {
        clear: () => bindings.clearMemory(memory),
        copySequence: (source, target, length) => bindings.copySequence(memory, source, target, 0, length),
        removeSequence: (sequence) => bindings.removeSequence(memory, sequence),
      },
      this.#capacity,
    );
  }

  /** Tokens handed to the decode call since the model was loaded. */
  get decodedTotal(): number {
    return this.#decodedTotal;
  }

  async score(sequences: readonly Tokens[], options: ScoreOptions): Promise<Scores> {
    options.signal?.throwIfAborted();
    if (this.#closed) throw shuttingDown();
    for (const tokens of sequences) this.#check(tokens);
    const keys = sequences.map((tokens) => RewardCache.key(tokens));
    const rewards = new Map<string, number>();
    const pending = new Map<string, Tokens>();
    keys.forEach((key, index) => {
      const known = this.#rewards.get(key);
      const tokens = sequences[index];
      if (known !== undefined) rewards.set(key, known);
      else if (tokens) pending.set(key, tokens);
    });
    let decodedTokens = 0;
    if (pending.size > 0) {
      // Counted by priority: a flood of bulk work must not turn away the editor.
      if (this.#queue.waiting(options.priority) >= LIMITS.queuedRequests) {
        throw new ServiceError(
          "too_busy",
          "Too many requests are waiting for the reward model. Try again in a few seconds.",
        );
      }
      decodedTokens = await this.#enqueue(pending, rewards, options);
    }
    return { rewards: Float64Array.from(keys, (key) => rewards.get(key) ?? Number.NaN), decodedTokens };
  }

  /** Forgets all kept rewards and KV cells, so that the next request starts cold. For benchmarks and tests. */
  async forget(): Promise<void> {
    await this.#worker;
    this.#kv.clear();
    this.#rewards.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (let job = this.#queue.shift(); job; job = this.#queue.shift()) {
      job.reject(shuttingDown());
    }
    await this.#worker;
    this.#bindings.freeContext(this.#context);
    this.#bindings.freeModel(this.#model);
  }

  #check(tokens: Tokens): void {
    if (tokens.length === 0) throw new ServiceError("invalid_request", "An empty text cannot be scored.");
    if (tokens.length > this.#capacity) {
      throw new ServiceError(
        "too_long",
        `An input has ${tokens.length} tokens, but the context holds ${this.#capacity}. Shorten it or start the server with a larger context.`,
      );
    }
    // llama.cpp refuses the whole batch for one unknown id: name the culprit before that.
    for (const token of tokens) {
      if (token < 0 || token >= this.#vocabularySize) {
        throw new ServiceError("invalid_request", `Token ${token} is not in the model's vocabulary.`);
      }
    }
  }

  #enqueue(
    pending: Map<string, Tokens>,
    rewards: Map<string, number>,
    options: ScoreOptions,
  ): Promise<number> {
    const { signal } = options;
    return new Promise<number>((resolve, reject) => {
      const onAbort = () => {
        // A running job notices between batches; a waiting one need not wait for that.
        this.#queue.remove(job);
        reject(signal?.reason);
      };
      // One signal may outlive many jobs: a listener left on it would keep their tokens in memory.
      const settled = () => signal?.removeEventListener("abort", onAbort);
      const job: Job = {
        priority: options.priority,
        signal,
        pending: [...pending]
          .map(([key, tokens]) => ({ key, tokens }))
          .sort((a, b) => compareTokens(a.tokens, b.tokens)),
        rewards,
        decodedTokens: 0,
        resolve: () => {
          settled();
          resolve(job.decodedTokens);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#queue.push(job);
      this.#worker ??= this.#drain();
    });
  }

  async #drain(): Promise<void> {
    // Yield first, so that requests of one tick are ordered by priority and not by arrival.
    await Promise.resolve();
    for (let job = this.#queue.shift(); job; job = this.#queue.shift()) {
      try {
        while (job.pending.length > 0) await this.#scoreGroup(job);
        job.resolve();
      } catch (error) {
        if (error instanceof Interrupted) this.#queue.pushFront(job);
        else job.reject(error);
      }
    }
    this.#kv.trim(this.#retained);
    this.#worker = undefined;
  }

  /** Scores as many pending sequences of the job as fit together. */
  async #scoreGroup(job: Job): Promise<void> {
    this.#giveWay(job);
    this.#reuseKnown(job);
    if (job.pending.length === 0) return;
    let members = this.#chooseGroup(job);
    let slots = this.#kv.allocate(members.map((member) => member.tokens));
    while (!slots && members.length > 1) {
      members = members.slice(0, members.length >> 1);
      slots = this.#kv.allocate(members.map((member) => member.tokens));
    }
    if (!slots) throw new ServiceError("too_long", "An input does not fit the context. Shorten it.");
    const ids = slots.map((slot) => slot.id);
    const held = slots.map((slot) => slot.resident);
    const plan = planGroup(
      members.map((member) => member.tokens),
      held,
    );
    try {
      for (let start = 0; start < plan.inner.length; start += this.#batch.capacity) {
        if (start > 0) this.#giveWay(job);
        const part = plan.inner.slice(start, start + this.#batch.capacity);
        await this.#decode(job, part, ids, false);
        for (const token of part) for (const member of token.members) held[member] = token.position + 1;
      }
      const rewards = await this.#decodeLast(job, plan.last, ids);
      members.forEach(({ key, tokens }, index) => {
        const reward = rewards[index] ?? Number.NaN;
        held[index] = tokens.length;
        this.#rewards.set(key, reward);
        job.rewards.set(key, reward);
      });
      const done = new Set(members);
      job.pending = job.pending.filter((entry) => !done.has(entry));
    } finally {
      slots.forEach((slot, index) => {
        const tokens = members[index]?.tokens;
        if (tokens) this.#kv.hold(slot, tokens.subarray(0, held[index]));
      });
      this.#kv.compact();
    }
  }

  /** What another job has scored while this one waited is not scored again. */
  #reuseKnown(job: Job): void {
    job.pending = job.pending.filter(({ key }) => {
      const known = this.#rewards.get(key);
      if (known !== undefined) job.rewards.set(key, known);
      return known === undefined;
    });
  }

  /** Neighbours in canonical order share most: take them in order while they fit. */
  #chooseGroup(job: Job): Job["pending"] {
    const chosen: Job["pending"] = [];
    let nodes = 0;
    for (const entry of job.pending) {
      const previous = chosen.at(-1);
      nodes += entry.tokens.length - (previous ? commonPrefix(previous.tokens, entry.tokens) : 0);
      if (previous && nodes > Math.min(GROUP_TOKENS, this.#capacity)) break;
      chosen.push(entry);
      if (chosen.length === GROUP_MEMBERS) break;
    }
    return chosen;
  }

  /** @throws the abort reason of a cancelled job, or Interrupted when a more urgent job waits */
  #giveWay(job: Job): void {
    job.signal?.throwIfAborted();
    if (this.#closed) throw shuttingDown();
    if (this.#queue.overtakes(job.priority)) throw new Interrupted();
  }

  async #decodeLast(job: Job, last: readonly TrieToken[], ids: readonly number[]): Promise<number[]> {
    const rewards: number[] = [];
    // With embeddings on, every token of a call is an output: only the last tokens may be in it.
    this.#bindings.setEmbeddings(this.#context, true);
    try {
      for (let start = 0; start < last.length; start += this.#batch.capacity) {
        const part = last.slice(start, start + this.#batch.capacity);
        await this.#decode(job, part, ids, true);
        for (const index of part.keys()) rewards.push(this.#reward(index));
      }
    } finally {
      this.#bindings.setEmbeddings(this.#context, false);
    }
    return rewards;
  }

  async #decode(
    job: Job,
    tokens: readonly TrieToken[],
    ids: readonly number[],
    output: boolean,
  ): Promise<void> {
    const status = await this.#bindings.decodeAsync(this.#context, this.#batch.fill(tokens, ids, output));
    if (status !== 0) {
      // The native cache may hold part of the batch: forget both sides rather than guess.
      this.#kv.clear();
      throw new ServiceError(
        "engine_failed",
        `The engine failed to decode (status ${status}): ${lastError(this.#bindings)}`,
      );
    }
    this.#decodedTotal += tokens.length;
    job.decodedTokens += tokens.length;
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

function shuttingDown(): ServiceError {
  return new ServiceError("engine_failed", "The engine is shutting down. Send the request again.");
}

/** The last complaint in the library's log, for a message to the user. */
export function lastError(bindings: Bindings): string {
  const line = bindings
    .recentLog()
    .findLast((text) => /error|fail|unknown|invalid|missing|wrong/i.test(text));
  return (line ?? "no reason was given").replace(/^\w+: /, "");
}
