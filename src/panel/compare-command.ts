/** The command that compares the candidates of a ranking. */
import * as vscode from "vscode";
import type { RankingSession } from "../ranking/session.ts";
import type { CompareHandle } from "./register-panel.ts";

/**
 * @param rankingId the ranking to show; anything else means the latest in the active document, else the last anywhere
 * @throws Error with a sentence when there is none
 */
export async function compare(
  session: RankingSession,
  panel: CompareHandle,
  rankingId: unknown,
): Promise<void> {
  const ranking = typeof rankingId === "string" ? session.get(rankingId) : latest(session);
  if (!ranking) throw new Error(vscode.l10n.t("Nothing has been ranked yet."));
  await panel.show(ranking);
}

function latest(session: RankingSession) {
  const uri = vscode.window.activeTextEditor?.document.uri.toString();
  return (uri === undefined ? undefined : session.latest(uri)) ?? session.last();
}
