/** Settings as the editor has them: snapshots per document scope, renewed when something changes. */
import * as vscode from "vscode";
import { Emitter, type Event } from "../base/emitter.ts";
import type { ServerOptions } from "../reward-server/server-interface.ts";
import type { NetworkSettings } from "../sources/http/network.ts";
import { readSettings, type SettingName, type Settings } from "./settings.ts";

const SECTION = "codescaler";

export class Configuration implements vscode.Disposable {
  readonly #snapshots = new Map<string, Settings>();
  readonly #changed = new Emitter<void>();
  readonly #subscriptions: vscode.Disposable[];
  /** Fires after any of our settings changed, or trust was granted. */
  readonly onDidChange: Event<void> = this.#changed.event;

  constructor() {
    const renew = () => {
      this.#snapshots.clear();
      this.#changed.fire();
    };
    this.#subscriptions = [
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration(SECTION)) renew();
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(renew),
      vscode.workspace.onDidChangeWorkspaceFolders(renew),
    ];
  }

  /** Settings as they apply to a document, or to the window. */
  for(document?: vscode.TextDocument): Settings {
    const folder = document && vscode.workspace.getWorkspaceFolder(document.uri);
    const key = `${document?.languageId ?? ""} ${folder?.uri.toString() ?? ""}`;
    const known = this.#snapshots.get(key);
    if (known) return known;
    const scope = document && {
      languageId: document.languageId,
      ...(folder && { uri: folder.uri }),
    };
    const configuration = vscode.workspace.getConfiguration(SECTION, scope);
    const snapshot = readSettings(
      {
        value: (name) => configuration.get<unknown>(name),
        user: (name) => {
          const all = configuration.inspect<unknown>(name);
          return all?.globalValue ?? all?.defaultValue;
        },
      },
      vscode.workspace.isTrusted,
    );
    this.#snapshots.set(key, snapshot);
    return snapshot;
  }

  /** Whether the editor shows inline suggestions in this document at all. */
  inlineSuggestionsShown(document: vscode.TextDocument): boolean {
    return vscode.workspace.getConfiguration("editor", document).get("inlineSuggest.enabled", true);
  }

  /** How the reward server is to be run. */
  serverOptions(): ServerOptions {
    const settings = this.for();
    return {
      url: settings["server.url"],
      engines: settings["server.engines"]
        .map((address) => address.trim())
        .filter((address) => address !== ""),
      model: settings.rewardModel,
      device: settings.device,
      unloadAfter: settings["server.unloadAfter"],
    };
  }

  /** The editor's proxy for remote hosts, as programs expect it in their environment. */
  proxyEnvironment(): Readonly<Record<string, string>> {
    const { proxy, noProxy } = networkSettings();
    if (proxy === undefined) return {};
    return { HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: noProxy.join(",") };
  }

  /** Writes a setting of the user, never one of the workspace. */
  async update(name: SettingName, value: unknown): Promise<void> {
    await vscode.workspace.getConfiguration(SECTION).update(name, value, vscode.ConfigurationTarget.Global);
  }

  /** The same for one language, by the editor's name of it. */
  async updateForLanguage(name: SettingName, value: unknown, languageId: string): Promise<void> {
    await vscode.workspace
      .getConfiguration(SECTION, { languageId })
      .update(name, value, vscode.ConfigurationTarget.Global, true);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }
}

/** The editor's own settings for network access. */
export function networkSettings(): NetworkSettings {
  const settings = vscode.workspace.getConfiguration("http");
  const proxy = settings.get<string>("proxy");
  const proxyAuthorization = settings.get<string | null>("proxyAuthorization");
  return {
    ...(proxy && settings.get<string>("proxySupport") !== "off" && { proxy }),
    ...(proxyAuthorization && { proxyAuthorization }),
    noProxy: settings.get<string[]>("noProxy") ?? [],
    strictSSL: settings.get<boolean>("proxyStrictSSL") ?? true,
  };
}
