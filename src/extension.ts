/** The composition root: what there is and who knows whom. No logic. */
import { join } from "node:path";
import * as vscode from "vscode";
import { ownRuntimeFolder } from "../shared/sharing/read-lease.ts";
import { Disposables } from "./base/emitter.ts";
import { once } from "./base/once.ts";
import { watchContextKeys } from "./commands/context-keys.ts";
import { showMenu } from "./commands/menu.ts";
import { modelCommands } from "./commands/model-commands.ts";
import { type CommandHandlers, registerCommands } from "./commands/register-commands.ts";
import { serverCommands } from "./commands/server-commands.ts";
import { sourceCommands } from "./commands/source-commands.ts";
import { statisticsCommands } from "./commands/statistics-commands.ts";
import { toggleCommands } from "./commands/toggles.ts";
import { Configuration } from "./editor/configuration.ts";
import { decorateScores } from "./editor/decorations.ts";
import { SELECTOR } from "./editor/documents.ts";
import { ScoreHover } from "./editor/hover.ts";
import { Pages } from "./editor/pages.ts";
import { type SourceKnowledge, Status, sourceStatus } from "./editor/status-item.ts";
import { onAccepted } from "./inline/accepted.ts";
import { InlineProvider } from "./inline/provider.ts";
import { Runs } from "./inline/runs.ts";
import { trySample } from "./inline/sample.ts";
import { createAskSources } from "./inline/start-run.ts";
import { suggest } from "./inline/suggest.ts";
import { explainOtherProviders } from "./inline/trace/other-providers.ts";
import { showWhy } from "./inline/trace/show-why.ts";
import { TraceLog } from "./inline/trace/trace.ts";
import { useCandidate } from "./inline/use-candidate.ts";
import { compare } from "./panel/compare-command.ts";
import { registerComparePanel } from "./panel/register-panel.ts";
import { mayRecord } from "./preferences/may-record.ts";
import { PreferenceStore } from "./preferences/preference-store.ts";
import { recordPreferences } from "./preferences/record-preferences.ts";
import { createRanker } from "./ranking/ranker.ts";
import { ScoreAnchors } from "./ranking/score-anchors.ts";
import { RankingSession } from "./ranking/session.ts";
import { createWrite } from "./ranking/writer.ts";
import { AccessTokens } from "./reward-server/access-tokens.ts";
import { Supervisor, type SupervisorDependencies } from "./reward-server/supervisor.ts";
import { Scoring } from "./scoring/score.ts";
import { scoreCommands } from "./scoring/score-commands.ts";
import { Health } from "./sources/health.ts";
import { logFailures } from "./sources/log-failures.ts";
import { Pace } from "./sources/pace.ts";
import { retryAfterChanges } from "./sources/retry-after-changes.ts";
import { configuredSources } from "./sources/source-names.ts";
import { keepStatistics } from "./statistics/record-outcomes.ts";
import { StatisticsStore } from "./statistics/statistics-store.ts";
import { Syntax } from "./syntax/syntax.ts";
import { registerTools } from "./tools/register-tools.ts";

/** What other extensions and tests may look at. */
export interface Api {
  readonly server: Supervisor;
  readonly session: RankingSession;
  readonly scores: ScoreAnchors;
  readonly traces: TraceLog;
}

/** The reward server outlives this window for a while, so that the next one finds it; this window leaves it. */
let leaveServer: (() => Promise<void>) | undefined;

export function activate(context: vscode.ExtensionContext): Api {
  const lifetime = new Disposables();
  context.subscriptions.push(lifetime);
  const log = lifetime.add(vscode.window.createOutputChannel("CodeScaler", { log: true }));
  const configuration = lifetime.add(new Configuration());
  const { secrets } = context;
  const statistics = new StatisticsStore(context.globalState);
  const preferences = new PreferenceStore(context.globalStorageUri.fsPath);
  const session = lifetime.add(new RankingSession());
  const scores = lifetime.add(new ScoreAnchors());
  const runs = lifetime.add(new Runs());
  const traces = new TraceLog();
  const health = new Health();
  const pace = new Pace();
  const syntax = lifetime.add(new Syntax(join(context.extensionPath, "dist")));
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
  const tokens = new AccessTokens(secrets);
  const version = String(context.extension.packageJSON.version);
  const server = new Supervisor({
    ...commandLine,
    version,
    folder: ownRuntimeFolder(),
    log,
    ...serverSettings(configuration, tokens),
  });
  leaveServer = () => server.dispose();

  const rank = createRanker(server, () => {
    const { url, model } = configuration.serverOptions();
    return url === "" ? model : "";
  });
  const sourceSet = once(async () =>
    (await import("./sources/source-set.ts")).createSourceSet({
      configuration,
      secrets,
      store: context.globalState,
      log,
      write: createWrite(server),
    }),
  );
  const sourceKnowledge: SourceKnowledge = {
    health,
    pace,
    sources: () => configuredSources(configuration.for().sources),
    budgetMs: () => configuration.for()["automatic.budget"],
  };
  const automatic = () => configuration.for()["automatic.enable"];
  const warm = () => server.warm();
  const askSources = createAskSources({ sourceSet, health, pace, syntax, rank, warm, session, runs });
  const provider = new InlineProvider({
    configuration,
    runs,
    session,
    traces,
    askSources,
    usualMs: () => pace.fastestMs(),
  });
  const status = lifetime.add(new Status({ ...sourceKnowledge, server, session, automatic }));

  lifetime.add(vscode.languages.registerInlineCompletionItemProvider(SELECTOR, provider));
  lifetime.add(
    vscode.languages.registerHoverProvider(SELECTOR, new ScoreHover(configuration, session, scores)),
  );
  const handlers: CommandHandlers = {
    suggest: () => suggest({ configuration, runs, session, traces, askSources }),
    trySample: () => trySample({ configuration, runs, session, traces, syntax, rank }),
    accepted: (...args) =>
      onAccepted({ configuration, provider, runs, session, scores, traces, askSources }, args),
    useCandidate: (...ids) => useCandidate({ session, scores }, ids[0], ids[1]),
    why: () => showWhy(configuration, pages, traces),
    otherProviders: () => explainOtherProviders(),
    compare: (rankingId) => compare(session, comparePanel, rankingId),
    ...scoreCommands({
      scoring: new Scoring({ rank, session, scores, syntax }),
      scores,
      configuration,
      compare: (rankingId) => compare(session, comparePanel, rankingId),
    }),
    menu: () => showMenu(sourceStatus(sourceKnowledge), server.state, automatic()),
    ...toggleCommands(configuration),
    ...sourceCommands({ commandLine, configuration, secrets, sourceSet }),
    ...modelCommands({ commandLine, configuration, pages, secrets, server }),
    ...serverCommands({ configuration, pages, server, tokens }),
    ...statisticsCommands({ configuration, pages, preferences, sourceSet, statistics }),
    showLog: () => log.show(),
  };
  lifetime.add(registerCommands(handlers, log));
  lifetime.add(registerTools({ rank, commandLine, version }));
  lifetime.add(watchContextKeys({ configuration, session, scores, server }));
  lifetime.add(decorateScores(session, scores));
  lifetime.add(keepStatistics(session, statistics, () => configuration.for()["statistics.enable"]));
  lifetime.add(
    recordPreferences({
      session,
      store: preferences,
      log,
      allowed: (uri) => mayRecord(configuration, uri),
      read: (cursor, completions) => syntax.reading(cursor, completions),
    }),
  );
  lifetime.add(logFailures(health, log));
  lifetime.add(retryAfterChanges({ configuration, secrets, health, pace }));
  lifetime.add(configuration.onDidChange(() => void server.optionsChanged()));
  lifetime.add(configuration.onDidChange(() => status.refresh()));
  lifetime.add(vscode.workspace.onDidCloseTextDocument(({ uri }) => runs.forget(uri.toString())));
  return { server, session, scores, traces };
}

/** How the server is to be run, and with which tokens. */
function serverSettings(
  configuration: Configuration,
  tokens: AccessTokens,
): Pick<SupervisorDependencies, "options" | "ownToken" | "engineEnvironment"> {
  return {
    options: () => configuration.serverOptions(),
    ownToken: (url) => tokens.ofServer(url),
    engineEnvironment: async (engines) => ({
      ...configuration.proxyEnvironment(),
      CODESCALER_ENGINE_TOKEN: (await tokens.ofEngines(engines)) ?? "",
    }),
  };
}

export async function deactivate(): Promise<void> {
  await leaveServer?.();
}
