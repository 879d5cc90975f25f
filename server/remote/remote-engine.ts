/** Engines on other hosts as one engine: the same interface as the local one, with the tokenizer kept here. */
import { type EngineState, LIMITS, type Priority } from "../../shared/contract.ts";
import type { Engine, ScoreOptions, Scores, Tokenizer, Tokens } from "../engine/engine.ts";
import type { LoadedTokenizer } from "../engine/llama/tokenizer.ts";
import { RewardCache } from "../engine/reward-cache.ts";
import { compareTokens } from "../engine/trie.ts";
import { ServiceError } from "../errors.ts";
import type { TokenizerFile } from "../models/model-file.ts";
import { createRenderer } from "../rendering/renderer.ts";
import { disagreement } from "./check-rewards.ts";
import { type Connection, connect, describeConnections, type LocalModel } from "./connect.ts";
import { EngineFailure } from "./engine-failure.ts";
import { EnginePool, type PoolTiming, TIMING } from "./pool.ts";
import type { EngineTarget } from "./targets.ts";

export interface RemoteOptions {
  readonly targets: readonly EngineTarget[];
  readonly timing?: PoolTiming;
  /** Told when an engine becomes usable or is put aside. Nothing of a request is in it. */
  readonly onChange?: (state: EngineState) => void;
}

/** Sequences and tokens of one HTTP request: some seconds of an 8B model's work on one GPU. */
const BATCH_SEQUENCES = 64;
const BATCH_TOKENS = 65_536;

export class RemoteEngine implements Engine {
  readonly device: string;
  readonly maxSequence: number;
  readonly tokenizer: Tokenizer;
  /** What the engines say of their model; undefined where they do not. */
  readonly revision: string | undefined;
  readonly type: string | undefined;
  readonly #loaded: LoadedTokenizer;
  readonly #pool: EnginePool;
  readonly #rewards = new RewardCache();
  readonly #calls: Record<Priority, number> = { interactive: 0, bulk: 0 };

  private constructor(loaded: LoadedTokenizer, pool: EnginePool, connections: readonly Connection[]) {
    this.#loaded = loaded;
    this.#pool = pool;
    this.tokenizer = loaded;
    this.device = describeConnections(connections);
    this.maxSequence = Math.min(...connections.map(({ maxSequence }) => maxSequence));
    this.revision = connections[0]?.revision;
    this.type = connections[0]?.type;
  }

  /**
   * Connects to the engines and checks each; one usable engine is enough.
   * @param name under which the model is installed
   * @param loaded the model's tokenizer; the engine closes it
   * @throws EngineFailure when none is usable
   */
  static async start(
    name: string,
    file: TokenizerFile,
    loaded: LoadedTokenizer,
    { targets, timing = TIMING, onChange }: RemoteOptions,
  ): Promise<RemoteEngine> {
    const local: LocalModel = {
      name,
      source: file.source,
      maxTokens: file.maxTokens,
      renderer: createRenderer(file, loaded),
      encode: loaded.encode,
    };
    /** What inputs are shortened to; known once the first engines are connected. */
    let limit = 0;
    /** The engine that was checked first: the others must give the same rewards. */
    let first: Connection | undefined;
    const pool = new EnginePool(
      targets,
      async (target, signal) => {
        const connection = await connect(target, local, timing, signal);
        first ??= connection;
        const apart = disagreement(connection.golden, first.golden);
        if (apart !== undefined) {
          throw new EngineFailure(
            "unusable",
            `${target.host} gives rewards up to ${apart.toFixed(2)} away from those of ${first.target.host}: another model, another number format, or a bias that its head adds. Set both up alike.`,
          );
        }
        if (Math.min(connection.maxSequence, file.maxTokens) >= limit) return connection;
        throw new EngineFailure(
          "unusable",
          `${target.host} takes inputs of ${connection.maxSequence} tokens at most, the other engines ${limit}. Start it with --max-model-len ${limit}.`,
        );
      },
      timing,
      ({ target, state }) =>
        onChange?.({
          engine: target.host,
          state: state.kind,
          reason: state.kind === "aside" ? state.failure.message : null,
        }),
    );
    try {
      const engine = new RemoteEngine(loaded, pool, await pool.open());
      limit = Math.min(engine.maxSequence, file.maxTokens);
      return engine;
    } catch (error) {
      pool.close(shuttingDown());
      loaded.close();
      throw error;
    }
  }

  async score(sequences: readonly Tokens[], options: ScoreOptions): Promise<Scores> {
    const { priority, signal } = options;
    signal?.throwIfAborted();
    if (options.spans) {
      throw new ServiceError(
        "invalid_request",
        "Engines on other hosts give rewards only. Judge by likelihood without --engine.",
      );
    }
    for (const tokens of sequences) this.#check(tokens);
    const { keys, rewards, pending } = this.#rewards.lookUp(sequences);
    // Counted by priority, as in the local engine: a flood of bulk work must not turn away the editor.
    if (pending.size > 0 && this.#calls[priority] >= LIMITS.queuedRequests) {
      throw new ServiceError(
        "too_busy",
        "Too many requests are waiting for the reward model. Try again in a few seconds.",
      );
    }
    this.#calls[priority]++;
    try {
      const decodedTokens = await this.#scorePending(pending, rewards, priority, signal);
      return {
        rewards: Float64Array.from(keys, (key) => rewards.get(key) ?? Number.NaN),
        likelihoods: [],
        decodedTokens,
      };
    } finally {
      this.#calls[priority]--;
    }
  }

  async close(): Promise<void> {
    this.#pool.close(shuttingDown());
    this.#loaded.close();
  }

  /** The first request that fails ends the others; what the finished ones brought is kept. */
  async #scorePending(
    pending: ReadonlyMap<string, Tokens>,
    rewards: Map<string, number>,
    priority: Priority,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const failed = new AbortController();
    const given = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
    const counts = await Promise.all(
      batches(pending).map(async (batch) => {
        try {
          const answer = await this.#pool.score(
            batch.map(([, tokens]) => tokens),
            priority,
            given,
          );
          batch.forEach(([key], index) => {
            const reward = answer.rewards[index];
            if (reward === undefined) throw new Error("a sequence has no reward");
            rewards.set(key, reward);
            this.#rewards.set(key, reward);
          });
          return answer.decodedTokens;
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      }),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  #check(tokens: Tokens): void {
    if (tokens.length === 0) throw new ServiceError("invalid_request", "An empty text cannot be scored.");
    if (tokens.length > this.maxSequence) {
      throw new ServiceError(
        "too_long",
        `An input has ${tokens.length} tokens, but the engine takes ${this.maxSequence}. Shorten it or start the engine with a larger --max-model-len.`,
      );
    }
    const { vocabularySize } = this.#loaded;
    for (const token of tokens) {
      if (token < 0 || token >= vocabularySize) {
        throw new ServiceError("invalid_request", `Token ${token} is not in the model's vocabulary.`);
      }
    }
  }
}

/** In canonical order, so that the same texts make the same requests and those of one question stay together. */
function batches(pending: ReadonlyMap<string, Tokens>): (readonly [string, Tokens])[][] {
  const all: (readonly [string, Tokens])[][] = [];
  let count = 0;
  for (const entry of [...pending].sort(([, a], [, b]) => compareTokens(a, b))) {
    const current = all.at(-1);
    const { length } = entry[1];
    if (current === undefined || current.length >= BATCH_SEQUENCES || count + length > BATCH_TOKENS) {
      all.push([entry]);
      count = length;
    } else {
      current.push(entry);
      count += length;
    }
  }
  return all;
}

function shuttingDown(): ServiceError {
  return new ServiceError("restarting", "The server is shutting down.");
}
