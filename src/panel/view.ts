/** A ranking as the compare panel shows it. Pure: the words come from the editor's translations. */
import { l10n } from "vscode";
import { languageOf } from "../../shared/syntax/languages/languages.ts";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import { percent } from "../base/figures.ts";
import { withVisibleControls } from "../base/markdown.ts";
import { type RankedRow, type Ranking, rowsOf } from "../ranking/ranking.ts";
import { lineChanges } from "./differences.ts";
import { highlight } from "./highlight.ts";
import type { CodeLine, CodeToken, PanelView, Row } from "./panel-messages.ts";

/** @param runtime with the grammar of the ranking's language loaded */
export function viewOf(ranking: Ranking, runtime: SyntaxRuntime): PanelView {
  const rows = rowsOf(ranking);
  const [best] = rows;
  const bestLines = best ? codeLines(ranking, best, runtime) : [];
  return {
    rankingId: ranking.id,
    heading: headingOf(ranking),
    about: aboutOf(ranking, rows),
    problems: [...ranking.problems],
    rows: rows.map((row) => {
      const lines = row === best ? bestLines : codeLines(ranking, row, runtime);
      return rowOf(ranking, row, lines, row === best ? [] : differences(bestLines, lines));
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

function aboutOf({ candidates, reply, complete }: Ranking, rows: readonly RankedRow[]): string {
  const parts: string[] = [];
  if (reply) {
    const valid = rows.filter(({ entry }) => entry.valid).length;
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
  parts.push(l10n.t("Chances are predictions of a model; nothing was run."));
  return parts.join(" ");
}

function rowOf(ranking: Ranking, row: RankedRow, code: readonly CodeToken[][], changes: CodeLine[]): Row {
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
    headline: headlineOf(row),
    marks,
    bar: barOf(row),
    facts: factsOf(ranking, row),
    code: code.map((tokens) => ({ change: "same", tokens })),
    differences: changes,
  };
}

function headlineOf({ entry }: RankedRow): string {
  if (!entry.valid) return l10n.t("Not valid");
  if (entry.probability !== null) return l10n.t("{0} % likely right", percent(entry.probability));
  return entry.reward === null ? l10n.t("Not scored") : l10n.t("Reward {0}", entry.reward.toFixed(2));
}

function barOf({ entry }: RankedRow): Row["bar"] {
  if (!entry.valid || entry.reward === null) return null;
  // Without calibration the logistic function still orders and bounds the rewards.
  const value = entry.probability ?? 1 / (1 + Math.exp(-entry.reward));
  return {
    value: Math.min(1, Math.max(0, value)),
    text: l10n.t("Reward {0}", entry.reward.toFixed(2)),
  };
}

function factsOf(ranking: Ranking, { entry, candidate, sources, agreed }: RankedRow): string[] {
  const facts: string[] = [];
  if (!entry.valid) facts.push(entry.reason ?? l10n.t("It cannot be read as code."));
  if (entry.reward !== null) facts.push(l10n.t("Reward {0}", entry.reward.toFixed(2)));
  facts.push(sources.join(", "));
  if (ranking.kind === "completion") {
    facts.push(l10n.t("{0} of {1} samples", agreed, ranking.candidates.length));
  }
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
