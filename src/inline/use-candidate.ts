/** Puts another candidate of a ranking into its document: instead of the accepted one, or at its cursor. */
import * as vscode from "vscode";
import { placeAt } from "../editor/documents.ts";
import { rowOf } from "../ranking/ranking.ts";
import { rangeOf, type Scores } from "../ranking/scores.ts";
import type { RankingSession } from "../ranking/session.ts";
import { continuation } from "./reuse.ts";

export interface UseCandidateDependencies {
  readonly session: RankingSession;
  readonly scores: Scores;
}

/** @throws Error with a sentence for the user when the document has moved on */
export async function useCandidate(
  { session, scores }: UseCandidateDependencies,
  rankingId: string,
  candidateId: string,
): Promise<void> {
  const ranking = session.get(rankingId);
  const row = ranking && rowOf(ranking, candidateId);
  if (!row) throw new Error(vscode.l10n.t("This ranking is no longer kept. Ask for suggestions again."));
  const { code } = row.entry;
  const { place } = ranking;
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(place.uri));
  const present = scores
    .in(place.uri)
    .find((anchor) => anchor.rankingId === rankingId && anchor.origin === "accepted" && !anchor.stale);
  const cursor = document.positionAt(place.offset);
  const unchanged = () => {
    const now = placeAt(document, cursor);
    return now !== undefined && continuation(place, now)?.typed === "";
  };
  if (!present && !unchanged()) {
    throw new Error(
      vscode.l10n.t("The document has changed there since. Copy the candidate from the comparison instead."),
    );
  }
  const range = present ? rangeOf(document, present) : new vscode.Range(cursor, cursor);
  const start = document.offsetAt(range.start);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, range, code);
  if (!(await vscode.workspace.applyEdit(edit))) {
    throw new Error(vscode.l10n.t("The document cannot be changed."));
  }
  session.update(rankingId, { accepted: row.candidate.id });
  scores.add(place.uri, {
    start,
    end: start + code.length,
    rankingId,
    candidateId: row.candidate.id,
    origin: "accepted",
    stale: false,
  });
}
