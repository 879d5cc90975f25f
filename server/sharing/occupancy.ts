/** Who uses the server: windows that are open, requests that are being answered, and whether new ones still are. */
import { LIMITS, type Presence, type Priority } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";
import { dueNow, type IdleTimes } from "./idle.ts";

/** A window: called with every change for as long as its connection is open. */
export type WindowListener = (presence: Presence) => void;

export class Occupancy {
  readonly #times: IdleTimes;
  readonly #windows = new Set<WindowListener>();
  readonly #open: Record<Priority, number> = { interactive: 0, bulk: 0 };
  #lastRequest = performance.now();
  #lastWindow = performance.now();
  #presence: Presence = { state: "loading", model: null };
  #draining = false;
  #drained = () => {};

  constructor(times: IdleTimes) {
    this.#times = times;
  }

  get windows(): number {
    return this.#windows.size;
  }

  /** Counts a window until the returned function is called, and sends it the present state. */
  attend(window: WindowListener): () => void {
    this.#windows.add(window);
    window(this.#presence);
    return () => {
      if (this.#windows.delete(window)) this.#lastWindow = performance.now();
    };
  }

  /** Sends a state to all windows. What a server that ends or failed says is its last word. */
  tell(presence: Presence): void {
    if (this.#presence.state === "failed" || this.#presence.state === "draining") return;
    this.#presence = presence;
    for (const window of this.#windows) window(presence);
  }

  /**
   * Does work that keeps the server and its model alive.
   * @throws ServiceError restarting when no new work is taken, too_busy when there is too much of this priority
   */
  async during<T>(priority: Priority, work: () => Promise<T>): Promise<T> {
    if (this.#draining) throw restarting();
    // Counted by priority: a flood of bulk work must not turn away the editor.
    if (this.#open[priority] >= LIMITS.openRequests) {
      throw new ServiceError("too_busy", "Too many requests are being answered. Try again in a few seconds.");
    }
    this.#open[priority]++;
    try {
      return await work();
    } finally {
      this.#open[priority]--;
      this.#lastRequest = performance.now();
      if (this.#requests === 0) this.#drained();
    }
  }

  get #requests(): number {
    return this.#open.interactive + this.#open.bulk;
  }

  /** Takes no new work and resolves when the last is done. */
  drain(): Promise<void> {
    this.tell({ ...this.#presence, state: "draining" });
    this.#draining = true;
    return new Promise((resolve) => {
      this.#drained = resolve;
      if (this.#requests === 0) resolve();
    });
  }

  /** What is due now; see `dueNow`. */
  due(): "exit" | "unload" | undefined {
    const use = {
      requests: this.#requests,
      windows: this.#windows.size,
      lastRequest: this.#lastRequest,
      lastWindow: this.#lastWindow,
    };
    return dueNow(use, this.#times, performance.now());
  }
}

/** The request was not begun: whoever sent it may send it again, to the server that the lease names now. */
export function restarting(): ServiceError {
  return new ServiceError(
    "restarting",
    "The reward server is ending or being replaced. Send the request again.",
  );
}
