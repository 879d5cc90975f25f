/** What went wrong, in the language of the editor. Logs keep the English sentence that the error itself has. */
import { l10n } from "vscode";
import { reasonOf } from "../base/log.ts";
import { RankError } from "../ranking/server-client.ts";
import { HINTS } from "../reward-server/death-hints.ts";
import { FAILURES, SourceError, type SourceErrorValues, WORDS } from "../sources/source-error.ts";

/**
 * Failures of the reward server by their code, for translations. The server's own sentence says more (names, numbers)
 * and is shown wherever there is no translation; `{detail}` holds it.
 */
const REWARD_SENTENCES: Readonly<Partial<Record<RankError["code"], string>>> = {
  unreachable: "The reward server cannot be used. ({detail})",
  foreign:
    "What answers there is not a CodeScaler reward server. Check the setting codescaler.server.url. ({detail})",
  timed_out:
    "The reward server did not answer in time. Choose a smaller reward model, or restart the server. ({detail})",
  unauthorized:
    "The reward server refuses the access token. Set it with the command “CodeScaler: Set Access Token of Your Own Reward Server”.",
  model_not_found:
    "There is no reward model of that name. Choose one with “CodeScaler: Choose Reward Model…”. ({detail})",
  model_unusable:
    "This reward model cannot be used. Choose another with “CodeScaler: Choose Reward Model…”. ({detail})",
  too_long: "The code is too long for the reward model. ({detail})",
  too_large: "The request is too large for the reward server. Ask for fewer candidates. ({detail})",
  too_busy: "The reward server has too much to do. Try again in a moment. ({detail})",
  restarting: "The reward server is being restarted. Try again in a moment.",
  disk_failed: "The reward server cannot write a file. Free some space on the disk. ({detail})",
  download_failed: "The reward model cannot be downloaded. ({detail})",
  engine_failed: "The inference engine failed. Set codescaler.device to cpu, or see the log. ({detail})",
  internal: "The reward server has a fault of its own. See its output, and report it. ({detail})",
};

/** The sentence for people about whatever was thrown. */
export function sentenceOf(error: unknown): string {
  if (error instanceof SourceError) return l10n.t(FAILURES[error.kind], translated(error.values));
  if (!(error instanceof RankError)) return reasonOf(error);
  const template = REWARD_SENTENCES[error.code];
  if (template === undefined || l10n.t(template) === template) return error.message;
  // A hint has no names or numbers that would be lost with the English sentence.
  return l10n.t(template, { detail: error.hint === undefined ? error.message : l10n.t(HINTS[error.hint]) });
}

/** Values that are words of ours, rather than names and numbers. */
function translated(values: SourceErrorValues): Record<string, string> {
  const own: readonly string[] = Object.values(WORDS);
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, own.includes(value) ? l10n.t(value) : value]),
  );
}
