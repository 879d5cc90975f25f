/** Commands that change a setting of the user. */
import * as vscode from "vscode";
import type { Configuration } from "../editor/configuration.ts";

export async function toggleAutomatic(configuration: Configuration): Promise<void> {
  const enabled = !configuration.for()["automatic.enable"];
  await configuration.update("automatic.enable", enabled);
  vscode.window.setStatusBarMessage(
    enabled
      ? vscode.l10n.t("CodeScaler suggests while you type.")
      : vscode.l10n.t("CodeScaler suggests on command only."),
    4000,
  );
}

/** Switches CodeScaler on or off for the language of the active editor. */
export async function toggleLanguage(configuration: Configuration): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  if (!document) throw new Error(vscode.l10n.t("Open a file first."));
  const enabled = !configuration.for(document).enable;
  await configuration.updateForLanguage("enable", enabled, document.languageId);
  vscode.window.setStatusBarMessage(
    enabled
      ? vscode.l10n.t("CodeScaler is on for {0}.", document.languageId)
      : vscode.l10n.t("CodeScaler is off for {0}.", document.languageId),
    4000,
  );
}

/** The token of the user's own server, or of the engines, kept for these addresses only. */
export async function setServerToken(
  configuration: Configuration,
  secrets: vscode.SecretStorage,
): Promise<void> {
  const { url, engines } = configuration.serverOptions();
  const addresses = url === "" ? engines : [url];
  if (addresses.length === 0 || !addresses.every((address) => URL.canParse(address))) {
    throw new Error(
      vscode.l10n.t(
        "Set the address of your server first (codescaler.server.url or codescaler.server.engines).",
      ),
    );
  }
  const name = url === "" ? enginesTokenName(engines) : serverTokenName(url);
  const token = await vscode.window.showInputBox({
    title: addresses.map((address) => new URL(address).host).join(", "),
    prompt: vscode.l10n.t("Access token of this server; empty deletes the stored one"),
    password: true,
    ignoreFocusOut: true,
  });
  if (token === undefined) return;
  if (token.trim() === "") await secrets.delete(name);
  else await secrets.store(name, token.trim());
}

/** A token belongs to an address: no other server is sent it. */
export function serverTokenName(url: string): string {
  return `server:${new URL(url).origin}`;
}

/** A token belongs to exactly these engines: one more, and it is asked for anew. */
export function enginesTokenName(engines: readonly string[]): string {
  return `engines:${engines.map((address) => (URL.canParse(address) ? new URL(address).origin : address)).join(" ")}`;
}
