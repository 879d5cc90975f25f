/** The command that writes the recorded preferences to a file of the user's choice. */
import { writeFile } from "node:fs/promises";
import * as vscode from "vscode";
import type { PreferenceStore } from "./preference-store.ts";

export async function exportPreferences(store: PreferenceStore, recording: boolean): Promise<void> {
  const preferences = await store.all();
  if (preferences.length === 0) {
    const setting = vscode.l10n.t("Open Setting");
    const message = recording
      ? vscode.l10n.t("No preference is recorded yet: accept a suggestion that had alternatives.")
      : vscode.l10n.t("Nothing is recorded. Turn on codescaler.preferences.enable first.");
    if (
      (await vscode.window.showInformationMessage(message, ...(recording ? [] : [setting]))) !== undefined
    ) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "codescaler.preferences.enable");
    }
    return;
  }
  const target = await vscode.window.showSaveDialog({
    title: vscode.l10n.t("Export Preference Pairs"),
    filters: { "JSON Lines": ["jsonl"] },
    saveLabel: vscode.l10n.t("Export"),
  });
  if (!target) return;
  if (target.scheme !== "file") throw new Error(vscode.l10n.t("Choose a file on this machine."));
  await writeFile(target.fsPath, preferences.map((one) => `${JSON.stringify(one)}\n`).join(""), {
    mode: 0o600,
  });
  const pairs = preferences.reduce((sum, { rejected }) => sum + rejected.length, 0);
  void vscode.window.showInformationMessage(
    vscode.l10n.t(
      "{0} pairs of {1} acceptances were written. They contain your code.",
      pairs,
      preferences.length,
    ),
  );
}
