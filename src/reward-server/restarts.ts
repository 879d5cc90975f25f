/** The ends of the shared server that this window saw, and its start after the last of them. */
import type { RankError } from "../ranking/server-client.ts";
import { afterEnd, restartDelay, type Sequel } from "./restart-budget.ts";
import type { Exit } from "./server-process.ts";

/** Windows that saw the same end do not start at the same moment. */
const SPREAD_MS = 400;

export class Restarts {
  readonly #start: () => void;
  /** On the monotonic clock, in milliseconds. */
  #ends: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(start: () => void) {
    this.#start = start;
  }

  /** Whether a server that died so often is still started again. */
  get worthwhile(): boolean {
    return restartDelay(this.#ends, performance.now()) !== undefined;
  }

  count(): void {
    this.#ends = [...this.#ends, performance.now()];
  }

  /** What follows the end that was counted last. */
  sequel(problem: RankError, exit: Exit | undefined): Sequel {
    return afterEnd(problem, exit, this.#ends, performance.now());
  }

  /** Starts it after a pause, instead of any other time. */
  schedule(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#start, delay + Math.random() * SPREAD_MS);
  }

  /** It starts no more by itself, until it ends again. */
  cancel(): void {
    clearTimeout(this.#timer);
  }

  /** Other settings, or the user: the ends before say nothing any more. */
  reset(): void {
    this.cancel();
    this.#ends = [];
  }
}
