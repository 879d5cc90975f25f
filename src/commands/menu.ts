/** State and actions in one list, opened from the status item. */
import * as vscode from "vscode";
import { sentenceOf } from "../editor/sentences.ts";
import type { SettingName } from "../editor/settings.ts";
import type { SourceStatus } from "../editor/status-item.ts";
import type { ServerState } from "../reward-server/server-interface.ts";
import type { CommandName } from "./command-declarations.ts";
import { offerFasterSettings } from "./slow-source.ts";

interface Action extends vscode.QuickPickItem {
  readonly name?: CommandName;
  /** Setting that is opened instead of a command. */
  readonly setting?: SettingName;
  /** What is done instead of a command. */
  readonly run?: () => Promise<void>;
}

export async function showMenu(
  sources: readonly SourceStatus[],
  server: ServerState,
  automatic: boolean,
): Promise<void> {
  const heading = (label: string): Action => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const items: Action[] = [
    heading(vscode.l10n.t("Completions")),
    ...sources.map(
      ({ label, detail, failed, slowMs }): Action => ({
        label: `$(${failed ? "warning" : slowMs === undefined ? "plug" : "watch"}) ${label}`,
        detail,
        // What is wrong says what to do, and most of it is done there.
        ...(slowMs === undefined
          ? { setting: "sources" }
          : { run: () => offerFasterSettings(label, slowMs) }),
      }),
    ),
    { label: `$(add) ${vscode.l10n.t("Add a source…")}`, name: "addSource" },
    { label: `$(key) ${vscode.l10n.t("Set API key of a source…")}`, name: "setKey" },
    automatic
      ? { label: `$(circle-slash) ${vscode.l10n.t("Stop suggesting while I type")}`, name: "toggleAutomatic" }
      : { label: `$(play) ${vscode.l10n.t("Suggest while I type")}`, name: "toggleAutomatic" },
    { label: `$(circle-slash) ${vscode.l10n.t("On or off for this language")}`, name: "toggleLanguage" },
    { label: `$(question) ${vscode.l10n.t("Why was nothing shown?")}`, name: "why" },
    { label: `$(list-ordered) ${vscode.l10n.t("Compare candidates")}`, name: "compare" },
    heading(vscode.l10n.t("Reward model")),
    { label: `$(settings) ${vscode.l10n.t("Choose reward model…")}`, name: "chooseModel" },
    {
      label: `$(debug-restart) ${vscode.l10n.t("Restart reward server")}`,
      ...(problemOf(server) !== undefined && { detail: problemOf(server) ?? "" }),
      name: "restartServer",
    },
    ...(server.kind === "ready"
      ? [{ label: `$(debug-stop) ${vscode.l10n.t("Stop reward server")}`, name: "stopServer" } as const]
      : []),
    { label: `$(pulse) ${vscode.l10n.t("Doctor: what models run on, and why")}`, name: "doctor" },
    { label: `$(output) ${vscode.l10n.t("Last output of the reward server")}`, name: "serverOutput" },
    heading(vscode.l10n.t("More")),
    { label: `$(graph) ${vscode.l10n.t("Local statistics")}`, name: "statistics" },
    { label: `$(extensions) ${vscode.l10n.t("Other completion extensions")}`, name: "otherProviders" },
    { label: `$(output) ${vscode.l10n.t("Log")}`, name: "showLog" },
  ];
  const picked = await vscode.window.showQuickPick(items, { title: "CodeScaler" });
  if (picked?.setting) {
    await vscode.commands.executeCommand("workbench.action.openSettings", `codescaler.${picked.setting}`);
  }
  await picked?.run?.();
  if (picked?.name) await vscode.commands.executeCommand(`codescaler.${picked.name}`);
}

function problemOf(server: ServerState): string | undefined {
  return server.kind === "failed" || server.kind === "down" ? sentenceOf(server.problem) : undefined;
}
