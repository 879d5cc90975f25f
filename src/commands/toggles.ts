/** Commands that turn something on or off, by changing a setting of the user. */
import * as vscode from "vscode";
import type { Configuration } from "../editor/configuration.ts";
import type { CommandHandlers } from "./register-commands.ts";

export function toggleCommands(
  configuration: Configuration,
): Pick<CommandHandlers, "toggleAutomatic" | "toggleLanguage"> {
  return {
    toggleAutomatic: async () => {
      const enabled = !configuration.for()["automatic.enable"];
      await configuration.update("automatic.enable", enabled);
      say(
        enabled
          ? vscode.l10n.t("CodeScaler suggests while you type.")
          : vscode.l10n.t("CodeScaler suggests on command only."),
      );
    },
    toggleLanguage: async () => {
      const document = vscode.window.activeTextEditor?.document;
      if (!document) throw new Error(vscode.l10n.t("Open a file first."));
      const { languageId } = document;
      const enabled = !configuration.for(document).enable;
      await configuration.updateForLanguage("enable", enabled, languageId);
      say(
        enabled
          ? vscode.l10n.t("CodeScaler is on for {0}.", languageId)
          : vscode.l10n.t("CodeScaler is off for {0}.", languageId),
      );
    },
  };
}

function say(sentence: string): void {
  vscode.window.setStatusBarMessage(sentence, 4000);
}
