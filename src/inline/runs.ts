/** The runs of this window: found again by the cursor, ended when the document has moved on. */
import type { CursorContext } from "../editor/cursor-context.ts";
import type { TypedSince } from "./reuse.ts";
import { typedSince } from "./reuse.ts";
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

  /** Runs that the cursor continues, newest first. Cancelled ones count by what they had. */
  *continuedAt(cursor: CursorContext): Generator<{ readonly run: Run; readonly from: TypedSince }> {
    for (const run of this.#runs.toReversed()) {
      const from = typedSince(run.cursor, cursor);
      if (from) yield { run, from };
    }
  }

  /** The run for exactly this cursor, unless it was cancelled. */
  at(cursor: CursorContext): Run | undefined {
    for (const { run, from } of this.continuedAt(cursor)) {
      if (from.typed === "" && from.closers === "" && !run.cancelled) return run;
    }
    return undefined;
  }

  /** Cancels what still runs in the document and does not lead to this cursor. */
  cancelOthers(cursor: CursorContext): void {
    for (const run of this.#runs) {
      if (run.cursor.uri === cursor.uri && !leadsTo(run, cursor)) run.cancel();
    }
  }

  /** Cancels and forgets all runs of a document. */
  forget(uri: string): void {
    for (const run of this.#runs) if (run.cursor.uri === uri) run.cancel();
    this.#runs = this.#runs.filter((run) => run.cursor.uri !== uri);
  }

  dispose(): void {
    for (const run of this.#runs) run.cancel();
    this.#runs = [];
  }
}

/** Whether the user is typing along with one of the run's candidates, or is still where it was asked for. */
function leadsTo(run: Run, cursor: CursorContext): boolean {
  const from = typedSince(run.cursor, cursor);
  if (!from) return false;
  return from.typed === "" || run.state.candidates.some(({ insert }) => insert.startsWith(from.typed));
}
