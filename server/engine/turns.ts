/** Who computes next: contexts share the machine, and a decode call at a time has all of it. */
import type { Priority } from "../../shared/contract.ts";

/** While interactive work goes on, bulk work gets one part in so many of the time. */
const BULK_PART = 5;

export class Turns {
  readonly #waiting: Record<Priority, (() => void)[]> = { interactive: [], bulk: [] };
  readonly #now: () => number;
  #taken = false;
  /** Interactive work that is not done, whether or not it asks for a turn just now. */
  #interactive = 0;
  /** Milliseconds that interactive work has had since the last turn of bulk work, and how long that was. */
  #sinceBulk = 0;
  #lastBulk = 0;

  /** @param now milliseconds of a clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Says that interactive work has begun: between two of its turns, too, bulk work gets no more than its part.
   * @returns says that it is done; to be called once
   */
  begin(): () => void {
    this.#interactive++;
    return () => {
      this.#interactive--;
      if (!this.#taken) this.#next();
    };
  }

  /**
   * Waits for a turn: within a priority in the order of asking. Whoever asks again after each turn takes turns with the
   * others, so that a ranking is not held up by a long sample, nor the other way round by more than one decode call.
   * @returns gives the turn back; to be called once
   */
  async take(priority: Priority): Promise<() => void> {
    await new Promise<void>((resolve) => {
      this.#waiting[priority].push(resolve);
      if (!this.#taken) this.#next();
    });
    const started = this.#now();
    return () => {
      const took = this.#now() - started;
      if (priority === "interactive") this.#sinceBulk += took;
      else [this.#lastBulk, this.#sinceBulk] = [took, 0];
      this.#next();
    };
  }

  /** Gives the turn to who is next; nobody may be, although bulk work waits. */
  #next(): void {
    const { interactive, bulk } = this.#waiting;
    const due = this.#interactive === 0 || this.#sinceBulk >= (BULK_PART - 1) * this.#lastBulk;
    const next = due ? (this.#interactive > 0 ? bulk : interactive).shift() : undefined;
    const chosen = next ?? interactive.shift() ?? (due ? bulk.shift() : undefined);
    // It is taken from now on: nobody who comes between may have it.
    this.#taken = chosen !== undefined;
    chosen?.();
  }
}
