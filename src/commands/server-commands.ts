/** Commands about the reward server. */
import * as vscode from "vscode";
import { orAborted } from "../base/or-aborted.ts";
import type { Configuration } from "../editor/configuration.ts";
import type { Pages } from "../editor/pages.ts";
import { withProgress } from "../editor/progress.ts";
import type { AccessTokens } from "../reward-server/access-tokens.ts";
import type { RewardServer } from "../reward-server/server-interface.ts";
import type { CommandHandlers } from "./register-commands.ts";

export interface ServerCommandDependencies {
  readonly configuration: Configuration;
  readonly pages: Pages;
  readonly server: RewardServer;
  readonly tokens: AccessTokens;
}

export function serverCommands({
  configuration,
  pages,
  server,
  tokens,
}: ServerCommandDependencies): Pick<
  CommandHandlers,
  "serverOutput" | "restartServer" | "stopServer" | "setServerToken"
> {
  return {
    serverOutput: async () => pages.show("server-output.log", (await server.output()).join("\n")),
    // A start that hangs is given up after a minute: whoever stops waiting sooner finds its state in the language status.
    restartServer: () =>
      withProgress(vscode.l10n.t("Restarting the reward server"), (signal) =>
        orAborted(server.restart(), signal),
      ),
    stopServer: () => server.stop(),
    setServerToken: async () => {
      await setServerToken(configuration, tokens);
      await server.stop();
    },
  };
}

/** Asks for the token of the user's own server, or of the engines; it is kept for these addresses only. */
async function setServerToken(configuration: Configuration, tokens: AccessTokens): Promise<void> {
  const { url, engines } = configuration.serverOptions();
  const addresses = url === "" ? engines : [url];
  if (addresses.length === 0 || !addresses.every((address) => URL.canParse(address))) {
    throw new Error(
      vscode.l10n.t(
        "Set the address of your server first (codescaler.server.url or codescaler.server.engines).",
      ),
    );
  }
  const token = await vscode.window.showInputBox({
    title: addresses.map((address) => new URL(address).host).join(", "),
    prompt: vscode.l10n.t("Access token of this server; empty deletes the stored one"),
    password: true,
    ignoreFocusOut: true,
  });
  if (token === undefined) return;
  await (url === "" ? tokens.setForEngines(engines, token.trim()) : tokens.setForServer(url, token.trim()));
}
