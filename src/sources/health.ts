/** How each source is doing: for the status item, and for leaving a source alone that asked for it. Pure. */
import { needsSomebody, type SourceError } from "./source-error.ts";

/**
 * How long automatic requests leave a source alone that fails until somebody does something, in milliseconds:
 * a wrong key is not sent with every key press, and a corrected server is found soon.
 */
const AUTOMATIC_PAUSE_MS = 30_000;

/** The same for one that cannot be reached or is overloaded: it may come back by itself. */
const UNREACHABLE_PAUSE_MS = 3_000;

export type SourceState =
  | { readonly kind: "unused" }
  | { readonly kind: "asking"; readonly before: SourceState }
  | {
      readonly kind: "ready";
      /** When it last gave a completion, in milliseconds since 1970. */
      readonly at: number;
      /** From the request to its first completion, in milliseconds. */
      readonly firstMs: number;
      readonly completions: number;
    }
  | { readonly kind: "failed"; readonly at: number; readonly error: SourceError };

export class Health {
  readonly #states = new Map<string, SourceState>();
  readonly #listeners = new Set<(id: string) => void>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** State of a source by its id. */
  of(id: string): SourceState {
    return this.#states.get(id) ?? { kind: "unused" };
  }

  /** Calls back with the id of every source whose state changes. */
  onChange(listener: (id: string) => void): { dispose(): void } {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  }

  asking(id: string): void {
    const before = this.of(id);
    this.#set(id, { kind: "asking", before: before.kind === "asking" ? before.before : before });
  }

  ready(id: string, firstMs: number, completions: number): void {
    this.#set(id, { kind: "ready", at: this.#now(), firstMs, completions });
  }

  failed(id: string, error: SourceError): void {
    this.#set(id, { kind: "failed", at: this.#now(), error });
  }

  /** The request was given up by the user: nothing was learnt. */
  cancelled(id: string): void {
    const state = this.of(id);
    if (state.kind === "asking") this.#set(id, state.before);
  }

  /** Forgets what was wrong: after its settings or its key changed. */
  forget(id: string): void {
    if (this.#states.delete(id)) this.#tell(id);
  }

  /** The failure because of which a source is not to be asked now; undefined when it may be asked. */
  pausedBy(id: string, automatic: boolean): SourceError | undefined {
    const state = this.of(id);
    const last = state.kind === "asking" ? state.before : state;
    if (last.kind !== "failed") return undefined;
    const { at, error } = last;
    if (error.retryAt !== undefined && this.#now() < error.retryAt) return error;
    if (!automatic) return undefined;
    return this.#now() < at + pauseAfter(error) ? error : undefined;
  }

  #set(id: string, state: SourceState): void {
    this.#states.set(id, state);
    this.#tell(id);
  }

  #tell(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }
}

function pauseAfter(error: SourceError): number {
  if (needsSomebody(error.kind)) return AUTOMATIC_PAUSE_MS;
  return error.kind === "unreachable" || error.kind === "failed" ? UNREACHABLE_PAUSE_MS : 0;
}
