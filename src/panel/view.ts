/** A ranking as the compare panel shows it. Pure: the words come from the editor's translations. */
import { l10n } from "vscode";
import { languageOf } from "../../shared/syntax/languages/languages.ts";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import { withVisibleControls } from "../base/markdown.ts";
import { type RankedRow, type Ranking, rowsOf, validPrograms } from "../ranking/ranking.ts";
import { agreementIn, scoreOf } from "../ranking/standing.ts";
import { lineChanges } from "./differences.ts";
import { highlight } from "./highlight.ts";
import type { CodeLine, CodeToken, PanelView, Row } from "./panel-messages.ts";

/** The shortest bar that can be seen. */
const LEAST_BAR = 0.03;

/** @param runtime with the grammar of the ranking's language loaded */
export function viewOf(ranking: Ranking, runtime: SyntaxRuntime): PanelView {
  const rows = rowsOf(ranking);
  const [best] = rows;
  const bestLines = best ? codeLines(ranking, best, runtime) : [];
  return {
    rankingId: ranking.id,
    heading: headingOf(ranking),
    about: aboutOf(ranking),
    problems: [...ranking.problems],
    rows: rows.map((row) => {
      const lines = row === best ? bestLines : codeLines(ranking, row, runtime);
      return rowOf(ranking, rows, row, lines, row === best ? [] : differences(bestLines, lines));
    }),
    actions: ranking.kind === "completion" ? ["insert", "copy", "diff"] : ["copy", "diff"],
  };
}

function headingOf({ kind, cursor }: Ranking): string {
  switch (kind) {
    case "completion":
      return l10n.t("Candidates for {0}", cursor.path);
    case "score":
      return l10n.t("Score of code in {0}", cursor.path);
    case "comparison":
      return l10n.t("Comparison for {0}", cursor.path);
    default:
      return kind satisfies never;
  }
}

function aboutOf(ranking: Ranking): string {
  const { candidates, reply, complete } = ranking;
  const parts: string[] = [];
  if (reply) {
    const valid = validPrograms(ranking).length;
    parts.push(
      l10n.t("{0} samples, {1} different valid programs.", candidates.length, valid),
      l10n.t(
        "Ranked by {0} on {1} in {2} ms.",
        reply.model.id,
        reply.model.device,
        Math.round(reply.timings.total_ms),
      ),
    );
  } else parts.push(l10n.t("{0} samples, not ranked yet.", candidates.length));
  if (!complete) parts.push(l10n.t("More may come."));
  parts.push(l10n.t("The order is a prediction of a model; nothing was run."));
  return parts.join(" ");
}

function rowOf(
  ranking: Ranking,
  rows: readonly RankedRow[],
  row: RankedRow,
  code: readonly CodeToken[][],
  changes: CodeLine[],
): Row {
  const { entry } = row;
  const marks: string[] = [];
  const is = (id: string | undefined) =>
    id !== undefined && (entry.id === id || entry.duplicates.includes(id));
  if (is(ranking.shown)) marks.push(l10n.t("shown first"));
  if (is(ranking.accepted)) marks.push(l10n.t("accepted"));
  return {
    candidate: entry.id,
    rank: entry.rank,
    valid: entry.valid,
    headline: headlineOf(ranking, row),
    marks,
    bar: barOf(rows, row),
    facts: factsOf(row),
    code: code.map((tokens) => ({ change: "same", tokens })),
    differences: changes,
  };
}

function headlineOf(ranking: Ranking, row: RankedRow): string {
  if (!row.entry.valid) return l10n.t("Not valid");
  return agreementIn(ranking, row) ?? scoreOf(row) ?? l10n.t("Not scored");
}

/** Where its reward lies between the lowest and the highest of the ranking. */
function barOf(rows: readonly RankedRow[], { entry }: RankedRow): Row["bar"] {
  if (!entry.valid || entry.reward === null) return null;
  const rewards = rows.flatMap(({ entry: { valid, reward } }) => (valid && reward !== null ? [reward] : []));
  const [lowest, highest] = [Math.min(...rewards), Math.max(...rewards)];
  const value = highest > lowest ? (entry.reward - lowest) / (highest - lowest) : 1;
  return { value: Math.max(LEAST_BAR, value), text: l10n.t("Reward {0}", entry.reward.toFixed(2)) };
}

function factsOf({ entry, candidate, sources }: RankedRow): string[] {
  const facts: string[] = [];
  if (!entry.valid) facts.push(entry.reason ?? l10n.t("It cannot be read as code."));
  if (entry.reward !== null) facts.push(l10n.t("Reward {0}", entry.reward.toFixed(2)));
  facts.push(sources.join(", "));
  if (entry.tokens > 0) facts.push(l10n.t("{0} tokens read", entry.tokens));
  if (entry.truncated) facts.push(l10n.t("shortened to fit the model"));
  if (candidate.draft) facts.push(l10n.t("its first lines; the rest is still being written"));
  else if (!candidate.complete) facts.push(l10n.t("cut off at its token limit"));
  return facts.map(withVisibleControls);
}

/** The code with what stands before it in its first line. */
function codeLines({ kind, cursor }: Ranking, { entry }: RankedRow, runtime: SyntaxRuntime): CodeToken[][] {
  const before = kind === "completion" ? cursor.prefix.slice(cursor.prefix.lastIndexOf("\n") + 1) : "";
  const language = languageOf(entry.language) ?? cursor.language;
  const lines = highlight(before + entry.code, before.length, language, runtime);
  return lines.map((tokens) => tokens.map(([text, kind]): CodeToken => [withVisibleControls(text), kind]));
}

function differences(best: readonly CodeToken[][], own: readonly CodeToken[][]): CodeLine[] {
  const textOf = (tokens: readonly CodeToken[]) => tokens.map(([text]) => text).join("");
  return lineChanges(best.map(textOf), own.map(textOf)).map((line) => ({
    change: line.change,
    tokens: (line.change === "removed" ? best[line.from] : own[line.to]) ?? [],
  }));
}
