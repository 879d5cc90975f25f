/** Joining the shared server, one time at a time: all who need it wait for the same. */
import type { Endpoint } from "../ranking/client.ts";

interface Join {
  readonly fresh: boolean;
  readonly endpoint: Promise<Endpoint>;
  readonly controller: AbortController;
}

export class Joins {
  readonly #join: (fresh: boolean, signal: AbortSignal) => Promise<Endpoint>;
  #present: Join | undefined;

  /** @param join joins the server; a fresh one replaces the server that is there, if any */
  constructor(join: (fresh: boolean, signal: AbortSignal) => Promise<Endpoint>) {
    this.#join = join;
  }

  get underWay(): boolean {
    return this.#present !== undefined;
  }

  /**
   * Joins, or waits for what is under way.
   * @param fresh replaces the server; also the one that is just being joined, which is waited for first
   */
  endpoint(fresh = false): Promise<Endpoint> {
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

  async #after(before: Join, signal: AbortSignal): Promise<Endpoint> {
    await before.endpoint.catch(() => {});
    signal.throwIfAborted();
    return this.#join(true, signal);
  }
}
