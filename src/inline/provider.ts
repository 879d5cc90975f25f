/** The editor's inline completions: answered from earlier runs where they fit, else by a new one. */
import * as vscode from "vscode";
import { abortSignalOf, delay } from "../base/wait.ts";
import type { Configuration } from "../editor/configuration.ts";
import type { CursorContext } from "../editor/cursor-context.ts";
import { cursorAt, exclusionReason } from "../editor/documents.ts";
import type { Settings } from "../editor/settings.ts";
import type { RankingSession } from "../ranking/session.ts";
import { accepted, keystroke, NOT_TYPING, pauseOf, shownAndIgnored, type Typing } from "./debounce.ts";
import { isSameCursor, restOf } from "./reuse.ts";
import type { Run, RunState } from "./run.ts";
import type { Runs } from "./runs.ts";
import { decide, type Suggestion, suggestionsOf } from "./suggestions.ts";
import type { TraceLog, Tracer, Trigger } from "./trace/trace.ts";

/** Command that the editor runs when a suggestion was accepted. */
export const ACCEPTED_COMMAND = "codescaler.accepted";
export type AcceptedArguments = readonly [rankingId: string, candidateId: string];

/**
 * Once something valid is there, its score is waited for no longer than this: the reward of one completion by the
 * embedded model takes a fraction of it, and a slow model must not lose the race that other providers run.
 */
const SCORE_WAIT_MS = 150;

export interface InlineDependencies {
  readonly configuration: Configuration;
  readonly runs: Runs;
  readonly session: RankingSession;
  readonly traces: TraceLog;
  /** Usual time to the first completion, in milliseconds; undefined while it is not known. */
  readonly usualMs: () => number | undefined;
  /** Starts a run; undefined when no source may be asked for this trigger. */
  askSources(
    cursor: CursorContext,
    trigger: Trigger,
    settings: Settings,
    tracer: Tracer,
  ): Promise<Run | undefined>;
}

/** Where the user is typing and what is to be inserted there. */
interface SuggestionRequest {
  readonly document: vscode.TextDocument;
  readonly position: vscode.Position;
  readonly pending: vscode.SelectedCompletionInfo | undefined;
  readonly cursor: CursorContext;
}

export class InlineProvider implements vscode.InlineCompletionItemProvider {
  readonly #deps: InlineDependencies;
  #typing: Typing = NOT_TYPING;
  /** The run whose suggestion was given to the editor last and has not been accepted. */
  #offered: Run | undefined;

  constructor(deps: InlineDependencies) {
    this.#deps = deps;
  }

  async provideInlineCompletionItems(
    document: vscode.TextDocument,
    position: vscode.Position,
    context: vscode.InlineCompletionContext,
    token: vscode.CancellationToken,
  ): Promise<vscode.InlineCompletionItem[]> {
    const invoked = context.triggerKind === vscode.InlineCompletionTriggerKind.Invoke;
    if (!invoked) this.#typing = keystroke(this.#typing, performance.now());
    const settings = this.#deps.configuration.for(document);
    const tracer = this.#deps.traces.start(
      invoked ? "invoked" : "automatic",
      document.uri.path,
      position.line,
    );
    const refused = exclusionReason(document, settings);
    if (refused !== undefined) return nothing(tracer, { kind: "refused", why: refused });
    const pending = context.selectedCompletionInfo;
    const cursor = cursorAt(document, position, pending);
    if (!cursor) return [];
    const request: SuggestionRequest = { document, position, pending, cursor };
    const { runs } = this.#deps;
    runs.cancelOthers(cursor);
    const reused = this.#reuse(request, tracer);
    if (reused) return reused;
    if (!invoked && !settings["automatic.enable"]) return nothing(tracer, { kind: "automatic-off" });
    if (!invoked && insideWord(cursor)) return nothing(tracer, { kind: "inside-word" });
    const { signal, dispose } = abortSignalOf(token);
    try {
      return await (invoked
        ? this.#all(request, settings, tracer, signal)
        : this.#automatic(request, settings, tracer, signal));
    } catch (error) {
      if (signal.aborted) return [];
      throw error;
    } finally {
      dispose();
    }
  }

  /** The user took a suggestion. */
  noteAccepted(): void {
    this.#offered = undefined;
    this.#typing = accepted(this.#typing);
  }

  /** The automatic path: the first valid candidate within the budget, with its score where that comes in time. */
  async #automatic(
    request: SuggestionRequest,
    settings: Settings,
    tracer: Tracer,
    signal: AbortSignal,
  ): Promise<vscode.InlineCompletionItem[]> {
    const { runs } = this.#deps;
    if (this.#offered && !runs.at(request.cursor)) {
      // Something was offered, and the user went on with something else.
      this.#offered = undefined;
      this.#typing = shownAndIgnored(this.#typing);
    }
    let run = runs.at(request.cursor);
    if (run) tracer.add({ kind: "joined" });
    else {
      const ms = pauseOf(this.#typing, settings["automatic.debounce"], this.#deps.usualMs());
      tracer.add({ kind: "paused", ms });
      try {
        await delay(ms, signal);
      } catch (error) {
        tracer.add({ kind: "superseded", stage: "pause" });
        throw error;
      }
      // After an accepted suggestion the next one may have been asked for during the pause.
      run =
        runs.at(request.cursor) ??
        (await this.#deps.askSources(request.cursor, "automatic", settings, tracer));
      if (!run) return [];
    }
    try {
      return await this.#firstValid(run, request, settings, tracer, signal);
    } catch (error) {
      if (signal.aborted && run.shown === undefined) {
        tracer.add({ kind: "superseded", stage: "candidates" });
        run.cancel();
      }
      throw error;
    }
  }

  async #firstValid(
    run: Run,
    request: SuggestionRequest,
    settings: Settings,
    tracer: Tracer,
    signal: AbortSignal,
  ): Promise<vscode.InlineCompletionItem[]> {
    const least = settings["automatic.minimumProbability"];
    const until = performance.now() + settings["automatic.budget"];
    const left = () => Math.max(0, until - performance.now());
    await run.until((state) => suggestions(state).length > 0, signal, left());
    // Whole lines in time are worth more than whole answers that come too late.
    if (!run.state.done && suggestions(run.state).length === 0) await run.takeDrafts();
    await run.until(allRanked, signal, Math.min(SCORE_WAIT_MS, left()));
    await run.until((state) => decide(suggestions(state), least).kind === "show", signal, left());
    const decision = decide(suggestions(run.state), least);
    switch (decision.kind) {
      case "show":
        if (!isUnchanged(request)) return nothing(tracer, { kind: "document-changed" });
        return this.#show(run, decision.suggestions, request, tracer);
      case "none-valid":
        return nothing(
          tracer,
          run.state.done
            ? { kind: "none-valid", count: run.state.candidates.length }
            : { kind: "late", budget: settings["automatic.budget"] },
        );
      case "abstain":
        return nothing(tracer, { kind: "abstained", probability: decision.probability, least });
      default:
        return decision satisfies never;
    }
  }

  /** All there is: the editor's own command asked for it. */
  async #all(
    request: SuggestionRequest,
    settings: Settings,
    tracer: Tracer,
    signal: AbortSignal,
  ): Promise<vscode.InlineCompletionItem[]> {
    const run =
      this.#deps.runs.at(request.cursor) ??
      (await this.#deps.askSources(request.cursor, "invoked", settings, tracer));
    if (!run) return [];
    try {
      await run.until((state) => state.done, signal);
    } catch (error) {
      if (run.shown === undefined) run.cancel();
      throw error;
    }
    const found = suggestions(run.state);
    if (found.length === 0) {
      return nothing(tracer, { kind: "none-valid", count: run.state.candidates.length });
    }
    if (!isUnchanged(request)) return nothing(tracer, { kind: "document-changed" });
    return this.#show(run, found, request, tracer);
  }

  /** What an earlier run has for this cursor: the same first suggestion, better ones behind it. */
  #reuse(request: SuggestionRequest, tracer: Tracer): vscode.InlineCompletionItem[] | undefined {
    for (const { run, from } of this.#deps.runs.continuedAt(request.cursor)) {
      if (run.shown === undefined) continue;
      const all = suggestionsOf(run.state.candidates, run.state.reply, run.shown);
      const fitting = all.flatMap((suggestion) => restOf(suggestion, from) ?? []);
      if (fitting.length === 0) continue;
      tracer.add({ kind: "reused", count: fitting.length });
      return this.#show(run, fitting, request, tracer);
    }
    return undefined;
  }

  #show(
    run: Run,
    found: readonly Suggestion[],
    request: SuggestionRequest,
    tracer: Tracer,
  ): vscode.InlineCompletionItem[] {
    const [first] = found;
    if (!first) return [];
    run.shown = first.insert;
    this.#offered = run;
    this.#deps.session.update(run.id, { shown: first.id });
    tracer.add({ kind: "shown", count: found.length, ranked: first.ranked });
    return found.map((suggestion) => itemOf(run.id, suggestion, request));
  }
}

/**
 * The document still has at the cursor what the request was made for. The editor itself drops answers for what the user
 * has typed over, but not for every change that something else makes.
 */
function isUnchanged({ document, position, pending, cursor }: SuggestionRequest): boolean {
  if (document.version === cursor.version) return true;
  return isSameCursor(cursor, cursorAt(document, document.validatePosition(position), pending));
}

/** Whoever edits a name does not want code in the middle of it. */
function insideWord({ prefix, suffix }: CursorContext): boolean {
  return /[\p{L}\p{N}_$]$/u.test(prefix) && /^[\p{L}\p{N}_$]/u.test(suffix);
}

function suggestions(state: RunState): Suggestion[] {
  return suggestionsOf(state.candidates, state.reply, undefined);
}

function allRanked(state: RunState): boolean {
  return state.ranked > 0 && state.ranked === state.candidates.length;
}

function nothing(tracer: Tracer, why: Parameters<Tracer["add"]>[0]): vscode.InlineCompletionItem[] {
  tracer.add(why);
  return [];
}

function itemOf(
  rankingId: string,
  { id, rest, replaces }: Suggestion,
  { position, pending }: SuggestionRequest,
): vscode.InlineCompletionItem {
  const range = pending?.range ?? new vscode.Range(position, position.translate(0, replaces));
  const args: AcceptedArguments = [rankingId, id];
  return new vscode.InlineCompletionItem((pending?.text ?? "") + rest, range, {
    command: ACCEPTED_COMMAND,
    title: "",
    arguments: [...args],
  });
}
