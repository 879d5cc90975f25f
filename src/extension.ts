/** The composition root: what there is and who knows whom. No logic. */
import { join } from "node:path";
import * as vscode from "vscode";
import { Configuration } from "./configuration.ts";
import { SELECTOR } from "./documents.ts";
import { Disposables } from "./emitter.ts";
import { InlineProvider } from "./inline/provider.ts";
import { Runs } from "./inline/runs.ts";
import { createStart } from "./inline/start.ts";
import { once } from "./once.ts";
import { createRanker } from "./ranking/ranker.ts";
import { Scores } from "./ranking/scores.ts";
import { RankingSession } from "./ranking/session.ts";
import { Health } from "./sources/health.ts";
import { Supervisor } from "./supervisor.ts";
import { Syntax } from "./syntax.ts";
import { TraceLog } from "./trace.ts";

/** What tests and other extensions may look at. */
export interface Api {
  readonly server: Supervisor;
  readonly session: RankingSession;
  readonly traces: TraceLog;
}

let stop: (() => Promise<void>) | undefined;

export function activate(context: vscode.ExtensionContext): Api {
  const lifetime = new Disposables();
  context.subscriptions.push(lifetime);
  const log = lifetime.add(vscode.window.createOutputChannel("CodeScaler", { log: true }));
  const configuration = lifetime.add(new Configuration());
  const server = new Supervisor({
    execPath: process.execPath,
    script: join(context.extensionPath, "dist", "server.js"),
    log,
    options: () => {
      const settings = configuration.for();
      return { url: settings["server.url"], model: settings.rewardModel, device: settings.device };
    },
    foreignToken: async (url) => context.secrets.get(`server:${new URL(url).origin}`),
  });
  const session = lifetime.add(new RankingSession());
  const runs = lifetime.add(new Runs());
  const scores = lifetime.add(new Scores());
  const syntax = lifetime.add(new Syntax(join(context.extensionPath, "dist", "grammars")));
  const traces = new TraceLog();
  const rank = createRanker(server);
  const health = new Health();
  const sourceSet = once(async () =>
    (await import("./source-set.ts")).createSourceSet({
      configuration,
      secrets: context.secrets,
      store: context.globalState,
      log,
    }),
  );
  const start = createStart({
    sourceSet,
    health,
    syntax,
    rank,
    session,
    runs,
    log,
  });
  const provider = new InlineProvider({ configuration, runs, session, traces, start });
  lifetime.add(vscode.languages.registerInlineCompletionItemProvider(SELECTOR, provider));
  lifetime.add(configuration.onDidChange(() => void server.optionsChanged()));
  stop = () => server.dispose();
  void scores;
  return { server, session, traces };
}

export async function deactivate(): Promise<void> {
  await stop?.();
}
