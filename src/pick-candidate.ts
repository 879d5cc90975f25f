/** All candidates of a ranking as a list, best first; the chosen one is inserted. */
import * as vscode from "vscode";
import { type RankedRow, type Ranking, rowsOf } from "./ranking/ranking.ts";
import { percent } from "./report.ts";
import { type UseCandidateDependencies, useCandidate } from "./use-candidate.ts";

export async function pickCandidate(
  deps: UseCandidateDependencies,
  ranking: Ranking | undefined,
): Promise<void> {
  const rows = ranking ? rowsOf(ranking) : [];
  if (!ranking || rows.length === 0) throw new Error(vscode.l10n.t("Nothing has been ranked yet."));
  const picked = await vscode.window.showQuickPick(
    rows.map((row) => ({
      label: labelOf(row),
      description: row.sources.join(", "),
      detail: firstLine(row),
      row,
    })),
    {
      title: vscode.l10n.t("Candidates, best first"),
      placeHolder: vscode.l10n.t("Predictions, not proofs: choose one to insert it"),
      matchOnDetail: true,
    },
  );
  if (picked?.row.entry.valid && ranking.kind === "completion") {
    await useCandidate(deps, ranking.id, picked.row.candidate.id);
  }
}

function labelOf({ entry, agreed }: RankedRow): string {
  const same = agreed > 1 ? ` ×${agreed}` : "";
  if (!entry.valid) return `$(error) ${vscode.l10n.t("not valid")}${same}`;
  const chance = entry.probability === null ? "" : `${percent(entry.probability)} % · `;
  return `${entry.rank}. ${chance}${vscode.l10n.t("reward {0}", entry.reward?.toFixed(2) ?? "?")}${same}`;
}

function firstLine({ entry }: RankedRow): string {
  if (!entry.valid) return entry.reason ?? "";
  return (
    entry.code
      .split(/\r?\n/)
      .find((line) => line.trim() !== "")
      ?.trim() ?? ""
  );
}
