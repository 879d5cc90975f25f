/** The runs of this window: found again by place, ended when the document has moved on. */
import type { Place } from "../editor/cursor-context.ts";
import type { Continuation } from "./reuse.ts";
import { continuation } from "./reuse.ts";
import type { Run } from "./run.ts";

/** Places that can be returned to, by undo or by moving the cursor; each holds some texts. */
const MAX_RUNS = 50;

export class Runs {
  /** Newest last. */
  #runs: Run[] = [];

  add(run: Run): void {
    this.#runs.push(run);
    for (const old of this.#runs.slice(0, -MAX_RUNS)) old.cancel();
    this.#runs = this.#runs.slice(-MAX_RUNS);
  }

  get(id: string): Run | undefined {
    return this.#runs.find((run) => run.id === id);
  }

  /** Runs that the place continues, newest first. Cancelled ones count by what they had. */
  *continuedAt(place: Place): Generator<{ readonly run: Run; readonly from: Continuation }> {
    for (const run of this.#runs.toReversed()) {
      const from = continuation(run.place, place);
      if (from) yield { run, from };
    }
  }

  /** The run for exactly this place, unless it was cancelled. */
  at(place: Place): Run | undefined {
    for (const { run, from } of this.continuedAt(place)) {
      if (from.typed === "" && from.closers === "" && !run.cancelled) return run;
    }
    return undefined;
  }

  /** Cancels what still runs in the document and does not lead to this place. */
  cancelOthers(place: Place): void {
    for (const run of this.#runs) {
      if (run.place.uri === place.uri && !leadsTo(run, place)) run.cancel();
    }
  }

  /** Cancels and forgets all runs of a document. */
  forget(uri: string): void {
    for (const run of this.#runs) if (run.place.uri === uri) run.cancel();
    this.#runs = this.#runs.filter((run) => run.place.uri !== uri);
  }

  dispose(): void {
    for (const run of this.#runs) run.cancel();
    this.#runs = [];
  }
}

/** Whether the user is typing along with one of the run's candidates, or is still where it was asked for. */
function leadsTo(run: Run, place: Place): boolean {
  const from = continuation(run.place, place);
  if (!from) return false;
  return from.typed === "" || run.state.checked.some(({ insert }) => insert.startsWith(from.typed));
}
