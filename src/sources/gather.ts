/** Asks all sources at once and yields their completions as they arrive; one that fails spoils nothing. */

import { merge } from "../base/merge.ts";
import type { Health } from "./health.ts";
import type { Completion, CompletionRequest, Source, Spending, StopEarly } from "./source.ts";
import { SourceError } from "./source-error.ts";

export interface Gathered {
  readonly source: Source;
  readonly completion: Completion;
}

/** Who keeps the account: asked before a source is, told what it spent. */
export interface Account {
  /** The failure by which a source has reached its limit of the day; undefined while it has not. */
  readonly capped: (source: Source) => SourceError | undefined;
  readonly spent: (source: Source, spending: Spending) => void;
}

export interface GatherOptions {
  /** The user's: aborts everything, down to the sockets. */
  readonly signal: AbortSignal;
  /** After this many milliseconds the sources are stopped; what has begun is yielded as incomplete. */
  readonly deadlineMs: number;
  /** Asked by typing and not by a command: only sources that allow it are asked. */
  readonly automatic: boolean;
  readonly stopEarly?: StopEarly;
  readonly health: Health;
  readonly account: Account;
  /** Called once for each source that failed or is left alone, with the reason. */
  readonly onFailure: (source: Source, error: SourceError) => void;
}

/** Never throws for a source: what is wrong with it goes to `onFailure` and to its health. */
export async function* gather(
  sources: readonly Source[],
  request: CompletionRequest,
  options: GatherOptions,
): AsyncGenerator<Gathered> {
  const leaving = new AbortController();
  const deadline = AbortSignal.timeout(options.deadlineMs);
  const signal = AbortSignal.any([options.signal, deadline, leaving.signal]);
  const asked = sources.filter((source) => !options.automatic || source.automatic);
  try {
    yield* merge(asked.map((source) => one(source, request, options, signal, deadline)));
  } finally {
    leaving.abort();
  }
}

async function* one(
  source: Source,
  request: CompletionRequest,
  options: GatherOptions,
  signal: AbortSignal,
  deadline: AbortSignal,
): AsyncGenerator<Gathered> {
  const { health, account, onFailure } = options;
  const paused = health.pausedBy(source.id, options.automatic);
  if (paused !== undefined) return onFailure(source, paused);
  const capped = account.capped(source);
  if (capped !== undefined) {
    const state = health.of(source.id);
    // Still the same failure, which was told already.
    const same = state.kind === "failed" && state.error.message === capped.message;
    if (!same) health.failed(source.id, capped);
    return onFailure(source, same ? state.error : capped);
  }
  const started = performance.now();
  let firstMs = 0;
  let given = 0;
  let failure: SourceError | undefined;
  health.asking(source.id);
  try {
    const completions = source.complete(request, {
      signal,
      ...(options.stopEarly === undefined ? {} : { stopEarly: options.stopEarly }),
      onSpent: (spending) => account.spent(source, spending),
    });
    for await (const completion of completions) {
      if (given === 0) firstMs = performance.now() - started;
      given += 1;
      yield { source, completion };
    }
    if (given === 0 && deadline.aborted && !options.signal.aborted) {
      const seconds = String(Math.max(1, Math.round(options.deadlineMs / 1000)));
      failure = new SourceError("deadline", { source: source.label, seconds });
    }
  } catch (error) {
    failure = error instanceof SourceError ? error : new SourceError("unexpected", { source: source.label });
  } finally {
    // Also reached when the consumer has enough and leaves.
    if (failure !== undefined) health.failed(source.id, failure);
    else if (given > 0) health.ready(source.id, firstMs, given);
    else health.cancelled(source.id);
  }
  if (failure !== undefined) onFailure(source, failure);
}
