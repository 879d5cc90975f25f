/** Leads to a source of completions: servers that run here, or one by its address, with its key kept secret. */
import * as vscode from "vscode";
import { orAborted } from "../../base/or-aborted.ts";
import type { Configuration } from "../../editor/configuration.ts";
import { withProgress } from "../../editor/progress.ts";
import type { CommandLine } from "../../models/command-line.ts";
import type { HttpClient } from "../http/http-client.ts";
import { editorModels } from "../kinds/vscode-models.ts";
import { type BuiltInEntry, builtInPicks } from "./built-in-models.ts";
import { HTTP_KINDS, type HttpKind, isRemote, KIND_NAMES, type SourceConfig } from "./create.ts";
import { discover, type FoundServer, SERVER_NAMES, suggestSource } from "./discover.ts";
import { keyName } from "./source-settings.ts";

export interface AddSourceDependencies {
  readonly configuration: Configuration;
  readonly http: HttpClient;
  readonly secrets: vscode.SecretStorage;
  readonly commandLine: CommandLine;
}

type SourceEntry =
  | SourceConfig
  | BuiltInEntry
  | { readonly id: string; readonly kind: "editor"; readonly label: string; readonly model: string };

interface SourcePick extends vscode.QuickPickItem {
  /** Undefined when the user went away on the way. */
  readonly take?: () => Promise<SourceEntry | undefined>;
}

export async function addSource(deps: AddSourceDependencies): Promise<void> {
  // Who does not want to wait for ports that nobody answers at names the address.
  const looked = await withProgress(
    vscode.l10n.t("Looking for models and model servers on this machine"),
    (signal) => orAborted(Promise.all([discover(deps.http, signal), builtInPicks(deps, signal)]), signal),
  );
  const [found, builtIn] = looked ?? [undefined, []];
  const picked = await vscode.window.showQuickPick(
    [...builtIn, ...picks(found ?? [], await editorModels())],
    {
      title: vscode.l10n.t("Where shall completions come from?"),
      placeHolder:
        found?.length === 0 ? nothingFound() : vscode.l10n.t("Models of running servers, and others"),
      matchOnDescription: true,
    },
  );
  const entry = await picked?.take?.();
  if (!entry) return;
  await save(deps, entry);
}

function picks(
  found: readonly FoundServer[],
  editorOwn: readonly { readonly id: string; readonly label: string }[],
): SourcePick[] {
  const items: SourcePick[] = [];
  for (const server of found) {
    items.push({
      label: `${SERVER_NAMES[server.server]} · ${server.url}`,
      kind: vscode.QuickPickItemKind.Separator,
    });
    if (server.needsKey) {
      items.push({
        label: vscode.l10n.t("Enter its API key…"),
        take: () => byHand({ kind: "openai-chat", url: server.url }),
      });
    }
    for (const model of server.models) {
      items.push({
        label: model.name,
        description: model.infill ? vscode.l10n.t("fills in the middle") : vscode.l10n.t("chat"),
        take: async () => suggestSource(server, model),
      });
    }
  }
  items.push({ label: vscode.l10n.t("By address"), kind: vscode.QuickPickItemKind.Separator });
  for (const kind of HTTP_KINDS) {
    items.push({
      label: `${KIND_NAMES[kind]}…`,
      description: USUAL_ADDRESS[kind],
      take: () => byHand({ kind, url: USUAL_ADDRESS[kind] }),
    });
  }
  if (editorOwn.length > 0) {
    items.push({
      label: vscode.l10n.t("The editor's own models (asked only by command)"),
      kind: vscode.QuickPickItemKind.Separator,
    });
    for (const { id, label } of editorOwn) {
      items.push({ label, take: async () => ({ id: `editor:${id}`, kind: "editor", label, model: id }) });
    }
  }
  return items;
}

/** In a remote window "this machine" is not the one on the desk. */
function nothingFound(): string {
  const { remoteName } = vscode.env;
  return remoteName === undefined
    ? vscode.l10n.t("No running server was found on the usual ports of this machine")
    : vscode.l10n.t(
        "No running server was found where this window works ({0}), which is not your own computer",
        remoteName,
      );
}

const USUAL_ADDRESS: Readonly<Record<HttpKind, string>> = {
  openai: "http://127.0.0.1:8000",
  "openai-chat": "http://127.0.0.1:1234",
  llamacpp: "http://127.0.0.1:8080",
  ollama: "http://127.0.0.1:11434",
  "ollama-chat": "http://127.0.0.1:11434",
  mistral: "https://api.mistral.ai",
};

async function byHand(start: {
  readonly kind: HttpKind;
  readonly url: string;
}): Promise<SourceEntry | undefined> {
  const title = KIND_NAMES[start.kind];
  const url = await vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t("Base address of the server"),
    value: start.url,
    ignoreFocusOut: true,
    validateInput: (value) =>
      URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
        ? undefined
        : vscode.l10n.t("An address starts with http:// or https://."),
  });
  if (url === undefined) return undefined;
  const model = await vscode.window.showInputBox({
    title,
    prompt:
      start.kind === "llamacpp"
        ? vscode.l10n.t("Name of the model; may stay empty")
        : vscode.l10n.t("Name of the model"),
    ignoreFocusOut: true,
    validateInput: (value) =>
      value.trim() === "" && start.kind !== "llamacpp" ? vscode.l10n.t("A model is needed.") : undefined,
  });
  if (model === undefined) return undefined;
  return {
    id: `${start.kind}:${new URL(url).host}:${model.trim()}`,
    kind: start.kind,
    url: url.trim(),
    model: model.trim(),
  };
}

async function save({ configuration, secrets }: AddSourceDependencies, entry: SourceEntry): Promise<void> {
  let saved: SourceEntry = entry;
  if (entry.kind !== "editor" && entry.kind !== "built-in") {
    if (!(await askForKey(secrets, entry))) return;
    if (isRemote(entry)) {
      const automatic = await askForAutomatic(entry);
      if (automatic === undefined) return;
      saved = { ...entry, automatic };
    }
  }
  const others = configuration.for().sources.filter((one) => !(isEntry(one) && one.id === saved.id));
  await configuration.update("sources", [...others, saved]);
  await vscode.window.showInformationMessage(
    vscode.l10n.t("Added. Type in a file, or run “CodeScaler: Suggest the Best of N”."),
  );
}

/** False when the user went away. Local servers are not asked for: nearly none has a key. */
async function askForKey(secrets: vscode.SecretStorage, entry: SourceConfig): Promise<boolean> {
  if (!isRemote(entry)) return true;
  const known = (await secrets.get(keyName(entry.url))) !== undefined;
  const key = await vscode.window.showInputBox({
    title: new URL(entry.url).host,
    prompt: known
      ? vscode.l10n.t("API key; empty keeps the one that is stored")
      : vscode.l10n.t("API key; it is kept in the editor's secret storage. Empty if none is needed"),
    password: true,
    ignoreFocusOut: true,
  });
  if (key === undefined) return false;
  if (key.trim() !== "") await secrets.store(keyName(entry.url), key.trim());
  return true;
}

async function askForAutomatic(entry: SourceConfig): Promise<boolean | undefined> {
  const host = new URL(entry.url).host;
  const picked = await vscode.window.showQuickPick(
    [
      {
        label: vscode.l10n.t("Only when I ask"),
        detail: vscode.l10n.t("By the command “Suggest the Best of N”."),
        automatic: false,
      },
      {
        label: vscode.l10n.t("Also while I type"),
        detail: vscode.l10n.t(
          "Code around the cursor goes to {0} at pauses in typing; its provider may charge for it.",
          host,
        ),
        automatic: true,
      },
    ],
    { title: vscode.l10n.t("When may {0} be asked?", host), ignoreFocusOut: true },
  );
  return picked?.automatic;
}

function isEntry(value: unknown): value is { readonly id: string } {
  return typeof value === "object" && value !== null && "id" in value;
}
