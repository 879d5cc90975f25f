/** "Why was nothing shown?": a request told step by step, as a Markdown page. */
import { l10n } from "vscode";
import { percent, seconds } from "../../base/figures.ts";
import { escaped } from "../../base/markdown.ts";
import type { Trace, TraceEvent, Trigger } from "./trace.ts";

/**
 * The page for the last requests; the one asked about first.
 * @param editorSilent the editor shows no inline suggestions at all, whoever gives them
 */
export function reportOf(trace: Trace | undefined, earlier: readonly Trace[], editorSilent: boolean): string {
  if (!trace) {
    return `# ${l10n.t("No request yet")}\n\n${l10n.t(
      "CodeScaler has not been asked for a suggestion in this window. Type in a file of a supported language, or run the command “CodeScaler: Suggest the Best of N”.",
    )}\n`;
  }
  const rows = trace.steps.map(({ at, event }) => `| ${at} | ${escaped(tell(event))} |`);
  // Late answers may follow the step that decided.
  const way = trace.steps.map(({ event }) => wayOut(event)).findLast((text) => text !== undefined);
  return [
    `# ${l10n.t("The last request")}`,
    "",
    ...(editorSilent
      ? [l10n.t("**The editor shows no inline suggestions: `editor.inlineSuggest.enabled` is off.**"), ""]
      : []),
    escaped(
      l10n.t(
        "{0}, line {1}, at {2}: {3}",
        trace.file,
        trace.line,
        trace.startedAt.toLocaleTimeString(),
        triggerName(trace.trigger),
      ),
    ),
    "",
    `| ${l10n.t("ms")} | ${l10n.t("What happened")} |`,
    "|---:|---|",
    ...rows,
    "",
    ...(way ? [`**${l10n.t("What you can do:")}** ${escaped(way)}`, ""] : []),
    `## ${l10n.t("Earlier requests")}`,
    "",
    ...earlier.map((one) => `- ${escaped(summary(one))}`),
    "",
  ].join("\n");
}

function summary(trace: Trace): string {
  const last = trace.steps.findLast(({ event }) => wayOut(event) !== undefined) ?? trace.steps.at(-1);
  const end = last ? tell(last.event) : l10n.t("still running");
  return `${trace.startedAt.toLocaleTimeString()} ${trace.file}:${trace.line}: ${end}`;
}

function triggerName(trigger: Trigger): string {
  switch (trigger) {
    case "automatic":
      return l10n.t("asked by typing");
    case "invoked":
      return l10n.t("asked by the editor's own command, by cycling or by a hover");
    case "command":
      return l10n.t("asked by the command “Suggest the Best of N”");
    case "prefetch":
      return l10n.t("asked in advance, after an accepted suggestion");
    default:
      return trigger satisfies never;
  }
}

/** One step in a sentence. */
export function tell(event: TraceEvent): string {
  switch (event.kind) {
    case "refused":
      return l10n.t("Nothing is done in this document. {0}", event.why);
    case "automatic-off":
      return l10n.t("Suggestions while typing are switched off.");
    case "inside-word":
      return l10n.t("The cursor is inside of a word: nothing is asked while typing there.");
    case "no-source":
      return event.configured === 0
        ? l10n.t("No source of completions is set up.")
        : l10n.t("None of the {0} sources may be asked while typing.", event.configured);
    case "reused":
      return l10n.t("Answered from an earlier request: {0} candidates still fit.", event.count);
    case "joined":
      return l10n.t("A request for this place was running already.");
    case "paused":
      return l10n.t("Waited {0} ms for you to type on.", event.ms);
    case "superseded":
      return event.stage === "pause"
        ? l10n.t("You typed on during the pause, so nothing was asked.")
        : l10n.t("You typed on, or another suggestion was shown first, before a candidate was there.");
    case "asked":
      return l10n.t("Asked {0} for {1} candidates each.", event.sources.join(", "), event.count);
    case "slow-source":
      return event.singleLine
        ? l10n.t(
            "{0} takes about {1} s: it was asked for one candidate of one line.",
            event.source,
            seconds(event.usualMs),
          )
        : l10n.t(
            "{0} takes about {1} s: it was asked for {2} candidates only.",
            event.source,
            seconds(event.usualMs),
            event.count,
          );
    case "arrived":
      if (event.draft) {
        return event.valid
          ? l10n.t(
              "The time was over: the whole lines of candidate {0} from {1} so far are valid.",
              event.id,
              event.source,
            )
          : l10n.t(
              "The time was over: the lines of candidate {0} from {1} so far cannot be shown.",
              event.id,
              event.source,
            );
      }
      return event.valid
        ? l10n.t("Candidate {0} from {1}: {2} characters, valid.", event.id, event.source, event.characters)
        : l10n.t(
            "Candidate {0} from {1}: {2} characters, not valid. {3}",
            event.id,
            event.source,
            event.characters,
            event.reason ?? "",
          );
    case "source-failed":
      return event.problem;
    case "ranked":
      return l10n.t("Ranked {0} candidates in {1} ms.", event.count, event.ms);
    case "ranking-failed":
      return l10n.t("Not ranked. {0}", event.problem);
    case "all-arrived":
      return l10n.t("No more candidates will come: {0} arrived.", event.count);
    case "cancelled":
      return l10n.t("Given up: the document has moved on.");
    case "document-changed":
      return l10n.t("Not shown: the text around the cursor has changed meanwhile.");
    case "late":
      return l10n.t("No valid candidate within {0} ms.", event.budget);
    case "none-valid":
      return event.count === 0
        ? l10n.t("Nothing to show: no candidate came.")
        : l10n.t("Nothing to show: none of {0} candidates is valid.", event.count);
    case "abstained":
      return l10n.t(
        "Nothing was shown on purpose: the best candidate's predicted chance is {0} %, and the least you want is {1} %.",
        percent(event.probability),
        percent(event.least),
      );
    case "shown":
      return event.ranked
        ? l10n.t("Given to the editor: {0} suggestions, best first.", event.count)
        : l10n.t("Given to the editor: {0} suggestions, the first valid one first.", event.count);
    default:
      return event satisfies never;
  }
}

/** What helps after a request that ended like this; undefined where nothing needs to be done. */
function wayOut(event: TraceEvent): string | undefined {
  switch (event.kind) {
    case "no-source":
      return event.configured === 0
        ? l10n.t("Run “CodeScaler: Add a Source of Completions…”.")
        : l10n.t("Run “CodeScaler: Suggest the Best of N”, or allow a source while typing (automatic).");
    case "automatic-off":
      return l10n.t("Run “CodeScaler: Suggest the Best of N”, or switch codescaler.automatic.enable on.");
    case "late":
      return l10n.t(
        "Choose a faster model, ask for fewer candidates, or raise codescaler.automatic.budget. What arrived meanwhile is shown when you ask again at the same place.",
      );
    case "abstained":
      return l10n.t(
        "Run “CodeScaler: Suggest the Best of N” to see it anyway, or lower codescaler.automatic.minimumProbability.",
      );
    case "none-valid":
      return l10n.t(
        "See above what was wrong with the candidates. “CodeScaler: Compare Candidates” shows them.",
      );
    case "shown":
      return l10n.t(
        "If you saw nothing, another extension's suggestion was faster. “CodeScaler: Check for Other Completion Extensions” explains it.",
      );
    default:
      return undefined;
  }
}
