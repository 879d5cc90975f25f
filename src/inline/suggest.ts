/** The explicit command: the full ranking, with progress and cancel, then shown as ghost text. */
import * as vscode from "vscode";
import type { Configuration } from "../editor/configuration.ts";
import { cursorAt, exclusionReason } from "../editor/documents.ts";
import type { RankingSession } from "../ranking/session.ts";
import { awaitRun } from "./growing-list.ts";
import { typedSince } from "./reuse.ts";
import type { Run, RunState } from "./run.ts";
import type { Runs } from "./runs.ts";
import type { AskSources } from "./start-run.ts";
import { suggestionsOf } from "./suggestions.ts";
import type { TraceLog, Tracer } from "./trace/trace.ts";

export interface SuggestDependencies {
  readonly configuration: Configuration;
  readonly runs: Runs;
  readonly session: RankingSession;
  readonly traces: TraceLog;
  readonly askSources: AskSources;
}

/** @throws Error with a sentence for the user */
export async function suggest(deps: SuggestDependencies): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) throw new Error(vscode.l10n.t("Open a file first."));
  const { document } = editor;
  const position = editor.selection.active;
  const settings = deps.configuration.for(document);
  const tracer = deps.traces.start("command", document.uri.path, position.line);
  const refused = exclusionReason(document, settings);
  if (refused !== undefined) {
    tracer.add({ kind: "refused", why: refused });
    throw new Error(refused);
  }
  const cursor = cursorAt(document, position);
  if (!cursor) return;
  deps.runs.forget(cursor.uri);
  const run = await deps.askSources(cursor, "command", settings, tracer);
  if (!run) return offerSources();
  await present(deps, run, editor);
}

/**
 * Waits for a run, or until the user takes one of its candidates, then shows that or the best as ghost text.
 * @param editor where the run was asked for
 */
export async function present(
  deps: Pick<SuggestDependencies, "session" | "configuration">,
  run: Run,
  editor: vscode.TextEditor,
): Promise<void> {
  const { document } = editor;
  const { cursor, tracer } = run;
  const awaited = await awaitRun(run, deps.session);
  if (!awaited) return;
  const { state, chosen } = awaited;
  const suggestions = suggestionsOf(state.candidates, state.reply, undefined);
  const best = suggestions.find(({ id }) => id === chosen) ?? suggestions[0];
  if (!best) return explainNothing(tracer, state);
  run.shown = best.insert;
  deps.session.update(run.id, { shown: best.id });
  const now = cursorAt(document, editor.selection.active);
  const here = vscode.window.activeTextEditor?.document === document;
  if (!here || !now || !typedSince(cursor, now)) {
    await offerComparison(run, vscode.l10n.t("The cursor has moved on meanwhile."));
    return;
  }
  tracer.add({ kind: "shown", count: suggestions.length, ranked: best.ranked });
  if (!deps.configuration.inlineSuggestionsShown(document)) {
    await offerComparison(
      run,
      vscode.l10n.t("The editor shows no inline suggestions (editor.inlineSuggest.enabled is off)."),
    );
    return;
  }
  const problem = best.ranked ? undefined : state.problems.at(-1);
  if (problem !== undefined) {
    void vscode.window.showWarningMessage(vscode.l10n.t("Shown without a ranking. {0}", problem));
  }
  await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
}

async function offerSources(): Promise<void> {
  const add = vscode.l10n.t("Add a Source…");
  const answer = await vscode.window.showInformationMessage(
    vscode.l10n.t("There is no source of completions yet."),
    add,
  );
  if (answer === add) await vscode.commands.executeCommand("codescaler.addSource");
}

async function explainNothing(tracer: Tracer, { candidates, problems }: RunState): Promise<void> {
  tracer.add({ kind: "none-valid", count: candidates.length });
  const why = vscode.l10n.t("Why?");
  const problem = problems.at(-1);
  const sentence =
    candidates.length > 0
      ? vscode.l10n.t("None of the {0} candidates is valid here.", candidates.length)
      : (problem ?? vscode.l10n.t("No candidate came."));
  const answer = await vscode.window.showInformationMessage(sentence, why);
  if (answer === why) await vscode.commands.executeCommand("codescaler.why");
}

async function offerComparison(run: Run, sentence: string): Promise<void> {
  const compare = vscode.l10n.t("Compare Candidates");
  const answer = await vscode.window.showInformationMessage(sentence, compare);
  if (answer === compare) await vscode.commands.executeCommand("codescaler.compare", run.id);
}
