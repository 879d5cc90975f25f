/** Downloads a model with progress and a way to stop it, by the command line's own code. */
import * as vscode from "vscode";
import { gigabytes } from "../../shared/gigabytes.ts";
import { reasonOf } from "../base/log.ts";
import type { Configuration } from "../editor/configuration.ts";
import { type Report, withProgress } from "../editor/progress.ts";
import { type CommandLine, runForJson } from "./command-line.ts";
import { type AvailableModel, USUAL_TYPE } from "./model-list.ts";

export interface DownloadDependencies {
  readonly configuration: Configuration;
  readonly secrets: vscode.SecretStorage;
  readonly commandLine: CommandLine;
}

/** Name of the Hub's token in the secret storage. */
const HUB_TOKEN = "hub";

/**
 * Downloads and installs a model after the user has agreed. What was stopped continues where it was when it is asked
 * for again.
 * @returns whether it is installed now
 */
export async function downloadModel(deps: DownloadDependencies, model: AvailableModel): Promise<boolean> {
  const type = model.recommended?.type ?? USUAL_TYPE;
  const download = vscode.l10n.t("Download");
  const agreed = await vscode.window.showInformationMessage(
    vscode.l10n.t("Download {0}?", model.id),
    {
      modal: true,
      detail: vscode.l10n.t(
        "{0} from the Hugging Face Hub, kept as {1}. Licence: {2}. You can stop at any time; it continues later.",
        gigabytes(model.download_bytes),
        type,
        model.licence,
      ),
    },
    download,
  );
  if (agreed !== download) return false;
  try {
    const done = await withProgress(vscode.l10n.t("Installing {0}", model.id), async (signal, report) => {
      const token = await deps.secrets.get(HUB_TOKEN);
      await runForJson(
        deps.commandLine,
        ["models", "pull", model.id, "--type", type, "--progress", "json", "--exit-with-stdin", "--json"],
        {
          signal,
          env: { ...deps.configuration.proxyEnvironment(), ...(token !== undefined && { HF_TOKEN: token }) },
          onProgress: progressReporter(report),
        },
      );
      return true;
    });
    return done ?? false;
  } catch (error) {
    return offerToken(deps, model, reasonOf(error));
  }
}

/** A gated model says that it wants a token; the rest is shown as it is. */
async function offerToken(
  deps: DownloadDependencies,
  model: AvailableModel,
  problem: string,
): Promise<boolean> {
  const enter = vscode.l10n.t("Enter Token…");
  const buttons = /HF_TOKEN|\btoken\b/i.test(problem) ? [enter] : [];
  if ((await vscode.window.showErrorMessage(problem, ...buttons)) !== enter) return false;
  const token = await vscode.window.showInputBox({
    title: "Hugging Face Hub",
    prompt: vscode.l10n.t("Access token; it is kept in the editor's secret storage and sent to the Hub only"),
    password: true,
    ignoreFocusOut: true,
  });
  if (token === undefined || token.trim() === "") return false;
  await deps.secrets.store(HUB_TOKEN, token.trim());
  return downloadModel(deps, model);
}

/** Steps follow each other, and each counts from its own zero. */
function progressReporter(report: Report): (progress: Readonly<Record<string, unknown>>) => void {
  let step: unknown;
  let shown = 0;
  return (progress) => {
    const { done, total } = progress;
    if (progress["step"] === "wait") {
      report(vscode.l10n.t("waiting: {0}", String(progress["reason"])), 0);
      return;
    }
    if (typeof done !== "number" || typeof total !== "number" || total <= 0) return;
    if (step !== progress["step"]) {
      step = progress["step"];
      shown = 0;
    }
    const percent = (100 * done) / total;
    const what =
      step === "download"
        ? vscode.l10n.t("downloading, {0} of {1}", gigabytes(done), gigabytes(total))
        : vscode.l10n.t("converting, {0} %", Math.floor(percent));
    // The bar shows the download, which takes nearly all of the time.
    report(what, step === "download" ? Math.max(0, percent - shown) : 0);
    shown = percent;
  };
}
