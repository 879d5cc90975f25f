/** The writing engine on libllama: one request at a time before one context, its samples decoded as one batch a step. */
import { LIMITS } from "../../../shared/contract.ts";
import { createPacer } from "../../../shared/threads/step.ts";
import { ServiceError } from "../../errors.ts";
import type { LanguageTokenizer } from "../engine.ts";
import { LogitRow } from "../logit-row.ts";
import { PriorityQueue } from "../queue.ts";
import { Distribution } from "../sampling/distribution.ts";
import { Draft } from "../sampling/draft.ts";
import { Drafts } from "../sampling/drafts.ts";
import { randomNumbers } from "../sampling/random.ts";
import { type EngineModel, type EngineSettings, GROUP_MEMBERS } from "../settings.ts";
import type { TrieToken } from "../trie.ts";
import { Turns } from "../turns.ts";
import type { SampleRequest, Samples, Writer } from "../writer.ts";
import { Batch } from "./batch.ts";
import { lastError, MAX_SEQUENCES } from "./bindings.ts";
import { KvCache } from "./kv-cache.ts";
import type { Pointer } from "./layouts.ts";
import { shuttingDown, vocabularyTokenizer } from "./tokenizer.ts";
import type { Weights } from "./weights.ts";

/** Samples of a request. */
export const MOST_SAMPLES = GROUP_MEMBERS;
/** Sequence ids from here on are those of samples; the ones below hold prompts. */
const FIRST_SAMPLE = MAX_SEQUENCES / 2;
/** Cells for tokens that are decoded once more, when a sample goes another way. */
const SPARE_CELLS = MOST_SAMPLES;

interface Waiting {
  readonly priority: SampleRequest["priority"];
  readonly begin: () => void;
}

export class LlamaWriter implements Writer {
  readonly device: string;
  readonly contextTokens: number;
  readonly tokenizer: LanguageTokenizer;
  readonly #weights: Weights;
  readonly #context: Pointer;
  readonly #vocabularySize: number;
  readonly #turns: Turns;
  readonly #watched: EngineSettings["watched"];
  readonly #batch: Batch;
  readonly #kv: KvCache;
  readonly #row: LogitRow;
  readonly #memory: Pointer;
  readonly #ends: (token: number) => boolean;
  readonly #queue = new PriorityQueue<Waiting>();
  #busy = false;
  #closed = false;

  constructor(weights: Weights, context: Pointer, file: EngineModel, settings: EngineSettings) {
    const { bindings, model } = weights;
    this.#weights = weights;
    this.#context = context;
    this.#turns = settings.turns ?? new Turns();
    this.#watched = settings.watched;
    const vocabulary = bindings.vocabulary(model);
    this.#vocabularySize = bindings.vocabularySize(vocabulary);
    this.tokenizer = vocabularyTokenizer(bindings, vocabulary, file.addedTokens, () => this.#closed);
    const control = new Set(file.addedTokens.values());
    // A control token is no text: a model that writes one has come to the end of what was asked.
    this.#ends = (token) => control.has(token) || bindings.endsText(vocabulary, token);
    this.device =
      settings.gpu?.name ?? `CPU, ${settings.threads} ${settings.threads === 1 ? "thread" : "threads"}`;
    this.contextTokens = bindings.contextSize(context) - SPARE_CELLS;
    this.#row = new LogitRow(this.#vocabularySize);
    this.#batch = new Batch(Math.min(settings.batchTokens, settings.contextTokens));
    this.#memory = bindings.memory(context);
    const memory = this.#memory;
    this.#kv = new KvCache(
      {
        clear: () => bindings.clearMemory(memory),
        copySequence: (source, target, length) => bindings.copySequence(memory, source, target, 0, length),
        removeSequence: (sequence, from) => bindings.removeSequence(memory, sequence, from),
      },
      this.contextTokens,
      FIRST_SAMPLE,
    );
  }

  async sample(request: SampleRequest): Promise<Samples> {
    request.signal?.throwIfAborted();
    this.#check(request);
    await this.#begin(request);
    try {
      request.signal?.throwIfAborted();
      if (this.#closed) throw shuttingDown();
      const done = await this.#watched?.();
      const ended = request.priority === "interactive" ? this.#turns.begin() : undefined;
      try {
        return await this.#write(request);
      } finally {
        ended?.();
        done?.();
      }
    } finally {
      this.#busy = false;
      this.#queue.shift()?.begin();
    }
  }

  /** Writes something small: some drivers take memory and compile only at the first decode call. */
  async warmUp(): Promise<void> {
    await this.sample({
      prompt: Int32Array.of(0),
      count: 1,
      maxTokens: 1,
      sampling: { temperature: 0, topP: 1, minP: 0 },
      seed: 0,
      stops: [],
      priority: "interactive",
    });
  }

  /** Forgets all prompts, so that the next request starts cold. For benchmarks and tests. */
  forget(): void {
    this.#kv.clear();
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Behind the running request, which ends before its next step; those that wait are refused one after the other.
    if (this.#busy)
      await new Promise<void>((begin) => this.#queue.push({ priority: "bulk", begin: () => begin() }));
    this.#weights.bindings.freeContext(this.#context);
    this.#weights.release();
  }

  #check({ prompt, count, maxTokens, priority }: SampleRequest): void {
    if (this.#closed) throw shuttingDown();
    if (count < 1 || count > MOST_SAMPLES || maxTokens < 1 || prompt.length === 0) {
      throw new ServiceError(
        "invalid_request",
        `From 1 to ${MOST_SAMPLES} completions of at least one token can be written, after a prompt that is not empty.`,
      );
    }
    if (prompt.length + count * maxTokens > this.contextTokens) {
      throw new ServiceError(
        "too_long",
        `A prompt of ${prompt.length} tokens and ${count} completions of ${maxTokens} do not fit the writer's context of ${this.contextTokens}. Ask for fewer or shorter ones.`,
      );
    }
    for (const token of prompt) {
      if (token < 0 || token >= this.#vocabularySize) {
        throw new ServiceError("invalid_request", `Token ${token} is not in the model's vocabulary.`);
      }
    }
    if (this.#queue.waiting(priority) >= LIMITS.queuedRequests) {
      throw new ServiceError(
        "too_busy",
        "Too many requests are waiting for the writer. Try again in a few seconds.",
      );
    }
  }

  /** Waits until no other request is being written. */
  async #begin({ priority, signal }: SampleRequest): Promise<void> {
    if (this.#busy) {
      await new Promise<void>((resolve, reject) => {
        const waiting: Waiting = {
          priority,
          begin: () => {
            signal?.removeEventListener("abort", leave);
            resolve();
          },
        };
        const leave = () => {
          this.#queue.remove(waiting);
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", leave, { once: true });
        this.#queue.push(waiting);
      });
    }
    this.#busy = true;
  }

  async #write(request: SampleRequest): Promise<Samples> {
    const started = performance.now();
    const { prompt, count } = request;
    const calls = { decoded: 0 };
    const cachedTokens = await this.#readPrompt(request, calls);
    const read = performance.now();
    const drafts = Array.from(
      { length: count },
      (_, index) =>
        new Draft(index, randomNumbers(request.seed, index), this.tokenizer.bytesOf, request.stops),
    );
    const all = new Drafts(drafts, request, this.#ends);
    const ids = drafts.map(({ index }) => FIRST_SAMPLE + index);
    const { bindings } = this.#weights;
    try {
      while (all.unfinished) {
        if (performance.now() - started > (request.budgetMs ?? Number.POSITIVE_INFINITY)) all.endAll();
        const branches = all.branches();
        if (branches.length === 0) break;
        const step = branches.map(
          ([first, ...others]): TrieToken => ({
            token: first.last ?? prompt.at(-1) ?? 0,
            position: prompt.length - 1 + first.length,
            members: [first.index, ...others.map(({ index }) => index)],
          }),
        );
        await this.#decode(step, ids, true, request, calls);
        const pause = createPacer();
        for (const [index, branch] of branches.entries()) {
          await pause();
          bindings.copyLogits(this.#context, index, this.#row.values);
          const distribution = new Distribution(this.#row, request.sampling);
          if (!distribution.valid) {
            throw new ServiceError(
              "engine_failed",
              "The model gave a probability that is not a number. Its file is damaged or its type too coarse.",
            );
          }
          for (const draft of branch) all.advance(draft, distribution);
        }
        for (const draft of await all.settle()) {
          bindings.removeSequence(this.#memory, ids[draft.index] ?? -1, prompt.length - 1 + draft.length);
        }
      }
    } finally {
      for (const id of ids) bindings.removeSequence(this.#memory, id, 0);
    }
    return {
      samples: all.samples(),
      cachedTokens,
      decodeCalls: calls.decoded,
      promptMs: read - started,
      sampleMs: performance.now() - read,
    };
  }

  /**
   * Decodes what of the prompt is not in the cache, and gives it to all samples; but its last token, which is the first
   * step of theirs.
   * @returns how many of its tokens were in the cache
   */
  async #readPrompt(request: SampleRequest, calls: { decoded: number }): Promise<number> {
    const { prompt, count, maxTokens } = request;
    const head = prompt.subarray(0, -1);
    if (head.length === 0) return 0;
    const [slot] = this.#kv.allocate([head], [head.length]) ?? [];
    if (!slot) throw new Error("a prompt that was checked does not fit");
    // The prompt was used last: all others go first.
    this.#kv.trim(this.contextTokens - count * maxTokens);
    let held = slot.resident;
    try {
      while (held < head.length) {
        const part = Array.from(
          head.subarray(held, held + this.#batch.capacity),
          (token, index): TrieToken => ({ token, position: held + index, members: [0] }),
        );
        await this.#decode(part, [slot.id], false, request, calls);
        held += part.length;
      }
      for (let index = 0; index < count; index++) {
        const { bindings } = this.#weights;
        bindings.copySequence(this.#memory, slot.id, FIRST_SAMPLE + index, 0, head.length);
      }
    } finally {
      this.#kv.hold(slot, head.subarray(0, held));
      this.#kv.compact();
    }
    return slot.resident;
  }

  async #decode(
    tokens: readonly TrieToken[],
    ids: readonly number[],
    output: boolean,
    { priority, signal }: SampleRequest,
    calls: { decoded: number },
  ): Promise<void> {
    const { bindings } = this.#weights;
    const done = await this.#turns.take(priority);
    let status: number;
    try {
      signal?.throwIfAborted();
      if (this.#closed) throw shuttingDown();
      status = await bindings.decodeAsync(
        this.#context,
        this.#batch.fill(tokens, ids, () => output),
      );
      calls.decoded++;
    } finally {
      done();
    }
    if (status === 0) return;
    // The native cache may hold part of the batch: forget both sides rather than guess.
    this.#kv.clear();
    throw new ServiceError(
      "engine_failed",
      `The engine failed to write (status ${status}): ${lastError(bindings)}`,
    );
  }
}
