/** Code models that CodeScaler can run itself: those on this disk, and those that can be downloaded for it. */
import * as vscode from "vscode";
import { gigabytes } from "../../../shared/gigabytes.ts";
import type { Configuration } from "../../editor/configuration.ts";
import { type CommandLine, runForJson } from "../../models/command-line.ts";
import { downloadModel } from "../../models/download-model.ts";
import { parseModelList } from "../../models/model-list.ts";

export interface BuiltInEntry {
  readonly id: string;
  readonly kind: "built-in";
  readonly model: string;
}

export interface BuiltInPick extends vscode.QuickPickItem {
  /** Undefined when the user went away on the way. */
  readonly take?: () => Promise<BuiltInEntry | undefined>;
}

export interface BuiltInDependencies {
  readonly configuration: Configuration;
  readonly secrets: vscode.SecretStorage;
  readonly commandLine: CommandLine;
}

/** What can be picked; nothing where a server of the user's own has the models. */
export async function builtInPicks(deps: BuiltInDependencies, signal: AbortSignal): Promise<BuiltInPick[]> {
  if (deps.configuration.serverOptions().url !== "") return [];
  const list = parseModelList(await runForJson(deps.commandLine, ["models", "list", "--json"], { signal }));
  const here = list.installed.filter(({ kind, problem }) => kind === "writer" && problem === undefined);
  const others = list.available.filter(({ kind }) => kind === "writer");
  return [
    {
      label: vscode.l10n.t("Write with a model on this machine"),
      kind: vscode.QuickPickItemKind.Separator,
    },
    ...here.map(
      ({ id, bytes, found_in: keeper }): BuiltInPick => ({
        label: id,
        description: [
          keeper === undefined ? vscode.l10n.t("installed") : vscode.l10n.t("found: {0}", keeper),
          bytes === undefined ? "" : gigabytes(bytes),
        ]
          .filter((part) => part !== "")
          .join(" · "),
        take: async () => entryOf(id),
      }),
    ),
    ...others.map((model): BuiltInPick => {
      const { recommended } = model;
      return {
        label: `${recommended ? "$(star-full)" : "$(cloud-download)"} ${model.id}`,
        description: [vscode.l10n.t("{0} to download", gigabytes(model.download_bytes)), model.licence].join(
          " · ",
        ),
        ...(recommended && { detail: vscode.l10n.t("Recommended here. {0}", recommended.reason) }),
        take: async () => ((await downloadModel(deps, model)) ? entryOf(model.id) : undefined),
      };
    }),
  ];
}

function entryOf(model: string): BuiltInEntry {
  return { id: `built-in:${model}`, kind: "built-in", model };
}
