/** Lets the user choose the reward model among those that are installed. */
import * as vscode from "vscode";
import type { Configuration } from "./configuration.ts";
import { listModels } from "./ranking/client.ts";
import type { RewardServer } from "./supervisor.ts";
import { abortSignalOf } from "./wait.ts";

export async function chooseModel(server: RewardServer, configuration: Configuration): Promise<void> {
  const models = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t("Asking the reward server for its models"),
      cancellable: true,
    },
    async (_progress, token) => {
      const { signal, dispose } = abortSignalOf(token);
      try {
        return await listModels(await server.endpoint(signal), signal);
      } finally {
        dispose();
      }
    },
  );
  const automatic = {
    label: vscode.l10n.t("Best installed"),
    description: vscode.l10n.t("the largest one that works"),
    id: "",
  };
  const picked = await vscode.window.showQuickPick(
    [
      automatic,
      ...models.map(({ id, embedded, loaded, problem }) => ({
        label: `${loaded ? "$(check) " : ""}${id}`,
        description: embedded ? vscode.l10n.t("embedded, small and quick") : "",
        ...(problem !== undefined && { detail: `$(warning) ${problem}` }),
        id,
      })),
    ],
    { title: vscode.l10n.t("Reward model"), placeHolder: configuration.for().rewardModel },
  );
  if (picked) await configuration.update("rewardModel", picked.id === "" ? undefined : picked.id);
}
