/** Lets the user choose the reward model: an installed one, or one that is downloaded first. */

import * as vscode from "vscode";
import { gigabytes } from "../../shared/gigabytes.ts";
import type { Configuration } from "../editor/configuration.ts";
import { editorLanguage } from "../editor/documents.ts";
import { withProgress } from "../editor/progress.ts";
import { listModels } from "../ranking/server-client.ts";
import type { RewardServer } from "../reward-server/server-interface.ts";
import { type CommandLine, runForJson } from "./command-line.ts";
import { downloadModel } from "./download-model.ts";
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
        take: async () => {
          if (await downloadModel(deps, model)) await use(deps, model.id);
        },
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
