/** Scores that the user asked for, behind the last line of what was scored. */
import * as vscode from "vscode";
import { Disposables } from "../base/emitter.ts";
import { type RankedRow, type Ranking, rowOf } from "../ranking/ranking.ts";
import { rangeOf, type ScoreAnchors } from "../ranking/score-anchors.ts";
import type { RankingSession } from "../ranking/session.ts";
import { standingOf } from "../ranking/standing.ts";

export function decorateScores(session: RankingSession, scores: ScoreAnchors): vscode.Disposable {
  const lifetime = new Disposables();
  const type = lifetime.add(
    vscode.window.createTextEditorDecorationType({
      rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
      after: { color: new vscode.ThemeColor("editorCodeLens.foreground"), margin: "0 0 0 2em" },
    }),
  );
  const draw = (editor: vscode.TextEditor) => {
    const { document } = editor;
    const options = scores.in(document.uri.toString()).flatMap((anchor): vscode.DecorationOptions[] => {
      // Accepted suggestions have their score in the hover; behind every one it would be noise.
      if (anchor.origin !== "scored") return [];
      const ranking = session.get(anchor.rankingId);
      const row = ranking && rowOf(ranking, anchor.candidateId);
      if (!row) return [];
      const { end } = rangeOf(document, anchor);
      return [
        {
          range: new vscode.Range(end, end),
          renderOptions: { after: { contentText: label(ranking, row, anchor.stale) } },
        },
      ];
    });
    editor.setDecorations(type, options);
  };
  const drawAll = () => vscode.window.visibleTextEditors.forEach(draw);
  lifetime.add(scores.onDidChange(drawAll));
  lifetime.add(vscode.window.onDidChangeVisibleTextEditors(drawAll));
  return lifetime;
}

function label(ranking: Ranking, row: RankedRow, stale: boolean): string {
  const standing = standingOf(ranking, row);
  if (!row.entry.valid) return `◇ ${standing}`;
  return stale ? `◇ ${vscode.l10n.t("{0}, changed since", standing)}` : `◆ ${standing}`;
}
