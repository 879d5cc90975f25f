/** What happens after a suggestion was accepted: its score stays with its text, and the next one is asked for. */
import * as vscode from "vscode";
import type { Configuration } from "../editor/configuration.ts";
import { cursorAt, exclusionReason } from "../editor/documents.ts";
import { rowOf } from "../ranking/ranking.ts";
import type { ScoreAnchors } from "../ranking/score-anchors.ts";
import type { RankingSession } from "../ranking/session.ts";
import type { AcceptedArguments, InlineProvider } from "./provider.ts";
import type { Runs } from "./runs.ts";
import type { AskSources } from "./start-run.ts";
import type { TraceLog } from "./trace.ts";

export interface AcceptedDependencies {
  readonly configuration: Configuration;
  readonly provider: InlineProvider;
  readonly runs: Runs;
  readonly session: RankingSession;
  readonly scores: ScoreAnchors;
  readonly traces: TraceLog;
  readonly askSources: AskSources;
}

/** @param args as the editor hands them back from the suggestion that was accepted */
export async function onAccepted(deps: AcceptedDependencies, args: readonly unknown[]): Promise<void> {
  if (!isAccepted(args)) return;
  const [rankingId, candidateId] = args;
  const { provider, session, runs, configuration } = deps;
  provider.noteAccepted();
  session.update(rankingId, { accepted: candidateId });
  const run = runs.get(rankingId);
  const editor = vscode.window.activeTextEditor;
  if (!run || editor?.document.uri.toString() !== run.cursor.uri) return;
  const { document } = editor;
  const insert = insertedText(deps, rankingId, candidateId);
  if (insert !== undefined) anchor(deps, document, run.cursor.offset, insert, args);
  const settings = configuration.for(document);
  if (!settings["automatic.prefetch"] || !settings["automatic.enable"]) return;
  if (exclusionReason(document, settings) !== undefined) return;
  const cursor = cursorAt(document, editor.selection.active);
  // Typing on may have started it already.
  if (!cursor || runs.at(cursor)) return;
  const tracer = deps.traces.start("prefetch", document.uri.path, editor.selection.active.line);
  await deps.askSources(cursor, "prefetch", settings, tracer);
}

function isAccepted(args: readonly unknown[]): args is AcceptedArguments {
  return typeof args[0] === "string" && typeof args[1] === "string";
}

/** The text of a candidate as it was inserted: ranked, or shown before it was. */
function insertedText(
  { session, runs }: AcceptedDependencies,
  rankingId: string,
  candidateId: string,
): string | undefined {
  const candidate = runs.get(rankingId)?.state.candidates.find(({ id }) => id === candidateId);
  if (candidate) return candidate.insert;
  const ranking = session.get(rankingId);
  return ranking && rowOf(ranking, candidateId)?.entry.code;
}

/** The accepted text stands where the request was made: what was typed along belongs to it. */
function anchor(
  { scores }: AcceptedDependencies,
  document: vscode.TextDocument,
  start: number,
  insert: string,
  [rankingId, candidateId]: AcceptedArguments,
): void {
  const end = start + insert.length;
  const range = new vscode.Range(document.positionAt(start), document.positionAt(end));
  if (document.getText(range) !== insert) return;
  scores.add(document.uri.toString(), {
    start,
    end,
    rankingId,
    candidateId,
    origin: "accepted",
    stale: false,
  });
}
