/** A ranking as the compare panel shows it. Pure: the words come from the editor's translations. */
import { l10n } from "vscode";
import { languageOf } from "../../shared/syntax/languages/languages.ts";
import { withVisibleControls } from "../base/markdown.ts";
import { type RankedRow, type Ranking, rowsOf, validPrograms } from "../ranking/ranking.ts";
import { agreementIn, scoreOf } from "../ranking/standing.ts";
import type { ShownCode } from "../syntax/questions.ts";
import { changedPart, lineChanges, replacedLines } from "./differences.ts";
import type { CodeLine, CodeToken, PanelView, Row } from "./panel-messages.ts";

/** The shortest bar that can be seen. */
const LEAST_BAR = 0.03;

/** The code of each row, as it is to be coloured. */
export function codeIn(ranking: Ranking): ShownCode[] {
  const { kind, cursor } = ranking;
  const before = kind === "completion" ? cursor.prefix.slice(cursor.prefix.lastIndexOf("\n") + 1) : "";
  return rowsOf(ranking).map(({ entry }) => ({
    text: before + entry.code,
    context: before.length,
    language: languageOf(entry.language) ?? cursor.language,
  }));
}

/** @param coloured the lines of what `codeIn` gave */
export function viewOf(ranking: Ranking, coloured: readonly CodeToken[][][]): PanelView {
  const rows = rowsOf(ranking);
  const [best] = rows;
  const codes = coloured.map(shownLines);
  const bestLines = codes[0] ?? [];
  return {
    rankingId: ranking.id,
    heading: headingOf(ranking),
    about: aboutOf(ranking),
    problems: [...ranking.problems],
    rows: rows.map((row, index) => {
      const lines = codes[index] ?? [];
      const { code, differences } = compared(bestLines, lines);
      return rowOf(ranking, rows, row, code, row === best ? [] : differences);
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
  code: CodeLine[],
  differences: CodeLine[],
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
    code,
    differences,
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

/** Of what is before the cursor in its line, this much is shown. */
const CONTEXT_CHARS = 24;

/** The code with what is before it in its first line, shortened: that is the same for all. */
function shownLines(lines: readonly CodeToken[][]): CodeToken[][] {
  return lines.map((tokens) =>
    tokens.map(
      ([text, kind]): CodeToken => [withVisibleControls(kind === "context" ? shortened(text) : text), kind],
    ),
  );
}

function shortened(context: string): string {
  return context.trim().length <= CONTEXT_CHARS ? context : `…${context.slice(-CONTEXT_CHARS)}`;
}

/** A candidate beside the best one: its own lines, and the lines of both by what became of them. */
interface Compared {
  readonly code: CodeLine[];
  readonly differences: CodeLine[];
}

function compared(best: readonly CodeToken[][], own: readonly CodeToken[][]): Compared {
  const textOf = (tokens: readonly CodeToken[]) => tokens.map(([text]) => text).join("");
  const [bestTexts, ownTexts] = [best.map(textOf), own.map(textOf)];
  const changes = lineChanges(bestTexts, ownTexts);
  const inBest = new Map<number, readonly [number, number]>();
  const inOwn = new Map<number, readonly [number, number]>();
  for (const [from, to] of replacedLines(changes)) {
    const part = changedPart(bestTexts[from] ?? "", ownTexts[to] ?? "");
    if (!part) continue;
    inBest.set(from, [part.start, part.fromEnd]);
    inOwn.set(to, [part.start, part.toEnd]);
  }
  return {
    code: own.map((tokens, index) => lineOf("same", tokens, inOwn.get(index))),
    differences: changes.map((line) =>
      line.change === "removed"
        ? lineOf("removed", best[line.from] ?? [], inBest.get(line.from))
        : lineOf(line.change, own[line.to] ?? [], inOwn.get(line.to)),
    ),
  };
}

/** @param part in which it differs from the line that it replaces, in UTF-16 units */
function lineOf(
  change: CodeLine["change"],
  tokens: readonly CodeToken[],
  part: readonly [number, number] | undefined,
): CodeLine {
  if (!part || part[0] === part[1]) return { change, tokens: [...tokens], changed: null };
  const pieces: CodeToken[] = [];
  const changed: [number, number] = [0, 0];
  let at = 0;
  for (const [text, kind] of tokens) {
    const cuts = part.filter((cut) => cut > at && cut < at + text.length).map((cut) => cut - at);
    for (const [index, start] of [0, ...cuts].entries()) {
      const piece = text.slice(start, cuts[index]);
      if (at + start < part[0]) changed[0] = pieces.length + 1;
      if (at + start < part[1]) changed[1] = pieces.length + 1;
      pieces.push([piece, kind]);
    }
    at += text.length;
  }
  return { change, tokens: pieces, changed };
}
