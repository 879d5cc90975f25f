/** One engine of a pool: connected and checked, or put aside for a while; its health is watched while it works. */

import type { Connection } from "./connect.ts";
import { EngineFailure } from "./engine-failure.ts";
import { InFlightLimit } from "./in-flight.ts";
import { ask } from "./request.ts";
import type { EngineTarget } from "./targets.ts";

export interface EndpointTiming {
  /** For answers that take no computing. */
  readonly shortMs: number;
  /** First pause after a failure; doubled each time. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Between two looks at the health of an engine that has work. */
  readonly healthEveryMs: number;
}

/** Looks in a row that must fail before the work of an engine is taken away. */
const HEALTH_FAILURES = 2;

type State =
  | { readonly kind: "connecting" }
  | { readonly kind: "ready"; readonly connection: Connection }
  | {
      readonly kind: "aside";
      readonly failure: EngineFailure;
      readonly since: number;
      readonly until: number;
      readonly timer: NodeJS.Timeout;
      /** An engine that is only busy need not be checked again. */
      readonly connection: Connection | undefined;
    };

export class Endpoint {
  readonly target: EngineTarget;
  readonly #connect: (signal: AbortSignal) => Promise<Connection>;
  readonly #timing: EndpointTiming;
  readonly #changed: (endpoint: Endpoint) => void;
  readonly #closed = new AbortController();
  readonly #running = new Set<AbortController>();
  readonly #limit: InFlightLimit;
  #state: State = { kind: "connecting" };
  #failures = 0;
  #watch: NodeJS.Timeout | undefined;

  /** @param changed called after every change of state */
  constructor(
    target: EngineTarget,
    connect: (signal: AbortSignal) => Promise<Connection>,
    timing: EndpointTiming,
    changed: (endpoint: Endpoint) => void,
  ) {
    this.target = target;
    this.#limit = new InFlightLimit(target.concurrency);
    this.#connect = connect;
    this.#timing = timing;
    this.#changed = changed;
  }

  get state(): State {
    return this.#state;
  }

  /** Requests that it works on. */
  get outstanding(): number {
    return this.#running.size;
  }

  /** Whether it takes another request now. */
  get hasRoom(): boolean {
    return this.#running.size < this.#limit.limit;
  }

  /** Connects and checks; what fails puts it aside. Never rejects. */
  async open(): Promise<void> {
    if (this.#state.kind === "aside") clearTimeout(this.#state.timer);
    this.#enter({ kind: "connecting" });
    try {
      const connection = await this.#connect(this.#closed.signal);
      this.#failures = 0;
      this.#enter({ kind: "ready", connection });
    } catch (error) {
      if (!this.#closed.signal.aborted) this.setAside(asFailure(this.target, error));
    }
  }

  /**
   * Runs one request; while any runs, its health is looked at.
   * @param amount how much work it is, in any unit that stays the same
   * @param work gets a signal that is aborted with an EngineFailure once the engine is given up
   */
  async run<T>(amount: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#running.add(controller);
    this.#limit.started(this.#running.size, performance.now());
    this.#watch ??= this.#startWatch();
    try {
      const result = await work(AbortSignal.any([controller.signal, this.#closed.signal]));
      this.#failures = 0;
      this.#limit.finished(amount, performance.now());
      return result;
    } finally {
      this.#running.delete(controller);
      if (this.#running.size === 0) {
        clearInterval(this.#watch);
        this.#watch = undefined;
      }
    }
  }

  /** Gives it no more work until it was tried again after a pause; its running requests fail, unless it is only busy. */
  setAside(failure: EngineFailure): void {
    if (this.#closed.signal.aborted) return;
    if (this.#state.kind === "aside") {
      // One that fails while it is only busy may come back as another: it must be checked again.
      if (failure.kind === "busy" || this.#state.connection === undefined) return;
      clearTimeout(this.#state.timer);
    }
    const { firstPauseMs, longestPauseMs } = this.#timing;
    const connection =
      failure.kind === "busy" && this.#state.kind === "ready" ? this.#state.connection : undefined;
    const pause =
      failure.retryAfterMs ?? Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(this.#failures, 16));
    this.#failures++;
    this.#limit.reset();
    const since = Date.now();
    const timer = setTimeout(() => {
      if (connection === undefined) void this.open();
      else this.#enter({ kind: "ready", connection });
    }, pause);
    this.#enter({ kind: "aside", failure, since, until: since + pause, timer, connection });
    if (failure.kind !== "busy") for (const controller of this.#running) controller.abort(failure);
  }

  close(reason: Error): void {
    if (this.#state.kind === "aside") clearTimeout(this.#state.timer);
    clearInterval(this.#watch);
    this.#closed.abort(reason);
  }

  #enter(state: State): void {
    if (this.#closed.signal.aborted) return;
    this.#state = state;
    this.#changed(this);
  }

  #startWatch(): NodeJS.Timeout {
    const { shortMs, healthEveryMs } = this.#timing;
    let failures = 0;
    let looking = false;
    const look = async (): Promise<void> => {
      const state = this.#state;
      if (looking || state.kind !== "ready") return;
      looking = true;
      try {
        const { wire } = state.connection;
        await ask(this.target, wire.health, { signal: this.#closed.signal, timeoutMs: shortMs });
        failures = 0;
      } catch (error) {
        failures++;
        if (failures >= HEALTH_FAILURES) this.setAside(asFailure(this.target, error, "gone"));
      } finally {
        looking = false;
      }
    };
    return setInterval(() => void look(), healthEveryMs);
  }
}

function asFailure(target: EngineTarget, error: unknown, kind?: EngineFailure["kind"]): EngineFailure {
  if (error instanceof EngineFailure) {
    return kind === undefined ? error : new EngineFailure(kind, error.message, { cause: error });
  }
  return new EngineFailure("gone", `${target.host} cannot be asked (${String(error)}).`, { cause: error });
}
