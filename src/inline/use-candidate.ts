/** Puts another candidate of a ranking into its document: instead of the accepted one, or at its cursor. */
import * as vscode from "vscode";
import { cursorAt } from "../editor/documents.ts";
import { rowOf } from "../ranking/ranking.ts";
import { rangeOf, type ScoreAnchors } from "../ranking/score-anchors.ts";
import type { RankingSession } from "../ranking/session.ts";
import { isSameCursor } from "./reuse.ts";

export interface UseCandidateDependencies {
  readonly session: RankingSession;
  readonly scores: ScoreAnchors;
}

/**
 * Ids come from links too: what is no id is ignored.
 * @throws Error with a sentence for the user when the document has moved on
 */
export async function useCandidate(
  { session, scores }: UseCandidateDependencies,
  rankingId: unknown,
  candidateId: unknown,
): Promise<void> {
  if (typeof rankingId !== "string" || typeof candidateId !== "string") return;
  const ranking = session.get(rankingId);
  const row = ranking && rowOf(ranking, candidateId);
  if (!row) throw new Error(vscode.l10n.t("This ranking is no longer kept. Ask for suggestions again."));
  const { code } = row.entry;
  const { cursor } = ranking;
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(cursor.uri));
  const present = scores
    .in(cursor.uri)
    .find((anchor) => anchor.rankingId === rankingId && anchor.origin === "accepted" && !anchor.stale);
  const position = document.positionAt(cursor.offset);
  if (!present && !isSameCursor(cursor, cursorAt(document, position))) {
    throw new Error(
      vscode.l10n.t("The document has changed there since. Copy the candidate from the comparison instead."),
    );
  }
  const range = present ? rangeOf(document, present) : new vscode.Range(position, position);
  const start = document.offsetAt(range.start);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, range, code);
  if (!(await vscode.workspace.applyEdit(edit))) {
    throw new Error(vscode.l10n.t("The document cannot be changed."));
  }
  session.update(rankingId, { accepted: row.candidate.id });
  scores.add(cursor.uri, {
    start,
    end: start + code.length,
    rankingId,
    candidateId: row.candidate.id,
    origin: "accepted",
    stale: false,
  });
}
