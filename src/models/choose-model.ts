/** Lets the user choose the reward model: an installed one, or one that is downloaded first. */
import * as vscode from "vscode";
import { gigabytes } from "../../shared/gigabytes.ts";
import { reasonOf } from "../base/log.ts";
import type { Configuration } from "../editor/configuration.ts";
import { editorLanguage } from "../editor/documents.ts";
import { type Report, withProgress } from "../editor/progress.ts";
import { listModels } from "../ranking/server-client.ts";
import type { RewardServer } from "../reward-server/server-interface.ts";
import { type CommandLine, runForJson } from "./command-line.ts";
import { type AvailableModel, parseModelList, USUAL_TYPE } from "./model-list.ts";

export interface ChooseModelDependencies {
  readonly server: RewardServer;
  readonly configuration: Configuration;
  readonly secrets: vscode.SecretStorage;
  readonly commandLine: CommandLine;
}

interface ModelPick extends vscode.QuickPickItem {
  readonly take?: () => Promise<void>;
}

/** Name of the Hub's token in the secret storage. */
const HUB_TOKEN = "hub";

export async function chooseModel(deps: ChooseModelDependencies): Promise<void> {
  const { url } = deps.configuration.serverOptions();
  const picks = await withProgress(vscode.l10n.t("Looking for reward models"), (signal) =>
    url === "" ? ownPicks(deps, signal) : foreignPicks(deps, signal),
  );
  if (!picks) return;
  const present = deps.configuration.for().rewardModel;
  const picked = await vscode.window.showQuickPick(picks, {
    title: vscode.l10n.t("Reward model"),
    placeHolder:
      present === "" ? vscode.l10n.t("Now: the best installed") : vscode.l10n.t("Now: {0}", present),
    matchOnDescription: true,
  });
  await picked?.take?.();
}

async function ownPicks(deps: ChooseModelDependencies, signal: AbortSignal): Promise<ModelPick[]> {
  const document = vscode.window.activeTextEditor?.document;
  const language = document && editorLanguage(document);
  const args = ["models", "list", "--json", ...(language ? ["--language", language] : [])];
  const { installed, available } = parseModelList(await runForJson(deps.commandLine, args, { signal }));
  return [
    heading(vscode.l10n.t("Installed")),
    bestInstalled(deps),
    ...installed.map(
      ({ id, embedded, type, bytes, problem }): ModelPick => ({
        label: id,
        description: [
          embedded ? vscode.l10n.t("embedded, small and quick") : "",
          type ?? "",
          bytes === undefined ? "" : gigabytes(bytes),
        ]
          .filter((part) => part !== "")
          .join(" · "),
        ...(problem !== undefined && { detail: `$(warning) ${problem}` }),
        take: () => use(deps, id),
      }),
    ),
    heading(vscode.l10n.t("Can be downloaded")),
    ...available.map((model): ModelPick => {
      const { recommended } = model;
      return {
        label: `${recommended ? "$(star-full)" : "$(cloud-download)"} ${model.id}`,
        description: aboutModel(model),
        ...(recommended && { detail: vscode.l10n.t("Recommended here. {0}", recommended.reason) }),
        take: () => pull(deps, model),
      };
    }),
  ];
}

/** Models of the user's own server: those it has, nothing is installed there. */
async function foreignPicks(
  { server, configuration }: ChooseModelDependencies,
  signal: AbortSignal,
): Promise<ModelPick[]> {
  const models = await listModels(await server.endpoint(signal), signal);
  return models.map(({ id, embedded, problem }) => ({
    label: id,
    description: embedded ? vscode.l10n.t("embedded, small and quick") : "",
    ...(problem !== undefined && { detail: `$(warning) ${problem}` }),
    take: () => configuration.update("rewardModel", id),
  }));
}

function bestInstalled(deps: ChooseModelDependencies): ModelPick {
  return {
    label: vscode.l10n.t("Best installed"),
    description: vscode.l10n.t("the largest one that works"),
    take: () => use(deps, ""),
  };
}

function heading(label: string): ModelPick {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

function aboutModel(model: AvailableModel): string {
  const memory = model.memory_bytes[model.recommended?.type ?? USUAL_TYPE];
  const { languages } = model;
  return [
    vscode.l10n.t("{0} to download", gigabytes(model.download_bytes)),
    memory === undefined ? "" : vscode.l10n.t("{0} of memory", gigabytes(memory)),
    languages === "general" ? "" : languages.slice(0, 3).join(", ") + (languages.length > 3 ? " …" : ""),
    model.licence,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

async function use({ configuration }: ChooseModelDependencies, id: string): Promise<void> {
  await configuration.update("rewardModel", id === "" ? undefined : id);
}

/** Downloads after the user has agreed. What was stopped continues where it was when it is asked for again. */
async function pull(deps: ChooseModelDependencies, model: AvailableModel): Promise<void> {
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
  if (agreed !== download) return;
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
    if (done) await use(deps, model.id);
  } catch (error) {
    await offerToken(deps, model, reasonOf(error));
  }
}

/** A gated model says that it wants a token; the rest is shown as it is. */
async function offerToken(
  deps: ChooseModelDependencies,
  model: AvailableModel,
  problem: string,
): Promise<void> {
  const enter = vscode.l10n.t("Enter Token…");
  const buttons = /HF_TOKEN|\btoken\b/i.test(problem) ? [enter] : [];
  if ((await vscode.window.showErrorMessage(problem, ...buttons)) !== enter) return;
  const token = await vscode.window.showInputBox({
    title: "Hugging Face Hub",
    prompt: vscode.l10n.t("Access token; it is kept in the editor's secret storage and sent to the Hub only"),
    password: true,
    ignoreFocusOut: true,
  });
  if (token === undefined || token.trim() === "") return;
  await deps.secrets.store(HUB_TOKEN, token.trim());
  await pull(deps, model);
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
