/** The only owner of what is kept between sessions on this machine (besides secrets and counts of usage). */
import type { Memento } from "vscode";
import type { Outcome } from "./outcomes.ts";

const STATISTICS = "statistics";

export class StatisticsStore {
  readonly #state: Memento;

  constructor(state: Memento) {
    this.#state = state;
  }

  get outcomes(): readonly Outcome[] {
    return this.#state.get<readonly Outcome[]>(STATISTICS, []);
  }

  async setOutcomes(outcomes: readonly Outcome[]): Promise<void> {
    await this.#state.update(STATISTICS, outcomes.length === 0 ? undefined : outcomes);
  }
}
