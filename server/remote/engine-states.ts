/** How each engine elsewhere is, and why: for the log, `/health`, and whoever started a command. */
import type { EngineState } from "../../shared/contract.ts";

export class EngineStates {
  readonly #states = new Map<string, EngineState>();

  /** In the order in which the engines were named. */
  get all(): readonly EngineState[] {
    return [...this.#states.values()];
  }

  set(state: EngineState): void {
    this.#states.set(state.engine, state);
  }

  /** One sentence for each engine that is left out while others work. */
  get leftOut(): readonly string[] {
    const usable = this.all.some(({ state }) => state === "ready");
    return this.all.flatMap(({ engine, state, reason }) =>
      usable && state === "aside" ? `The engine ${engine} is left out: ${reason ?? "it failed."}` : [],
    );
  }
}
