/** The statistics as a Markdown page. */
import { l10n } from "vscode";
import { percent } from "../base/figures.ts";
import { escaped } from "../base/markdown.ts";
import type { Summary } from "./outcomes.ts";

export interface SourceUsage {
  readonly label: string;
  readonly day: string;
  readonly requests: number;
  readonly tokens: number;
  readonly estimated: boolean;
}

export function statisticsPage(summary: Summary, usage: readonly SourceUsage[]): string {
  const { ranges, acceptedRanks } = summary;
  return [
    `# ${l10n.t("CodeScaler on this machine")}`,
    "",
    l10n.t(
      "Kept on this machine only, without any code. “CodeScaler: Erase Local Statistics” deletes it. Chances are predictions of the reward model.",
    ),
    "",
    `## ${l10n.t("Requests")}`,
    "",
    table([
      [l10n.t("Finished requests"), String(summary.requests)],
      [l10n.t("Candidates, of which valid"), `${summary.candidates}, ${summary.valid}`],
      [l10n.t("Shown, of which accepted"), `${summary.shown}, ${summary.accepted}`],
      [l10n.t("First candidate after (median)"), milliseconds(summary.firstMs)],
      [l10n.t("Last candidate after (median)"), milliseconds(summary.lastMs)],
      [l10n.t("Ranking them (median)"), milliseconds(summary.rankMs)],
    ]),
    "",
    `## ${l10n.t("First sample and best of N")}`,
    "",
    summary.compared === 0
      ? l10n.t("Nothing to compare yet.")
      : l10n.t(
          "In {0} of {1} requests the first sample was also the best.",
          summary.firstWasBest,
          summary.compared,
        ),
    "",
    `## ${l10n.t("Rank of what was accepted")}`,
    "",
    acceptedRanks.length === 0
      ? l10n.t("Nothing accepted yet.")
      : table(acceptedRanks.map((count, index) => [l10n.t("Rank {0}", index + 1), String(count)])),
    "",
    `## ${l10n.t("Acceptance by predicted chance")}`,
    "",
    `| ${l10n.t("Chance")} | ${l10n.t("Shown")} | ${l10n.t("Accepted")} |`,
    "|---|---:|---:|",
    ...ranges.map(
      ({ from, to, shown, accepted }) => `| ${percent(from)}–${percent(to)} % | ${shown} | ${accepted} |`,
    ),
    "",
    `## ${l10n.t("Requests and tokens by source and day")}`,
    "",
    ...(usage.length === 0
      ? [l10n.t("Nothing asked yet.")]
      : [
          `| ${l10n.t("Day")} | ${l10n.t("Source")} | ${l10n.t("Requests")} | ${l10n.t("Tokens")} |`,
          "|---|---|---:|---:|",
          ...usage.map(
            ({ day, label, requests, tokens, estimated }) =>
              `| ${day} | ${escaped(label)} | ${requests} | ${estimated ? "≈ " : ""}${tokens} |`,
          ),
        ]),
    "",
  ].join("\n");
}

function table(rows: readonly (readonly [string, string])[]): string {
  return ["| | |", "|---|---:|", ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join("\n");
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? "–" : `${Math.round(value)} ms`;
}
