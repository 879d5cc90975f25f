/** The only owner of what is kept between sessions on this machine (besides secrets and counts of usage). */
import type { Memento } from "vscode";
import type { Record } from "./outcomes.ts";

const STATISTICS = "statistics";

export class Memory {
  readonly #state: Memento;

  constructor(state: Memento) {
    this.#state = state;
  }

  get records(): readonly Record[] {
    return this.#state.get<readonly Record[]>(STATISTICS, []);
  }

  async setRecords(records: readonly Record[]): Promise<void> {
    await this.#state.update(STATISTICS, records.length === 0 ? undefined : records);
  }
}
