/** What the hover over scored or accepted code says. */
import * as vscode from "vscode";
import { commandLink, escaped, fenced } from "../base/markdown.ts";
import type { Anchor } from "../ranking/anchors.ts";
import { type RankedRow, type Ranking, rowOf, rowsOf } from "../ranking/ranking.ts";
import { rangeOf, type ScoreAnchors } from "../ranking/score-anchors.ts";
import type { RankingSession } from "../ranking/session.ts";
import { standingOf } from "../ranking/standing.ts";
import type { Configuration } from "./configuration.ts";

/** The only commands that a link in the hover may run. */
export const HOVER_COMMANDS = ["codescaler.compare", "codescaler.useCandidate"] as const;
/** Lines of another candidate that are shown; the panel shows all. */
const PREVIEW_LINES = 12;

export class ScoreHover implements vscode.HoverProvider {
  readonly #configuration: Configuration;
  readonly #session: RankingSession;
  readonly #scores: ScoreAnchors;

  constructor(configuration: Configuration, session: RankingSession, scores: ScoreAnchors) {
    this.#configuration = configuration;
    this.#session = session;
    this.#scores = scores;
  }

  provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | undefined {
    if (!this.#configuration.for(document)["hover.enable"]) return undefined;
    const anchor = this.#scores.at(document, position);
    const ranking = anchor && this.#session.get(anchor.rankingId);
    const row = ranking && rowOf(ranking, anchor.candidateId);
    if (!row) return undefined;
    const markdown = new vscode.MarkdownString(hoverText(ranking, row, anchor), true);
    markdown.isTrusted = { enabledCommands: HOVER_COMMANDS };
    markdown.supportHtml = false;
    return new vscode.Hover(markdown, rangeOf(document, anchor));
  }
}

/** The hover's Markdown. Everything that models or servers wrote is escaped or fenced. */
export function hoverText(
  ranking: Ranking,
  row: RankedRow,
  anchor: Pick<Anchor, "origin" | "stale">,
): string {
  const parts = [headline(ranking, row)];
  if (anchor.stale)
    parts.push(
      `$(warning) ${vscode.l10n.t("This code has changed since: the score is of what stood here before.")}`,
    );
  parts.push(
    verdict(ranking, row),
    `_${vscode.l10n.t("This is a prediction of a model, not a proof. Nothing was run.")}_`,
  );
  const other = rowsOf(ranking).find(
    ({ entry, candidate }) => entry.valid && candidate.id !== row.candidate.id,
  );
  const links = [
    commandLink(`$(list-ordered) ${vscode.l10n.t("Compare candidates")}`, "codescaler.compare", [ranking.id]),
  ];
  const replaceable = ranking.kind === "completion" && anchor.origin === "accepted" && !anchor.stale;
  if (other && replaceable) {
    const args = [ranking.id, other.candidate.id];
    links.push(
      commandLink(`$(replace) ${vscode.l10n.t("Use the one below")}`, "codescaler.useCandidate", args),
    );
  }
  // The links come before what may be long: a hover is cut at its height.
  parts.push(links.join(" · "), table(ranking, row));
  if (other && replaceable) {
    const standing =
      other.entry.rank < row.entry.rank ? vscode.l10n.t("Ranked higher") : vscode.l10n.t("Next best");
    parts.push(
      "---",
      `**${standing}** (${escaped(standingOf(ranking, other))})`,
      fenced(preview(other.entry.code), other.entry.language),
    );
  }
  return parts.join("\n\n");
}

function headline(ranking: Ranking, row: RankedRow): string {
  return `**CodeScaler** $(${row.entry.valid ? "verified" : "error"}) ${escaped(standingOf(ranking, row))}`;
}

function verdict(ranking: Ranking, { entry, margin }: RankedRow): string {
  if (!entry.valid) return escaped(entry.reason ?? vscode.l10n.t("It cannot be read as code."));
  const valid = rowsOf(ranking).filter((row) => row.entry.valid).length;
  if (valid < 2)
    return escaped(vscode.l10n.t("It was scored by itself; there is nothing to compare it with."));
  return escaped(
    margin === undefined
      ? vscode.l10n.t("Rank {0} of {1} different valid candidates.", entry.rank, valid)
      : vscode.l10n.t(
          "Rank {0} of {1} different valid candidates; {2} ahead of the next.",
          entry.rank,
          valid,
          margin.toFixed(2),
        ),
  );
}

function table(ranking: Ranking, row: RankedRow): string {
  const { entry, candidate, sources, agreed } = row;
  const { reply } = ranking;
  const facts: [string, string][] = [];
  if (ranking.kind === "completion") {
    facts.push([vscode.l10n.t("Source"), sources.join(", ")]);
    facts.push([
      vscode.l10n.t("Agreement"),
      vscode.l10n.t("{0} of {1} samples are this program", agreed, ranking.candidates.length),
    ]);
    if (candidate.tokens !== undefined)
      facts.push([vscode.l10n.t("Written"), vscode.l10n.t("{0} tokens", candidate.tokens)]);
    if (candidate.draft)
      facts.push([vscode.l10n.t("Cut off"), vscode.l10n.t("The rest was still being written.")]);
    else if (!candidate.complete)
      facts.push([vscode.l10n.t("Cut off"), vscode.l10n.t("The sample broke off at its token limit.")]);
  }
  if (reply) {
    const { id, revision, type, device } = reply.model;
    facts.push([
      vscode.l10n.t("Reward model"),
      `${[id, revision, type].filter((part) => part !== "").join(" ")} · ${device}`,
    ]);
    const read = vscode.l10n.t("{0} tokens", entry.tokens);
    facts.push([
      vscode.l10n.t("Read"),
      entry.truncated ? vscode.l10n.t("{0}, shortened to fit the model", read) : read,
    ]);
    const scoring = Math.round(reply.timings.total_ms);
    // One row: the editor cuts a hover at a height of about ten lines.
    facts.push([
      vscode.l10n.t("Time"),
      ranking.totalMs === undefined
        ? vscode.l10n.t("{0} ms for scoring", scoring)
        : vscode.l10n.t("{0} ms for scoring, {1} ms altogether", scoring, Math.round(ranking.totalMs)),
    ]);
  }
  return [
    "|  |  |",
    "|---|---|",
    ...facts.map(([name, value]) => `| ${escaped(name)} | ${escaped(value)} |`),
  ].join("\n");
}

function preview(code: string): string {
  const lines = code.split(/\r?\n/);
  return lines.length <= PREVIEW_LINES ? code : [...lines.slice(0, PREVIEW_LINES), "…"].join("\n");
}
