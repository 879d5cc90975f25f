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
import type { TraceLog } from "./trace/trace.ts";

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
  anchor(deps, document, run.cursor.offset, insertedTexts(deps, rankingId, candidateId), args);
  const settings = configuration.for(document);
  if (!settings["automatic.prefetch"] || !settings["automatic.enable"]) return;
  if (exclusionReason(document, settings) !== undefined) return;
  const cursor = cursorAt(document, editor.selection.active);
  // Typing on may have started it already; and what is still being written prolongs the lines that were taken.
  const beingWritten = run.state.candidates.some(({ id, draft }) => id === candidateId && draft);
  if (!cursor || runs.at(cursor) || (beingWritten && !run.state.done)) return;
  const tracer = deps.traces.start("prefetch", document.uri.path, editor.selection.active.line);
  await deps.askSources(cursor, "prefetch", settings, tracer);
}

function isAccepted(args: readonly unknown[]): args is AcceptedArguments {
  return typeof args[0] === "string" && typeof args[1] === "string";
}

/** The texts that a candidate may have been inserted as: whole, as ranked, or as its first lines were shown. */
function insertedTexts(
  { session, runs }: AcceptedDependencies,
  rankingId: string,
  candidateId: string,
): string[] {
  const run = runs.get(rankingId);
  const candidate = run?.state.candidates.find(({ id }) => id === candidateId);
  const ranking = session.get(rankingId);
  const entry = ranking && rowOf(ranking, candidateId)?.entry;
  const texts = [candidate?.insert, entry?.code, run?.shown];
  return texts.flatMap((text) => (text === undefined || text === "" ? [] : [text]));
}

/** The accepted text stands where the request was made: what was typed along belongs to it. */
function anchor(
  { scores }: AcceptedDependencies,
  document: vscode.TextDocument,
  start: number,
  inserts: readonly string[],
  [rankingId, candidateId]: AcceptedArguments,
): void {
  const ends = inserts.map((insert) => start + insert.length);
  const end = ends.find((one, index) => {
    const range = new vscode.Range(document.positionAt(start), document.positionAt(one));
    return document.getText(range) === inserts[index];
  });
  if (end === undefined) return;
  scores.add(document.uri.toString(), {
    start,
    end,
    rankingId,
    candidateId,
    origin: "accepted",
    stale: false,
  });
}
