/** The inference engine on libllama: one queue of jobs before one context, and the values that were computed already. */
import { LIMITS, type Priority } from "../../../shared/contract.ts";
import { ServiceError } from "../../errors.ts";
import type { Engine, LanguageTokenizer, ScoreOptions, Scores, Tokens } from "../engine.ts";
import { LikelihoodMemory, lookUpLikelihoods, type Span } from "../likelihood.ts";
import { PriorityQueue } from "../queue.ts";
import { RewardCache } from "../reward-cache.ts";
import type { EngineModel, EngineSettings } from "../settings.ts";
import { compareTokens } from "../trie.ts";
import { Turns } from "../turns.ts";
import { Decoder, type Wanted } from "./decoder.ts";
import type { Pointer } from "./layouts.ts";
import { shuttingDown, vocabularyTokenizer } from "./tokenizer.ts";
import type { Weights } from "./weights.ts";

/** A sequence that a job still has to look at, and the key of its reward. */
type Work = Wanted & { readonly key: string };

interface Job {
  readonly priority: Priority;
  readonly signal: AbortSignal | undefined;
  /** What is still without a value, in canonical order of the sequences. */
  pending: readonly Work[];
  readonly rewards: Map<string, number>;
  decodedTokens: number;
  /** Batches that it may decode yet before it gives way. */
  turnLeft: number;
  /** Batches of a turn: one, and more where one after the other was pushed out of the cache again. */
  turn: number;
  /** Tokens decoded for the group that it is at. */
  groupTokens: number;
  /** Told when its first turn begins; undefined afterwards. */
  began: (() => void) | undefined;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** Thrown inside a job to give way to a more urgent one; what was decoded stays in the KV cache. */
class Interrupted extends Error {}

export class LlamaEngine implements Engine {
  readonly device: string;
  readonly maxSequence: number;
  readonly tokenizer: LanguageTokenizer;
  readonly #weights: Weights;
  readonly #context: Pointer;
  readonly #turns: Turns;
  readonly #decoder: Decoder;
  readonly #retained: number;
  readonly #watched: EngineSettings["watched"];
  readonly #vocabularySize: number;
  readonly #hasHead: boolean;
  readonly #rewards = new RewardCache();
  readonly #likelihoods = new LikelihoodMemory();
  readonly #queue = new PriorityQueue<Job>();
  /** The worker draining the queue; undefined while there is nothing to do. */
  #worker: Promise<void> | undefined;
  #closed = false;
  #decodedTotal = 0;

  constructor(weights: Weights, context: Pointer, file: EngineModel, settings: EngineSettings) {
    const { bindings, model } = weights;
    this.#weights = weights;
    this.#context = context;
    this.#retained = settings.retainedTokens;
    this.#watched = settings.watched;
    const vocabulary = bindings.vocabulary(model);
    this.#vocabularySize = bindings.vocabularySize(vocabulary);
    this.#hasHead = file.head !== undefined;
    this.#turns = settings.turns ?? new Turns();
    this.#decoder = new Decoder(
      bindings,
      context,
      file,
      { ...settings, turns: this.#turns },
      this.#vocabularySize,
    );
    this.maxSequence = this.#decoder.capacity;
    // The vocabulary is freed with the model.
    this.tokenizer = vocabularyTokenizer(bindings, vocabulary, file.addedTokens, () => this.#closed);
    this.device =
      settings.gpu?.name ?? `CPU, ${settings.threads} ${settings.threads === 1 ? "thread" : "threads"}`;
  }

  /** The same as `maxSequence`: one sequence may take the whole context. */
  get contextTokens(): number {
    return this.maxSequence;
  }

  /** Scores something small: some drivers take memory and compile only at the first decode call. */
  async warmUp(): Promise<void> {
    const spans = this.#hasHead ? {} : { spans: [{ from: 1, to: 2 }] };
    await this.score([Int32Array.of(0, 0)], { priority: "interactive", ...spans });
  }

  /** Tokens handed to the decode call since the model was loaded. */
  get decodedTotal(): number {
    return this.#decodedTotal;
  }

  async score(sequences: readonly Tokens[], options: ScoreOptions): Promise<Scores> {
    options.signal?.throwIfAborted();
    if (this.#closed) throw shuttingDown();
    for (const [index, tokens] of sequences.entries()) this.#check(tokens, options.spans?.[index]);
    const { keys, rewards, pending: unrewarded } = this.#rewards.lookUp(sequences);
    const likelihoods = lookUpLikelihoods(sequences, keys, options.spans ?? [], this.#likelihoods);
    const work = new Map<string, Work>();
    for (const [index, tokens] of sequences.entries()) {
      const key = keys[index] ?? "";
      const likelihood = likelihoods.get(key);
      const reward = this.#hasHead && unrewarded.has(key);
      if (reward || likelihood?.firstUnknown !== undefined)
        work.set(key, { key, tokens, reward, likelihood });
    }
    let decodedTokens = 0;
    if (work.size > 0) {
      // Counted by priority: a flood of bulk work must not turn away the editor.
      if (this.#queue.waiting(options.priority) >= LIMITS.queuedRequests) {
        throw new ServiceError(
          "too_busy",
          "Too many requests are waiting for the reward model. Try again in a few seconds.",
        );
      }
      decodedTokens = await this.#enqueue([...work.values()], rewards, options);
    }
    return {
      rewards: Float64Array.from(this.#hasHead ? keys : [], (key) => rewards.get(key) ?? Number.NaN),
      likelihoods: (options.spans ?? []).map((span, index) => {
        const found = likelihoods.get(keys[index] ?? "");
        if (!found) throw new Error("a span has no values");
        return found.part(span);
      }),
      decodedTokens,
    };
  }

  /** Forgets all kept values and KV cells, so that the next request starts cold. For benchmarks and tests. */
  async forget(): Promise<void> {
    await this.#worker;
    this.#decoder.forget();
    this.#rewards.clear();
    this.#likelihoods.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (let job = this.#queue.shift(); job; job = this.#queue.shift()) {
      job.reject(shuttingDown());
    }
    await this.#worker;
    this.#weights.bindings.freeContext(this.#context);
    this.#weights.release();
  }

  #check(tokens: Tokens, span: Span | undefined): void {
    if (tokens.length === 0) throw new ServiceError("invalid_request", "An empty text cannot be scored.");
    if (tokens.length > this.maxSequence) {
      throw new ServiceError(
        "too_long",
        `An input has ${tokens.length} tokens, but the context holds ${this.maxSequence}. Shorten it or start the server with a larger context.`,
      );
    }
    if (span && !(1 <= span.from && span.from <= span.to && span.to <= tokens.length)) {
      throw new ServiceError(
        "invalid_request",
        `The tokens ${span.from} to ${span.to} of ${tokens.length} cannot be judged: the first one of all has nothing before it.`,
      );
    }
    // llama.cpp refuses the whole batch for one unknown id: name the culprit before that.
    for (const token of tokens) {
      if (token < 0 || token >= this.#vocabularySize) {
        throw new ServiceError("invalid_request", `Token ${token} is not in the model's vocabulary.`);
      }
    }
  }

  #enqueue(work: readonly Work[], rewards: Map<string, number>, options: ScoreOptions): Promise<number> {
    const { signal } = options;
    const queued = performance.now();
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
        pending: [...work].sort((a, b) => compareTokens(a.tokens, b.tokens)),
        rewards,
        decodedTokens: 0,
        turnLeft: 1,
        turn: 1,
        groupTokens: 0,
        began: () => options.waited?.(performance.now() - queued),
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
    const done = await this.#watched?.();
    for (let job = this.#queue.shift(); job; job = this.#queue.shift()) {
      job.began?.();
      job.began = undefined;
      job.turnLeft = job.turn;
      const ended = job.priority === "interactive" ? this.#turns.begin() : undefined;
      try {
        while (job.pending.length > 0) await this.#scoreGroup(job);
        job.resolve();
      } catch (error) {
        if (error instanceof Interrupted) this.#putBack(job);
        else job.reject(error);
      } finally {
        ended?.();
      }
    }
    // What a job that was cancelled or failed has left.
    this.#trim();
    done?.();
    this.#worker = undefined;
  }

  /**
   * A group has no more tokens than the cache: when more were decoded for it, the work of its turns was pushed out by
   * what ran in between. Longer turns let it end all the same.
   */
  #putBack(job: Job): void {
    if (job.groupTokens > this.maxSequence) job.turn *= 2;
    this.#queue.pushFront(job);
  }

  /** Scores as many pending sequences of the job as fit together. */
  async #scoreGroup(job: Job): Promise<void> {
    this.#giveWay(job);
    this.#reuseKnown(job);
    if (job.pending.length === 0) return;
    const rewards = await this.#decoder.score(job.pending, {
      priority: job.priority,
      before: () => this.#giveWay(job),
      decoded: (tokens) => {
        this.#decodedTotal += tokens;
        job.decodedTokens += tokens;
        job.groupTokens += tokens;
        job.turnLeft -= 1;
      },
    });
    rewards.forEach((reward, index) => {
      const entry = job.pending[index];
      if (!entry || reward === undefined) return;
      this.#rewards.set(entry.key, reward);
      job.rewards.set(entry.key, reward);
    });
    job.pending = job.pending.slice(rewards.length);
    job.groupTokens = 0;
    job.turn = 1;
    this.#trim();
  }

  /**
   * Gives back what is kept beyond the limit: after every group, because requests may follow each other without end.
   * What an interrupted job decoded is left alone, for it would have to be decoded again.
   */
  #trim(): void {
    const interrupted = this.#queue.first("bulk")?.decodedTokens;
    if (!interrupted) this.#decoder.trim(this.#retained);
  }

  /** What another job has found while this one waited is not computed again. */
  #reuseKnown(job: Job): void {
    job.pending = job.pending.flatMap((work) => {
      const known = work.reward ? this.#rewards.get(work.key) : undefined;
      if (known !== undefined) job.rewards.set(work.key, known);
      work.likelihood?.recall();
      const reward = work.reward && known === undefined;
      return reward || work.likelihood?.firstUnknown !== undefined ? [{ ...work, reward }] : [];
    });
  }

  /** @throws the abort reason of a cancelled job, or Interrupted when a more urgent job waits */
  #giveWay(job: Job): void {
    job.signal?.throwIfAborted();
    if (this.#closed) throw shuttingDown();
    if (job.turnLeft <= 0 && this.#queue.overtakes(job.priority)) throw new Interrupted();
  }
}
