/** Joining the shared server, one time at a time: all who need it wait for the same. */
import type { ServerEndpoint } from "../ranking/server-client.ts";

interface Flight {
  readonly fresh: boolean;
  readonly endpoint: Promise<ServerEndpoint>;
  readonly controller: AbortController;
}

export class SingleFlight {
  readonly #join: (fresh: boolean, signal: AbortSignal) => Promise<ServerEndpoint>;
  #present: Flight | undefined;

  /** @param join joins the server; a fresh one replaces the server that is there, if any */
  constructor(join: (fresh: boolean, signal: AbortSignal) => Promise<ServerEndpoint>) {
    this.#join = join;
  }

  get underWay(): boolean {
    return this.#present !== undefined;
  }

  /**
   * Joins, or waits for what is under way.
   * @param fresh replaces the server; also the one that is just being joined, which is waited for first
   */
  endpoint(fresh = false): Promise<ServerEndpoint> {
    const before = this.#present;
    if (before && (before.fresh || !fresh)) return before.endpoint;
    const controller = new AbortController();
    const { signal } = controller;
    signal.addEventListener("abort", () => before?.controller.abort(signal.reason));
    const endpoint = before ? this.#after(before, signal) : this.#join(fresh, signal);
    const join = { fresh, controller, endpoint };
    this.#present = join;
    endpoint
      .catch(() => {})
      .finally(() => {
        if (this.#present === join) this.#present = undefined;
      });
    return endpoint;
  }

  /** Resolves when nothing is under way any more, however it ended. */
  async settled(): Promise<void> {
    while (this.#present) await this.#present.endpoint.catch(() => {});
  }

  /** Nobody wants the server any more: who waits for it is told the reason. */
  giveUp(reason: Error): void {
    this.#present?.controller.abort(reason);
    this.#present = undefined;
  }

  async #after(before: Flight, signal: AbortSignal): Promise<ServerEndpoint> {
    await before.endpoint.catch(() => {});
    signal.throwIfAborted();
    return this.#join(true, signal);
  }
}
