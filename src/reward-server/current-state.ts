/** How the reward server is now, and who hears of it. */
import { Emitter, type Event } from "../base/emitter.ts";
import type { ServerState } from "./server-interface.ts";

export class CurrentState {
  readonly #changed = new Emitter<ServerState>();
  #value: ServerState = { kind: "stopped" };
  readonly onDidChange: Event<ServerState> = this.#changed.event;

  get value(): ServerState {
    return this.#value;
  }

  enter(state: ServerState): void {
    this.#value = state;
    this.#changed.fire(state);
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
