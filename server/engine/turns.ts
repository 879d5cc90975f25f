/** Who computes next: contexts share the machine, and a decode call at a time has all of it. */
import type { Priority } from "../../shared/contract.ts";

export class Turns {
  readonly #waiting: Record<Priority, (() => void)[]> = { interactive: [], bulk: [] };
  #taken = false;

  /**
   * Waits for a turn: interactive work before bulk work, and within a priority in the order of asking. Whoever asks again
   * after each turn takes turns with the others, so that a ranking is not held up by a long sample, nor the other way
   * round by more than one decode call.
   * @returns gives the turn back; to be called once
   */
  async take(priority: Priority): Promise<() => void> {
    if (this.#taken) await new Promise<void>((resolve) => this.#waiting[priority].push(resolve));
    this.#taken = true;
    return () => {
      const next = this.#waiting.interactive.shift() ?? this.#waiting.bulk.shift();
      // It stays taken: nobody who comes between may have it.
      if (next) next();
      else this.#taken = false;
    };
  }
}
