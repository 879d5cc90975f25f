/** Waiting for a run that the user asked for: progress, then the candidates while they come, best first. */
import * as vscode from "vscode";
import { abortSignalOf } from "../base/wait.ts";
import { rowOf } from "../ranking/ranking.ts";
import type { RankingSession } from "../ranking/session.ts";
import { standingOf } from "../ranking/standing.ts";
import type { Run, RunState } from "./run.ts";
import { suggestionsOf } from "./suggestions.ts";

/** Who gets everything this soon needs no list. */
const LIST_AFTER_MS = 1500;

/** What the user waited for. */
export interface Awaited {
  readonly state: RunState;
  /** The candidate that was chosen from the list; undefined means the best. */
  readonly chosen: string | undefined;
}

/** Waits for all candidates of a run, or until the user takes one. Undefined when the user cancelled. */
export async function awaitRun(run: Run, session: RankingSession): Promise<Awaited | undefined> {
  const state = await underProgress(run);
  if (!state || state.done) return state && { state, chosen: undefined };
  return inList(run, session);
}

/** Under a notification for a short while. */
async function underProgress(run: Run): Promise<RunState | undefined> {
  const until = performance.now() + LIST_AFTER_MS;
  return vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: vscode.l10n.t("CodeScaler: ranking candidates"),
      cancellable: true,
    },
    async (progress, token) => {
      const { signal, dispose } = abortSignalOf(token);
      try {
        for (;;) {
          const seen = run.state;
          progress.report({ message: howFar(seen) });
          const left = Math.max(0, until - performance.now());
          const state = await run.until((now) => now !== seen, signal, left);
          if (state.done || performance.now() >= until) return state;
        }
      } catch (error) {
        if (!signal.aborted) throw error;
        run.cancel();
        return undefined;
      } finally {
        dispose();
      }
    },
  );
}

interface Item extends vscode.QuickPickItem {
  /** Undefined for the best, whichever that is by then. */
  readonly candidate: string | undefined;
}

/** In a list that grows; leaving it cancels the run. */
async function inList(run: Run, session: RankingSession): Promise<Awaited | undefined> {
  const list = vscode.window.createQuickPick<Item>();
  const left = new AbortController();
  let taken: Item | undefined;
  list.title = vscode.l10n.t("CodeScaler: ranking candidates");
  list.busy = true;
  list.ignoreFocusOut = true;
  list.keepScrollPosition = true;
  list.onDidAccept(() => {
    [taken] = list.selectedItems;
    if (taken) list.hide();
  });
  const hidden = new Promise<void>((resolve) => {
    list.onDidHide(() => {
      left.abort(new DOMException("The list was left.", "AbortError"));
      resolve();
    });
  });
  list.show();
  try {
    for (let state = run.state; !state.done; ) {
      const seen = state;
      list.placeholder = howFar(state);
      const active = list.activeItems[0]?.candidate;
      list.items = itemsOf(run, state, session);
      list.activeItems = list.items.filter(({ candidate }) => candidate === active).slice(0, 1);
      state = await run.until((now) => now !== seen, left.signal);
    }
  } catch (error) {
    if (!left.signal.aborted) throw error;
    // Nobody wants the rest any more, whether one was taken or none.
    run.cancel();
    if (!taken) return undefined;
  } finally {
    list.hide();
    await hidden;
    list.dispose();
    await vscode.commands.executeCommand("workbench.action.focusActiveEditorGroup");
  }
  return { state: run.state, chosen: taken?.candidate };
}

function itemsOf(run: Run, state: RunState, session: RankingSession): Item[] {
  const ranking = session.get(run.id);
  const suggestions = suggestionsOf(state.candidates, state.reply, undefined);
  if (!ranking || suggestions.length === 0) return [];
  return [
    { label: `$(check) ${vscode.l10n.t("Take the best so far")}`, candidate: undefined },
    ...suggestions.map(({ id, insert }): Item => {
      const row = rowOf(ranking, id);
      const [first = "", ...others] = insert.trim().split(/\r?\n/);
      const more = others.length === 0 ? "" : ` ${vscode.l10n.t("(+ {0} lines)", others.length)}`;
      return {
        label: `${first.replaceAll("$(", "$ (")}${more}`,
        description: row ? standingOf(ranking, row) : vscode.l10n.t("not ranked yet"),
        candidate: id,
      };
    }),
  ];
}

function howFar(state: RunState): string {
  const arrived = vscode.l10n.t("{0} candidates", state.candidates.length);
  return state.ranked === 0 ? arrived : vscode.l10n.t("{0}, {1} of them ranked", arrived, state.ranked);
}
