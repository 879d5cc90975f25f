/** Asks all sources at once and yields what they give as it arrives; one that fails spoils nothing. */
import { merge } from "../base/merge.ts";
import type { Health } from "./health.ts";
import type { Pace, Portion } from "./pace.ts";
import type { Completion, CompletionRequest, OnDraft, Source, Spending, StopEarly } from "./source.ts";
import { SourceError } from "./source-error.ts";

/** What comes from a source: a completion, or at its end the reason why there are no more. */
export type Arrival =
  | { readonly kind: "completion"; readonly source: SourceName; readonly completion: Completion }
  | { readonly kind: "failure"; readonly source: SourceName; readonly error: SourceError };

export type SourceName = Pick<Source, "id" | "label">;

/** Who keeps the account: asked before a source is, told what it spent. */
export interface Account {
  /** The failure by which a source has reached its limit of the day; undefined while it has not. */
  readonly capped: (source: Source) => SourceError | undefined;
  readonly spent: (source: Source, spending: Spending) => void;
}

/** Hears of what a source is writing. */
export type OnSourceDraft = (source: SourceName, ...draft: Parameters<OnDraft>) => void;

export interface GatherOptions {
  /** The user's: aborts everything, down to the sockets. */
  readonly signal: AbortSignal;
  /** After this many milliseconds the sources are stopped; what has begun is yielded as incomplete. */
  readonly deadlineMs: number;
  /** Asked by typing and not by a command: only sources that allow it are asked. */
  readonly automatic: boolean;
  readonly stopEarly?: StopEarly;
  /** Hears of completions that are being written; `key` as for `OnDraft`. */
  readonly onDraft?: OnSourceDraft;
  readonly health: Health;
  readonly account: Account;
  /** Adapts what a source is asked for to what it gives in time; undefined asks for all. */
  readonly pacing?: { readonly pace: Pace; readonly budgetMs: number };
}

/** Never throws for a source: what is wrong with it arrives like its completions, and goes to its health. */
export async function* gather(
  sources: readonly Source[],
  request: CompletionRequest,
  options: GatherOptions,
): AsyncGenerator<Arrival> {
  const leaving = new AbortController();
  const deadline = AbortSignal.timeout(options.deadlineMs);
  const signal = AbortSignal.any([options.signal, deadline, leaving.signal]);
  const asked = sources.filter((source) => !options.automatic || source.automatic);
  try {
    yield* merge(asked.map((source) => arrivalsOf(source, request, options, signal, deadline)));
  } finally {
    leaving.abort();
  }
}

async function* arrivalsOf(
  source: Source,
  request: CompletionRequest,
  options: GatherOptions,
  signal: AbortSignal,
  deadline: AbortSignal,
): AsyncGenerator<Arrival> {
  const { health, account, onDraft, pacing } = options;
  const unaskable = reasonNotToAsk(source, options);
  if (unaskable !== undefined) {
    yield { kind: "failure", source, error: unaskable };
    return;
  }
  const portion = pacing?.pace.portion(source.id, request.count);
  const stopEarly = portion?.singleLine ? afterFirstLine(options.stopEarly) : options.stopEarly;
  const started = performance.now();
  let firstMs = 0;
  let given = 0;
  let error: SourceError | undefined;
  health.asking(source.id);
  try {
    const completions = source.complete(portion ? portioned(request, portion) : request, {
      signal,
      // What ends by itself in time can still be shown.
      budgetMs: pacing ? pacing.budgetMs * IN_TIME : options.deadlineMs,
      ...(stopEarly && { stopEarly }),
      ...(onDraft && { onDraft: (key, text) => onDraft(source, key, text) }),
      onSpent: (spending) => account.spent(source, spending),
    });
    for await (const completion of completions) {
      if (given === 0) firstMs = performance.now() - started;
      given += 1;
      yield { kind: "completion", source, completion };
    }
    if (given === 0 && deadline.aborted && !options.signal.aborted) {
      const seconds = String(Math.max(1, Math.round(options.deadlineMs / 1000)));
      error = new SourceError("deadline", { source: source.label, seconds });
    }
  } catch (caught) {
    error = caught instanceof SourceError ? caught : new SourceError("unexpected", { source: source.label });
  } finally {
    // Also reached when the consumer has enough and leaves.
    if (error !== undefined) health.failed(source.id, error);
    else if (given > 0) health.ready(source.id, firstMs, given);
    else health.cancelled(source.id);
    if (pacing && portion && (error === undefined || error.kind === "deadline")) {
      pacing.pace.learn(source.id, {
        asked: portion,
        firstMs: given > 0 ? firstMs : undefined,
        elapsedMs: performance.now() - started,
        budgetMs: pacing.budgetMs,
      });
    }
  }
  if (error !== undefined) yield { kind: "failure", source, error };
}

/** This part of the time for a suggestion is a source's; the rest is for checking what it gave. */
const IN_TIME = 0.9;

/** Tokens that one line of code needs at most; a longer one is cut. */
const LINE_TOKENS = 64;

function portioned(request: CompletionRequest, { count, singleLine }: Portion): CompletionRequest {
  return {
    ...request,
    count,
    maxTokens: singleLine ? Math.min(request.maxTokens, LINE_TOKENS) : request.maxTokens,
  };
}

/** Stops behind the first line that has something in it, or where it would have stopped anyway. */
function afterFirstLine(stopEarly: StopEarly | undefined): StopEarly {
  return (text) => text.trimStart().includes("\n") || stopEarly?.(text) === true;
}

/** Why a source is left alone now; undefined where it may be asked. */
function reasonNotToAsk(
  source: Source,
  { health, account, automatic }: GatherOptions,
): SourceError | undefined {
  const paused = health.pausedBy(source.id, automatic);
  if (paused !== undefined) return paused;
  const capped = account.capped(source);
  if (capped === undefined) return undefined;
  const state = health.of(source.id);
  // Still the same failure, which was told already.
  if (state.kind === "failed" && state.error.message === capped.message) return state.error;
  health.failed(source.id, capped);
  return capped;
}
