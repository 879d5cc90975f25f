/** What can be done about a source that is too slow for suggestions while typing. */
import * as vscode from "vscode";
import { seconds } from "../base/figures.ts";
import type { SettingName } from "../editor/settings.ts";

interface Remedy extends vscode.QuickPickItem {
  readonly setting: SettingName;
}

/** @param usualMs time to its first completion, as it usually takes */
export async function offerFasterSettings(label: string, usualMs: number): Promise<void> {
  const remedies: Remedy[] = [
    {
      label: vscode.l10n.t("Ask for fewer candidates"),
      detail: vscode.l10n.t("One in time is worth more than four that come too late."),
      setting: "automatic.candidates",
    },
    {
      label: vscode.l10n.t("Shorten completions"),
      detail: vscode.l10n.t("A lower limit of tokens ends them sooner."),
      setting: "maxTokens",
    },
    {
      label: vscode.l10n.t("Use a smaller model"),
      detail: vscode.l10n.t("Change the source, or add another one."),
      setting: "sources",
    },
    {
      label: vscode.l10n.t("Allow more time"),
      detail: vscode.l10n.t("Suggestions come later, but more often."),
      setting: "automatic.budget",
    },
  ];
  const picked = await vscode.window.showQuickPick(remedies, {
    title: vscode.l10n.t("{0} takes about {1} s for what you ask", label, seconds(usualMs)),
  });
  if (!picked) return;
  await vscode.commands.executeCommand("workbench.action.openSettings", `codescaler.${picked.setting}`);
}
