/** Stores, replaces or deletes the API key of a source. */
import * as vscode from "vscode";
import type { Configuration } from "../../editor/configuration.ts";
import { labelOf } from "./create.ts";
import { keyName, parseSources } from "./source-settings.ts";

export async function setKey(configuration: Configuration, secrets: vscode.SecretStorage): Promise<void> {
  const { sources } = parseSources(configuration.for().sources);
  const configs = sources.flatMap((source) => (source.kind === "http" ? source.config : []));
  if (configs.length === 0) throw new Error(vscode.l10n.t("No source is set up yet that could have a key."));
  const items = await Promise.all(
    configs.map(async (config) => ({
      label: labelOf(config),
      description: config.url,
      detail:
        (await secrets.get(keyName(config.url))) === undefined
          ? vscode.l10n.t("no key stored")
          : vscode.l10n.t("a key is stored"),
      url: config.url,
    })),
  );
  const picked = await vscode.window.showQuickPick(items, { title: vscode.l10n.t("Key of which source?") });
  if (!picked) return;
  const key = await vscode.window.showInputBox({
    title: picked.label,
    prompt: vscode.l10n.t("API key for {0}; empty deletes the stored one", new URL(picked.url).origin),
    password: true,
    ignoreFocusOut: true,
  });
  if (key === undefined) return;
  if (key.trim() === "") await secrets.delete(keyName(picked.url));
  else await secrets.store(keyName(picked.url), key.trim());
}
