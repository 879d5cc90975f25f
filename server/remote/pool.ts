/**
 * Requests spread over engines: the one with the least outstanding work gets the next, one that fails is put aside and
 * tried again after a pause, and what it was asked moves to another, once.
 */
import type { Priority } from "../../shared/contract.ts";
import type { Tokens } from "../engine/engine.ts";
import { PriorityQueue } from "../engine/queue.ts";
import { type Connection, type ConnectTiming, score } from "./connect.ts";
import { Endpoint, type EndpointTiming } from "./endpoint.ts";
import { EngineFailure } from "./engine-failure.ts";
import type { EngineTarget } from "./targets.ts";
import { countTokens, type WireScores } from "./wire.ts";

export interface PoolTiming extends ConnectTiming, EndpointTiming {
  /** How long a request waits for an engine to come back when none is usable. */
  readonly patienceMs: number;
  /** Least pause between two tries of an engine that requests ask for. */
  readonly leastPauseMs: number;
}

export const TIMING: PoolTiming = {
  shortMs: 5000,
  // What OpenRLHF waits for a whole step.
  scoreMs: 180_000,
  firstPauseMs: 1000,
  longestPauseMs: 30_000,
  healthEveryMs: 10_000,
  patienceMs: 3000,
  leastPauseMs: 2000,
};

interface PoolJob {
  readonly priority: Priority;
  readonly sequences: readonly Tokens[];
  readonly signal: AbortSignal;
  /** The engine that failed it; a second failure is final. */
  failedAt: Endpoint | undefined;
  readonly resolve: (scores: WireScores) => void;
  readonly reject: (reason: unknown) => void;
}

export class EnginePool {
  readonly #endpoints: readonly Endpoint[];
  readonly #queue = new PriorityQueue<PoolJob>();
  readonly #timing: PoolTiming;
  /** Why nothing is asked any more. */
  #closed: Error | undefined;

  /** @param connect connects to an engine and checks it */
  constructor(
    targets: readonly EngineTarget[],
    connect: (target: EngineTarget, signal: AbortSignal) => Promise<Connection>,
    timing: PoolTiming,
    changed: (endpoint: Endpoint) => void,
  ) {
    this.#timing = timing;
    this.#endpoints = targets.map(
      (target) =>
        new Endpoint(
          target,
          (signal) => connect(target, signal),
          timing,
          (endpoint) => {
            changed(endpoint);
            this.#dispatch();
          },
        ),
    );
  }

  /**
   * Tries all engines; one is enough.
   * @returns the usable ones
   * @throws EngineFailure when none is
   */
  async open(): Promise<readonly Connection[]> {
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.open()));
    const connections = this.#endpoints.flatMap(({ state }) =>
      state.kind === "ready" ? [state.connection] : [],
    );
    if (connections.length === 0) throw this.#problem();
    return connections;
  }

  /**
   * Rewards of sequences that fit into one request.
   * @throws EngineFailure; the signal's reason when aborted; the reason of a closed pool
   */
  score(sequences: readonly Tokens[], priority: Priority, signal: AbortSignal): Promise<WireScores> {
    return new Promise((resolve, reject) => {
      const abort = () => {
        // A running request notices by itself and settles the same.
        this.#queue.remove(job);
        reject(signal.reason);
      };
      const settled = () => signal.removeEventListener("abort", abort);
      const job: PoolJob = {
        priority,
        sequences,
        signal,
        failedAt: undefined,
        resolve: (scores) => {
          settled();
          resolve(scores);
        },
        reject: (reason) => {
          settled();
          reject(reason);
        },
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      this.#queue.push(job);
      if (this.#closed === undefined) this.#wake();
      this.#dispatch();
    });
  }

  close(reason: Error): void {
    this.#closed = reason;
    for (const endpoint of this.#endpoints) endpoint.close(reason);
    this.#dispatch();
  }

  #dispatch(): void {
    for (let job = this.#queue.next(); job; job = this.#queue.next()) {
      const endpoint = this.#closed === undefined ? this.#choose(job) : undefined;
      if (this.#closed === undefined && endpoint === undefined && this.#hopeful()) return;
      this.#queue.shift();
      // Closed engines change no more: whoever waited for one would wait for ever.
      if (this.#closed !== undefined) job.reject(this.#closed);
      else if (endpoint === undefined) job.reject(this.#problem());
      else void this.#run(endpoint, job);
    }
  }

  /**
   * The usable engine with the least work; among equals the one named first, which knows the last question's prefix.
   * One that failed the job gets it again only when there is no other.
   */
  #choose(job: PoolJob): Endpoint | undefined {
    const ready = this.#endpoints.filter(({ state }) => state.kind === "ready");
    const others = ready.filter((endpoint) => endpoint !== job.failedAt);
    const [first, ...rest] = (others.length > 0 ? others : ready).filter(({ hasRoom }) => hasRoom);
    return rest.reduce((best, one) => (best && one.outstanding < best.outstanding ? one : best), first);
  }

  async #run(endpoint: Endpoint, job: PoolJob): Promise<void> {
    const { state } = endpoint;
    if (state.kind !== "ready") throw new Error("an engine that is not ready was given work");
    const { sequences, priority, signal } = job;
    try {
      job.resolve(
        await endpoint.run(countTokens(sequences), (given) =>
          score(
            state.connection,
            { sequences, priority, activated: false },
            { signal: AbortSignal.any([signal, given]), timeoutMs: this.#timing.scoreMs },
          ),
        ),
      );
    } catch (error) {
      this.#failed(endpoint, job, error);
    }
    this.#dispatch();
  }

  #failed(endpoint: Endpoint, job: PoolJob, error: unknown): void {
    if (job.signal.aborted || !(error instanceof EngineFailure) || error.kind === "refused") {
      job.reject(error);
      return;
    }
    const again = job.failedAt === undefined;
    job.failedAt = endpoint;
    if (again) this.#queue.pushFront(job);
    endpoint.setAside(error);
    if (!again) job.reject(error);
  }

  /** Whether waiting may help: an engine works, is being tried, or comes back soon. */
  #hopeful(): boolean {
    const soon = Date.now() + this.#timing.patienceMs;
    return this.#endpoints.some(({ state }) => state.kind !== "aside" || state.until <= soon);
  }

  /** Engines that failed a while ago are tried at once when they are asked for and none is usable. */
  #wake(): void {
    if (this.#endpoints.some(({ state }) => state.kind !== "aside")) return;
    const latest = Date.now() - this.#timing.leastPauseMs;
    for (const endpoint of this.#endpoints) {
      const { state } = endpoint;
      if (state.kind === "aside" && state.failure.kind !== "busy" && state.since <= latest)
        void endpoint.open();
    }
  }

  /** Why none is usable: of one its own failure, of several the first that is more than busy. */
  #problem(): EngineFailure {
    const failures = this.#endpoints.flatMap(({ state }) => (state.kind === "aside" ? [state.failure] : []));
    const failure = failures.find(({ kind }) => kind !== "busy") ?? failures[0];
    if (failure === undefined)
      return new EngineFailure("gone", "No engine is usable. Try again in a few seconds.");
    if (failures.length === 1) return failure;
    const { kind, message, retryAfterMs } = failure;
    return new EngineFailure(kind, `None of ${failures.length} engines is usable. ${message}`, {
      cause: failure,
      retryAfterMs,
    });
  }
}
