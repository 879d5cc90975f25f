/** The commands that score existing code. Each speaks up: the user has just asked. */
import * as vscode from "vscode";
import type { CommandHandlers } from "../commands/register-commands.ts";
import type { Configuration } from "../editor/configuration.ts";
import { exclusionReason, secretPattern } from "../editor/documents.ts";
import { withProgress } from "../editor/progress.ts";
import { type RankedRow, type Ranking, rowOf, rowsOf } from "../ranking/ranking.ts";
import type { ScoreAnchors } from "../ranking/score-anchors.ts";
import { standingOf } from "../ranking/standing.ts";
import type { Alternative, ScoreTarget, Scoring } from "./score.ts";

/** A file with more functions is generated, or better scored in parts. */
const MAX_FUNCTIONS = 200;

export interface ScoreCommandDependencies {
  readonly scoring: Scoring;
  readonly scores: ScoreAnchors;
  readonly configuration: Configuration;
  /** Opens the comparison of a ranking. */
  readonly compare: (rankingId: string) => unknown;
}

type ScoreCommand =
  | "scoreSelection"
  | "scoreFunction"
  | "scoreFile"
  | "compareClipboard"
  | "compareDiff"
  | "clearScores";

export function scoreCommands(deps: ScoreCommandDependencies): Pick<CommandHandlers, ScoreCommand> {
  const { scoring } = deps;
  return {
    async scoreSelection() {
      const editor = activeEditor(deps.configuration);
      await scoreOne(deps, selectedIn(editor));
    },
    async scoreFunction() {
      const editor = activeEditor(deps.configuration);
      const target = await scoring.functionAt(editor.document, editor.selection.active);
      if (!target)
        throw new Error(vscode.l10n.t("The cursor is in no function. Select the code to score it."));
      await scoreOne(deps, target);
    },
    async scoreFile() {
      const editor = activeEditor(deps.configuration);
      await scoreAll(deps, editor);
    },
    async compareClipboard() {
      const editor = activeEditor(deps.configuration);
      const text = await vscode.env.clipboard.readText();
      if (text.trim() === "") throw new Error(vscode.l10n.t("The clipboard holds no text."));
      await compare(deps, selectedIn(editor), [{ source: vscode.l10n.t("Clipboard"), text }]);
    },
    async compareDiff() {
      const { target, other } = await diffSides(deps);
      await compare(deps, target, [other]);
    },
    clearScores: () => deps.scores.clear(vscode.window.activeTextEditor?.document.uri.toString() ?? ""),
  };
}

/** @throws Error with a sentence when there is no editor that may be scored */
function activeEditor(configuration: Configuration): vscode.TextEditor {
  const editor = vscode.window.activeTextEditor;
  if (!editor) throw new Error(vscode.l10n.t("Open a file first."));
  const refused = exclusionReason(editor.document, configuration.for(editor.document));
  if (refused !== undefined) throw new Error(refused);
  return editor;
}

function selectedIn({ document, selection }: vscode.TextEditor): ScoreTarget {
  if (document.getText(selection).trim() === "") {
    throw new Error(vscode.l10n.t("Select the code first."));
  }
  return { document, name: "", range: selection, codeStart: selection.start };
}

async function scoreOne({ scoring }: ScoreCommandDependencies, target: ScoreTarget): Promise<void> {
  const ranking = await withProgress(vscode.l10n.t("CodeScaler: scoring"), (signal) =>
    scoring.score(target, signal),
  );
  const row = ranking && rowOf(ranking, "c1");
  if (!row) return;
  const what = target.name === "" ? vscode.l10n.t("The selection") : target.name;
  await vscode.window.showInformationMessage(sentenceOn(what, ranking, row));
}

async function scoreAll({ scoring }: ScoreCommandDependencies, editor: vscode.TextEditor): Promise<void> {
  const targets = (await scoring.functionsIn(editor.document)).slice(0, MAX_FUNCTIONS);
  if (targets.length === 0) throw new Error(vscode.l10n.t("No functions were found in this file."));
  const scored: {
    readonly target: ScoreTarget;
    readonly ranking: Ranking;
    readonly row: RankedRow;
  }[] = [];
  await withProgress(vscode.l10n.t("CodeScaler: scoring functions"), async (signal, report) => {
    for (const [index, target] of targets.entries()) {
      report(vscode.l10n.t("{0} of {1}: {2}", index + 1, targets.length, target.name), 100 / targets.length);
      const ranking = await scoring.score(target, signal, "bulk");
      const row = rowOf(ranking, "c1");
      if (row) scored.push({ target, ranking, row });
    }
  });
  // Lowest first: those are the ones to look at. What cannot be read counts as lowest.
  scored.sort((a, b) => a.row.entry.shaped - b.row.entry.shaped);
  const picked = await vscode.window.showQuickPick(
    scored.map(({ target, ranking, row }) => ({
      label: target.name || vscode.l10n.t("(no name)"),
      description: standingOf(ranking, row),
      detail: vscode.l10n.t("Line {0}", target.range.start.line + 1),
      target,
    })),
    {
      title: vscode.l10n.t("Functions by what the reward model makes of them, lowest first"),
      placeHolder: vscode.l10n.t("Predictions, not proofs: choose one to go there"),
    },
  );
  if (!picked) return;
  const { start } = picked.target.range;
  editor.selection = new vscode.Selection(start, start);
  editor.revealRange(picked.target.range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

async function compare(
  deps: ScoreCommandDependencies,
  target: ScoreTarget,
  others: readonly Alternative[],
): Promise<void> {
  const ranking = await withProgress(vscode.l10n.t("CodeScaler: comparing"), (signal) =>
    deps.scoring.compare(target, others, signal),
  );
  if (!ranking) return;
  const open = vscode.l10n.t("Compare");
  if ((await vscode.window.showInformationMessage(verdictOf(ranking), open)) === open) {
    await deps.compare(ranking.id);
  }
}

/** The function at the cursor in both sides of the active diff; the whole files where it is in none. */
async function diffSides(
  deps: ScoreCommandDependencies,
): Promise<{ readonly target: ScoreTarget; readonly other: Alternative }> {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  if (!(input instanceof vscode.TabInputTextDiff)) {
    throw new Error(vscode.l10n.t("Open a comparison of two texts first."));
  }
  const [original, modified] = await Promise.all([
    vscode.workspace.openTextDocument(input.original),
    vscode.workspace.openTextDocument(input.modified),
  ]);
  const refused = exclusionReason(modified, deps.configuration.for(modified));
  if (refused !== undefined) throw new Error(refused);
  if (secretPattern(original, deps.configuration.for(modified)) !== undefined) {
    throw new Error(vscode.l10n.t("The left side may hold secrets (codescaler.secretFiles)."));
  }
  const editor = vscode.window.activeTextEditor;
  const here = editor?.document.uri.toString() === original.uri.toString() ? original : modified;
  const source = vscode.l10n.t("Left side");
  const current = editor && (await deps.scoring.functionAt(here, editor.selection.active));
  if (current && current.name !== "") {
    const there = here === modified ? original : modified;
    const same = (await deps.scoring.functionsIn(there)).find(({ name }) => name === current.name);
    const [left, right] = here === modified ? [same, current] : [current, same];
    if (left && right) return { target: right, other: { source, text: codeOf(left) } };
  }
  const last = modified.lineAt(modified.lineCount - 1).range.end;
  const start = new vscode.Position(0, 0);
  return {
    target: { document: modified, name: "", range: new vscode.Range(start, last), codeStart: start },
    other: { source, text: original.getText() },
  };
}

function codeOf({ document, range, codeStart }: ScoreTarget): string {
  return document.getText(new vscode.Range(codeStart, range.end));
}

function sentenceOn(what: string, ranking: Ranking, row: RankedRow): string {
  if (!row.entry.valid) return vscode.l10n.t("{0} is not valid: {1}", what, row.entry.reason ?? "");
  return vscode.l10n.t("{0}: {1}. A prediction, not a proof.", what, standingOf(ranking, row));
}

function verdictOf(ranking: Ranking): string {
  const [best, second] = rowsOf(ranking);
  if (!best) return vscode.l10n.t("Nothing could be compared.");
  if (!second) return vscode.l10n.t("Both are the same program: {0}.", standingOf(ranking, best));
  return vscode.l10n.t(
    "Probably better: {0} ({1}), then {2} ({3}). A prediction, not a proof.",
    best.candidate.source,
    standingOf(ranking, best),
    second.candidate.source,
    standingOf(ranking, second),
  );
}
