/**
 * How a candidate does in its ranking, in words that keep what they promise: its rank, how many samples are the same
 * program, and the reward that it was ranked by. Predicted chances are not said: on programs of real models they have
 * not been shown to hold (docs/evaluation.md).
 */
import { l10n } from "vscode";
import { type RankedRow, type Ranking, rowsOf } from "./ranking.ts";

/** "3 of 8 samples"; undefined for code that was not sampled. */
export function agreementIn({ kind, candidates }: Ranking, { agreed }: RankedRow): string | undefined {
  return kind === "completion" ? l10n.t("{0} of {1} samples", agreed, candidates.length) : undefined;
}

/** "rank 1 of 4", among different valid programs; undefined where there is nothing to compare with. */
export function rankIn(ranking: Ranking, { entry }: RankedRow): string | undefined {
  const valid = rowsOf(ranking).filter((row) => row.entry.valid).length;
  return entry.valid && valid > 1 ? l10n.t("rank {0} of {1}", entry.rank, valid) : undefined;
}

/** "reward 1.23", or what decided instead; undefined where nothing was scored. */
export function scoreOf({ entry }: RankedRow): string | undefined {
  if (entry.reward !== null) return l10n.t("reward {0}", entry.reward.toFixed(2));
  const { likelihood } = entry.signals;
  return likelihood === undefined ? undefined : l10n.t("likelihood {0}", likelihood.toFixed(2));
}

/** All of it in one line: "rank 1 of 4, 3 of 8 samples, reward 1.23". */
export function standingOf(ranking: Ranking, row: RankedRow): string {
  if (!row.entry.valid) return l10n.t("not valid");
  const parts = [rankIn(ranking, row), agreementIn(ranking, row), scoreOf(row)];
  const said = parts.filter((part) => part !== undefined);
  return said.length === 0 ? l10n.t("not scored") : said.join(", ");
}
