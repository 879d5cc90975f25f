/** The configured sources as objects, made anew when the settings change. Loaded with the first request. */
import type * as vscode from "vscode";
import { type Log, reasonOf } from "../base/log.ts";
import { type Configuration, networkSettings } from "../editor/configuration.ts";
import type { Account } from "./gather.ts";
import { createHttpClient, type HttpClient } from "./http/http-client.ts";
import { builtInSource, type Write } from "./kinds/built-in.ts";
import { editorModelSource } from "./kinds/vscode-models.ts";
import { createSource } from "./setup/create.ts";
import { keyName, parseSources } from "./setup/source-settings.ts";
import type { Source } from "./source.ts";
import { Usage } from "./source-usage.ts";

export interface SourceSet {
  /** Those that are configured and usable, in the order of the setting. */
  sources(): readonly Source[];
  readonly account: Account;
  readonly usage: Usage;
  readonly http: HttpClient;
}

export interface SourceSetDependencies {
  readonly configuration: Configuration;
  readonly secrets: vscode.SecretStorage;
  readonly store: vscode.Memento;
  readonly log: Log;
  /** Has the reward server write. */
  readonly write: Write;
}

/** Key of the counts in globalState. */
const USAGE_KEY = "usage";

export function createSourceSet({
  configuration,
  secrets,
  store,
  log,
  write,
}: SourceSetDependencies): SourceSet {
  const http = createHttpClient(networkSettings);
  const usage = new Usage(
    {
      read: () => store.get(USAGE_KEY),
      write: (days) => {
        store.update(USAGE_KEY, days).then(undefined, (error: unknown) => log.warn(reasonOf(error)));
      },
    },
    () => {
      const settings = configuration.for();
      return { requests: settings.dailyRequestLimit, tokens: settings.dailyTokenLimit };
    },
  );
  let made: { readonly from: readonly unknown[]; readonly sources: readonly Source[] } | undefined;
  return {
    http,
    usage,
    account: usage,
    sources() {
      const from = configuration.for().sources;
      if (made?.from !== from) made = { from, sources: make(from, http, secrets, log, write) };
      return made.sources;
    },
  };
}

function make(
  entries: readonly unknown[],
  http: HttpClient,
  secrets: vscode.SecretStorage,
  log: Log,
  write: Write,
): readonly Source[] {
  const { sources, problems } = parseSources(entries);
  for (const problem of problems) log.warn(problem);
  return sources.flatMap((source) => {
    if (source.kind === "editor") return editorModelSource(source.id, source.label, source.model);
    if (source.kind === "built-in") return builtInSource(source.id, source.label, source.model, write);
    const { config } = source;
    try {
      return createSource(config, http, async () => secrets.get(keyName(config.url)));
    } catch (error) {
      log.warn(reasonOf(error));
      return [];
    }
  });
}
