/** Waiting work of one context: interactive before bulk, first come first served within a priority. */
import type { Priority } from "../../shared/contract.ts";

export class PriorityQueue<T extends { readonly priority: Priority }> {
  readonly #waiting: Record<Priority, T[]> = { interactive: [], bulk: [] };

  /** How much of this priority waits. */
  waiting(priority: Priority): number {
    return this.#waiting[priority].length;
  }

  /** What of this priority comes first, left where it is: interrupted work stands there. */
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

  shift(): T | undefined {
    return this.#waiting.interactive.shift() ?? this.#waiting.bulk.shift();
  }

  /** Whether something is waiting that must run before work of this priority. */
  overtakes(priority: Priority): boolean {
    return priority === "bulk" && this.#waiting.interactive.length > 0;
  }

  remove(item: T): void {
    const lane = this.#waiting[item.priority];
    const index = lane.indexOf(item);
    if (index >= 0) lane.splice(index, 1);
  }
}
