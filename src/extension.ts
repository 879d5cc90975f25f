/** The composition root: what there is and who knows whom. No logic. */
import { join } from "node:path";
import * as vscode from "vscode";
import { ownRuntimeFolder } from "../shared/sharing/read-lease.ts";
import { Disposables } from "./base/emitter.ts";
import { once } from "./base/once.ts";
import { createCommands } from "./commands/command-table.ts";
import { watchContextKeys } from "./commands/context-keys.ts";
import { registerCommands } from "./commands/register-commands.ts";
import { enginesTokenName, serverTokenName } from "./commands/toggles.ts";
import { Configuration } from "./editor/configuration.ts";
import { decorateScores } from "./editor/decorations.ts";
import { SELECTOR } from "./editor/documents.ts";
import { ScoreHover } from "./editor/hover.ts";
import { Pages } from "./editor/pages.ts";
import { Status } from "./editor/status.ts";
import { InlineProvider } from "./inline/provider.ts";
import { Runs } from "./inline/runs.ts";
import { createStart } from "./inline/start-run.ts";
import { TraceLog } from "./inline/trace.ts";
import { useCandidate } from "./inline/use-candidate.ts";
import { registerComparePanel } from "./panel/register-panel.ts";
import { mayRecord } from "./preferences/may-record.ts";
import { PreferenceStore } from "./preferences/preference-store.ts";
import { recordPreferences } from "./preferences/record-preferences.ts";
import { createRanker } from "./ranking/ranker.ts";
import { Scores } from "./ranking/scores.ts";
import { RankingSession } from "./ranking/session.ts";
import { Supervisor } from "./reward-server/supervisor.ts";
import { Health } from "./sources/health.ts";
import { retryAfterChanges } from "./sources/retry-after-changes.ts";
import { configuredSources } from "./sources/source-names.ts";
import { keepStatistics } from "./statistics/record-outcomes.ts";
import { Memory } from "./statistics/statistics-store.ts";
import { Syntax } from "./syntax/syntax.ts";

/** What other extensions and tests may look at. */
export interface Api {
  readonly server: Supervisor;
  readonly session: RankingSession;
  readonly scores: Scores;
  readonly traces: TraceLog;
}

/** The reward server outlives this window for a while, so that the next one finds it; this window leaves it. */
let leaveServer: (() => Promise<void>) | undefined;

export function activate(context: vscode.ExtensionContext): Api {
  const lifetime = new Disposables();
  context.subscriptions.push(lifetime);
  const log = lifetime.add(vscode.window.createOutputChannel("CodeScaler", { log: true }));
  const configuration = lifetime.add(new Configuration());
  const memory = new Memory(context.globalState);
  const preferences = new PreferenceStore(context.globalStorageUri.fsPath);
  const session = lifetime.add(new RankingSession());
  const scores = lifetime.add(new Scores());
  const runs = lifetime.add(new Runs());
  const traces = new TraceLog();
  const health = new Health();
  const syntax = lifetime.add(new Syntax(join(context.extensionPath, "dist", "grammars")));
  const pages = lifetime.add(new Pages());
  const comparePanel = lifetime.add(
    registerComparePanel({
      extensionUri: context.extensionUri,
      session,
      syntax,
      log,
      use: (rankingId, candidateId) => useCandidate({ session, scores }, rankingId, candidateId),
    }),
  );

  const commandLine = {
    execPath: process.execPath,
    script: join(context.extensionPath, "dist", "server.js"),
  };
  const server = new Supervisor({
    ...commandLine,
    version: String(context.extension.packageJSON.version),
    folder: ownRuntimeFolder(),
    log,
    options: () => configuration.serverOptions(),
    foreignToken: async (url) => context.secrets.get(serverTokenName(url)),
    engineEnvironment: async (engines) => {
      const token = await context.secrets.get(enginesTokenName(engines));
      return { ...configuration.proxyEnvironment(), CODESCALER_ENGINE_TOKEN: token ?? "" };
    },
  });
  leaveServer = () => server.dispose();

  const rank = createRanker(server, () => {
    const { url, model } = configuration.serverOptions();
    return url === "" ? model : "";
  });
  const sourceSet = once(async () =>
    (await import("./sources/source-set.ts")).createSourceSet({
      configuration,
      secrets: context.secrets,
      store: context.globalState,
      log,
    }),
  );
  const warm = () => server.warm();
  const start = createStart({ sourceSet, health, syntax, rank, warm, session, runs, log });
  const provider = new InlineProvider({ configuration, runs, session, traces, start });
  const status = lifetime.add(
    new Status({
      server,
      session,
      health,
      sources: () => configuredSources(configuration.for().sources),
      automatic: () => configuration.for()["automatic.enable"],
    }),
  );

  lifetime.add(vscode.languages.registerInlineCompletionItemProvider(SELECTOR, provider));
  lifetime.add(
    vscode.languages.registerHoverProvider(SELECTOR, new ScoreHover(configuration, session, scores)),
  );
  lifetime.add(
    registerCommands(
      createCommands({
        commandLine,
        comparePanel,
        configuration,
        health,
        log,
        memory,
        pages,
        preferences,
        provider,
        rank,
        runs,
        scores,
        secrets: context.secrets,
        server,
        session,
        sourceSet,
        start,
        syntax,
        traces,
      }),
      log,
    ),
  );
  lifetime.add(watchContextKeys({ configuration, session, scores, server }));
  lifetime.add(decorateScores(session, scores));
  lifetime.add(keepStatistics(session, memory, () => configuration.for()["statistics.enable"]));
  lifetime.add(
    recordPreferences({
      session,
      store: preferences,
      log,
      allowed: (uri) => mayRecord(configuration, uri),
      read: (place, completions) => syntax.reading(place, completions),
    }),
  );
  lifetime.add(retryAfterChanges({ configuration, secrets: context.secrets, health }));
  lifetime.add(configuration.onDidChange(() => void server.optionsChanged()));
  lifetime.add(configuration.onDidChange(() => status.refresh()));
  lifetime.add(vscode.workspace.onDidCloseTextDocument(({ uri }) => runs.forget(uri.toString())));
  return { server, session, scores, traces };
}

export async function deactivate(): Promise<void> {
  await leaveServer?.();
}
