/** What happened to one request, step by step: the answer to "Why was nothing shown?". Never holds code. */

export type Trigger =
  /** The user typed. */
  | "automatic"
  /** The editor asked for all suggestions: its own command, cycling, hover. */
  | "invoked"
  /** Our command. */
  | "command"
  /** After an accepted suggestion, for the next place. */
  | "prefetch";

export type TraceEvent =
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "automatic-off" }
  /** Right of the cursor a word goes on. */
  | { readonly kind: "inside-word" }
  | { readonly kind: "no-source"; readonly configured: number }
  | { readonly kind: "reused"; readonly count: number }
  | { readonly kind: "joined" }
  | { readonly kind: "paused"; readonly ms: number }
  | { readonly kind: "superseded"; readonly stage: "pause" | "candidates" }
  | { readonly kind: "asked"; readonly sources: readonly string[]; readonly count: number }
  /** A source that is too slow for what the user wants was asked for less. */
  | {
      readonly kind: "slow-source";
      readonly source: string;
      readonly count: number;
      readonly singleLine: boolean;
      /** Usual time to its first completion, in milliseconds. */
      readonly usualMs: number;
    }
  | {
      readonly kind: "arrived";
      readonly id: string;
      readonly source: string;
      readonly characters: number;
      readonly valid: boolean;
      readonly reason: string | null;
      /** Only its whole lines so far. */
      readonly draft: boolean;
    }
  | { readonly kind: "source-failed"; readonly source: string; readonly problem: string }
  | { readonly kind: "ranked"; readonly count: number; readonly ms: number }
  | { readonly kind: "ranking-failed"; readonly problem: string }
  | { readonly kind: "all-arrived"; readonly count: number }
  | { readonly kind: "cancelled" }
  /** Something changed the text around the cursor while candidates were on their way. */
  | { readonly kind: "document-changed" }
  | { readonly kind: "late"; readonly budget: number }
  | { readonly kind: "none-valid"; readonly count: number }
  | { readonly kind: "abstained"; readonly probability: number; readonly least: number }
  | { readonly kind: "shown"; readonly count: number; readonly ranked: boolean };

export interface Step {
  /** Milliseconds since the request. */
  readonly at: number;
  readonly event: TraceEvent;
}

export interface Trace {
  readonly trigger: Trigger;
  /** Name of the file, without its folders. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly startedAt: Date;
  readonly steps: readonly Step[];
}

/** Writes the steps of one request. */
export class Tracer {
  readonly #steps: Step[] = [];
  readonly #started = performance.now();
  readonly trace: Trace;

  constructor(trigger: Trigger, file: string, line: number) {
    this.trace = { trigger, file, line, startedAt: new Date(), steps: this.#steps };
  }

  /** Milliseconds since the request. */
  get elapsed(): number {
    return performance.now() - this.#started;
  }

  add(event: TraceEvent): void {
    this.#steps.push({ at: Math.round(this.elapsed), event });
  }
}

/** Requests that can be looked up. */
const MAX_TRACES = 50;

/** The last requests, newest last. Those that typing made obsolete go first. */
export class TraceLog {
  readonly #traces: Trace[] = [];

  get traces(): readonly Trace[] {
    return this.#traces;
  }

  /**
   * Begins the trace of a request, and keeps it while it grows.
   * @param path of the document; its folders are left out
   * @param line from 0
   */
  start(trigger: Trigger, path: string, line: number): Tracer {
    const tracer = new Tracer(trigger, path.slice(path.lastIndexOf("/") + 1), line + 1);
    this.keep(tracer.trace);
    return tracer;
  }

  /** Keeps a trace; it may go on growing. */
  keep(trace: Trace): void {
    this.#traces.push(trace);
    if (this.#traces.length <= MAX_TRACES) return;
    const obsolete = this.#traces.findIndex((one) => !saysSomething(one));
    this.#traces.splice(Math.max(0, obsolete), 1);
  }

  /** The last request that says something: not one that the next keystroke replaced. */
  last(): Trace | undefined {
    return this.#traces.findLast(saysSomething) ?? this.#traces.at(-1);
  }

  /** The ones before it, newest first. */
  earlier(): readonly Trace[] {
    const last = this.last();
    return this.#traces.filter((trace) => trace !== last && saysSomething(trace)).reverse();
  }
}

function saysSomething({ steps }: Trace): boolean {
  return steps.at(-1)?.event.kind !== "superseded";
}
