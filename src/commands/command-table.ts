/** What each command does. Whatever only commands need is loaded when one is run. */
import * as vscode from "vscode";
import { orAborted } from "../base/or-aborted.ts";
import type { Configuration } from "../editor/configuration.ts";
import type { Pages } from "../editor/pages.ts";
import { withProgress } from "../editor/progress.ts";
import { sourceStatus } from "../editor/status.ts";
import { onAccepted } from "../inline/accepted.ts";
import { explainOtherProviders } from "../inline/other-providers.ts";
import type { AcceptedArguments, InlineProvider } from "../inline/provider.ts";
import type { Runs } from "../inline/runs.ts";
import { trySample } from "../inline/sample.ts";
import type { Start } from "../inline/start-run.ts";
import { suggest } from "../inline/suggest.ts";
import type { TraceLog } from "../inline/trace.ts";
import { reportOf } from "../inline/trace-report.ts";
import { useCandidate } from "../inline/use-candidate.ts";
import type { CommandLine } from "../models/command-line.ts";
import type { CompareHandle } from "../panel/register-panel.ts";
import type { PreferenceStore } from "../preferences/preference-store.ts";
import type { Ranker } from "../ranking/ranker.ts";
import type { Scores } from "../ranking/scores.ts";
import type { RankingSession } from "../ranking/session.ts";
import type { Supervisor } from "../reward-server/supervisor.ts";
import { Scoring } from "../scoring/score.ts";
import { scoreCommands } from "../scoring/score-commands.ts";
import type { Health } from "../sources/health.ts";
import { configuredSources } from "../sources/source-names.ts";
import type { SourceSet } from "../sources/source-set.ts";
import { summaryOf } from "../statistics/outcomes.ts";
import { type SourceUsage, statisticsPage } from "../statistics/statistics-page.ts";
import type { Memory } from "../statistics/statistics-store.ts";
import type { Syntax } from "../syntax/syntax.ts";
import { showMenu } from "./menu.ts";
import type { CommandTable } from "./register-commands.ts";
import { setServerToken, toggleAutomatic, toggleLanguage } from "./toggles.ts";

export interface CommandDependencies {
  readonly commandLine: CommandLine;
  readonly comparePanel: CompareHandle;
  readonly configuration: Configuration;
  readonly health: Health;
  readonly log: vscode.LogOutputChannel;
  readonly memory: Memory;
  readonly pages: Pages;
  readonly preferences: PreferenceStore;
  readonly provider: InlineProvider;
  readonly rank: Ranker;
  readonly runs: Runs;
  readonly scores: Scores;
  readonly secrets: vscode.SecretStorage;
  readonly server: Supervisor;
  readonly session: RankingSession;
  readonly sourceSet: () => Promise<SourceSet>;
  readonly start: Start;
  readonly syntax: Syntax;
  readonly traces: TraceLog;
}

export function createCommands(deps: CommandDependencies): CommandTable {
  const { configuration, health, log, memory, pages, server, session, scores, sourceSet, traces } = deps;
  const compare = async (rankingId: unknown) => {
    const ranking = typeof rankingId === "string" ? session.get(rankingId) : latest(session);
    if (!ranking) throw new Error(vscode.l10n.t("Nothing has been ranked yet."));
    await deps.comparePanel.show(ranking);
  };
  const scoring = scoreCommands({ scoring: new Scoring(deps), configuration, compare });
  const sources = () => sourceStatus(health, configuredSources(configuration.for().sources));
  return {
    suggest: () => suggest(deps),
    compare,
    ...scoring,
    clearScores: () => scores.clear(vscode.window.activeTextEditor?.document.uri.toString() ?? ""),
    toggleAutomatic: () => toggleAutomatic(configuration),
    toggleLanguage: () => toggleLanguage(configuration),
    trySample: () => trySample(deps),
    addSource: async () => {
      const { addSource } = await import("../sources/setup/add-source.ts");
      await addSource({ configuration, secrets: deps.secrets, sourceSet: await sourceSet() });
    },
    setKey: async () => {
      const { setKey } = await import("../sources/setup/set-key.ts");
      await setKey(configuration, deps.secrets);
    },
    chooseModel: async () => {
      const { chooseModel } = await import("../models/choose-model.ts");
      await chooseModel(deps);
    },
    doctor: async () => {
      const { showDoctor } = await import("../models/engine-builds.ts");
      await showDoctor(deps);
    },
    cudaBuild: async () => {
      const { chooseCudaBuild } = await import("../models/engine-builds.ts");
      await chooseCudaBuild(deps);
    },
    menu: () => showMenu(sources(), server.state, configuration.for()["automatic.enable"]),
    why: () =>
      pages.show("report.md", reportOf(traces.last(), traces.earlier(), editorSilent(configuration))),
    statistics: async () =>
      pages.show("statistics.md", statisticsPage(summaryOf(memory.records), usageOf(await sourceSet()))),
    eraseStatistics: async () => {
      await memory.setRecords([]);
      await deps.preferences.erase();
      (await sourceSet()).usage.erase();
      vscode.window.setStatusBarMessage(vscode.l10n.t("Statistics erased."), 4000);
    },
    exportPreferences: async () => {
      const { exportPreferences } = await import("../preferences/export-preferences.ts");
      await exportPreferences(deps.preferences, configuration.for()["preferences.enable"]);
    },
    otherProviders: () => explainOtherProviders(),
    showLog: () => log.show(),
    serverOutput: async () => pages.show("server-output.log", (await server.output()).join("\n")),
    restartServer: () => restart(server),
    stopServer: () => server.stop(),
    setServerToken: async () => {
      await setServerToken(configuration, deps.secrets);
      await server.stop();
    },
    accepted: (...args) => (isPair(args) ? onAccepted(deps, args) : undefined),
    useCandidate: (...args) => (isPair(args) ? useCandidate(deps, args[0], args[1]) : undefined),
  };
}

/** The ranking in the active document; without one, the last anywhere. */
function latest(session: RankingSession) {
  const uri = vscode.window.activeTextEditor?.document.uri.toString();
  return (uri === undefined ? undefined : session.latest(uri)) ?? session.last();
}

/** The editor itself is set to show no inline suggestions where the user is. */
function editorSilent(configuration: Configuration): boolean {
  const document = vscode.window.activeTextEditor?.document;
  return document !== undefined && !configuration.inlineSuggestionsShown(document);
}

async function restart(server: Supervisor): Promise<void> {
  // A start that hangs is given up after a minute: whoever stops waiting sooner finds its state in the language status.
  await withProgress(vscode.l10n.t("Restarting the reward server"), (signal) =>
    orAborted(server.restart(), signal),
  );
}

function usageOf({ usage, sources }: SourceSet): SourceUsage[] {
  const labels = new Map(sources().map(({ id, label }) => [id, label]));
  return Object.entries(usage.days())
    .reverse()
    .flatMap(([day, bySource]) =>
      Object.entries(bySource).map(([id, { requests, promptTokens, completionTokens, estimated }]) => ({
        day,
        label: labels.get(id) ?? id,
        requests,
        tokens: promptTokens + completionTokens,
        estimated,
      })),
    );
}

function isPair(args: readonly unknown[]): args is AcceptedArguments {
  return typeof args[0] === "string" && typeof args[1] === "string";
}
