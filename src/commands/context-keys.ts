/** Context keys: what the `enablement` clauses of the manifest ask, so that no command is offered that cannot work. */
import * as vscode from "vscode";
import { Disposables } from "../base/emitter.ts";
import type { Configuration } from "../editor/configuration.ts";
import { exclusionReason } from "../editor/documents.ts";
import type { ScoreAnchors } from "../ranking/score-anchors.ts";
import type { RankingSession } from "../ranking/session.ts";
import type { RewardServer } from "../reward-server/server-interface.ts";

export interface ContextKeyDependencies {
  readonly configuration: Configuration;
  readonly session: RankingSession;
  readonly scores: ScoreAnchors;
  readonly server: RewardServer;
}

export function watchContextKeys(deps: ContextKeyDependencies): vscode.Disposable {
  const { configuration, session, scores, server } = deps;
  const lifetime = new Disposables();
  const set = keySetter();
  const update = () => {
    const document = vscode.window.activeTextEditor?.document;
    const uri = document?.uri.toString() ?? "";
    set(
      "supported",
      document !== undefined && exclusionReason(document, configuration.for(document)) === undefined,
    );
    set("hasRanking", session.last() !== undefined);
    set("hasScores", scores.in(uri).length > 0);
    set("serverRunning", server.state.kind === "ready" || server.state.kind === "starting");
  };
  lifetime.add(vscode.window.onDidChangeActiveTextEditor(update));
  lifetime.add(vscode.workspace.onDidOpenTextDocument(update));
  lifetime.add(configuration.onDidChange(update));
  lifetime.add(session.onDidChange(update));
  lifetime.add(scores.onDidChange(update));
  lifetime.add(server.onDidChange(update));
  update();
  return lifetime;
}

/** Tells the editor only what has changed: keys are set by a message to another process. */
function keySetter(): (key: string, value: boolean) => void {
  const known = new Map<string, boolean>();
  return (key, value) => {
    if (known.get(key) === value) return;
    known.set(key, value);
    void vscode.commands.executeCommand("setContext", `codescaler.${key}`, value);
  };
}
