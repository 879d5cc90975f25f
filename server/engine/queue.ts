/**
 * Waiting work of one context: interactive before bulk, first come first served within a priority. Bulk work has a turn
 * after a few interactive ones, so that it ends however many of those come.
 */
import type { Priority } from "../../shared/contract.ts";

/** Interactive jobs in a row that go before bulk work that waits. */
export const INTERACTIVE_IN_A_ROW = 4;

export class PriorityQueue<T extends { readonly priority: Priority }> {
  readonly #waiting: Record<Priority, T[]> = { interactive: [], bulk: [] };
  /** Interactive jobs that were taken since bulk work began to wait for its turn. */
  #passed = 0;

  /** How much of this priority waits. */
  waiting(priority: Priority): number {
    return this.#waiting[priority].length;
  }

  /** What of this priority comes first, left where it is: interrupted work is there. */
  first(priority: Priority): T | undefined {
    return this.#waiting[priority][0];
  }

  push(item: T): void {
    this.#waiting[item.priority].push(item);
  }

  /** Puts interrupted work back before everything of its priority. */
  pushFront(item: T): void {
    this.#waiting[item.priority].unshift(item);
  }

  /** What `shift` will take. */
  next(): T | undefined {
    const { interactive, bulk } = this.#waiting;
    const first = this.#passed >= INTERACTIVE_IN_A_ROW ? bulk[0] : interactive[0];
    return first ?? interactive[0] ?? bulk[0];
  }

  shift(): T | undefined {
    const item = this.next();
    if (item === undefined) return undefined;
    this.#waiting[item.priority].shift();
    this.#passed = item.priority === "interactive" && this.#waiting.bulk.length > 0 ? this.#passed + 1 : 0;
    return item;
  }

  /** Whether something is waiting that should run before more work of this priority. */
  overtakes(priority: Priority): boolean {
    return priority === "bulk" && this.#waiting.interactive.length > 0;
  }

  remove(item: T): void {
    const lane = this.#waiting[item.priority];
    const index = lane.indexOf(item);
    if (index >= 0) lane.splice(index, 1);
  }
}
