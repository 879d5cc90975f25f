/** What a notification shows of a download that the command line does for us. */
import * as vscode from "vscode";
import { gigabytes } from "../../shared/gigabytes.ts";
import type { Report } from "../editor/progress.ts";

/**
 * Turns the command line's JSON lines into steps of a progress bar. The bar is the download, which takes nearly all of
 * the time.
 * @param afterwards words for a later step, of which this share is done, in whole percent
 */
export function downloadProgress(
  report: Report,
  afterwards: (percent: number) => string,
): (line: Readonly<Record<string, unknown>>) => void {
  let shown = 0;
  return ({ step, done, total, reason }) => {
    if (step === "wait") {
      report(vscode.l10n.t("waiting: {0}", String(reason)), 0);
      return;
    }
    if (typeof done !== "number" || typeof total !== "number" || total <= 0) return;
    const percent = (100 * done) / total;
    if (step !== "download") {
      report(afterwards(Math.floor(percent)), 0);
      return;
    }
    report(
      vscode.l10n.t("downloading, {0} of {1}", gigabytes(done), gigabytes(total)),
      Math.max(0, percent - shown),
    );
    shown = percent;
  };
}
