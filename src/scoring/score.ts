/** Scores code that stands in documents, at the user's request. Results are rankings like any other. */
import * as vscode from "vscode";
import type { Priority } from "../../shared/contract.ts";
import { type CursorContext, taskAt, textAround } from "../editor/cursor-context.ts";
import { editorLanguage, linesOf } from "../editor/documents.ts";
import type { Ranker } from "../ranking/ranker.ts";
import type { Candidate, Ranking, RankingKind } from "../ranking/ranking.ts";
import type { ScoreAnchors } from "../ranking/score-anchors.ts";
import type { RankingSession } from "../ranking/session.ts";
import type { Syntax } from "../syntax/syntax.ts";
import type { FunctionRange } from "./functions.ts";

export interface ScoringDependencies {
  readonly rank: Ranker;
  readonly session: RankingSession;
  readonly scores: ScoreAnchors;
  readonly syntax: Syntax;
}

/** An alternative for a piece of code. */
export interface Alternative {
  readonly source: string;
  readonly text: string;
}

/** Larger documents are read around the cursor only: parsing more would hold up the extension host. */
const MAX_DOCUMENT_LENGTH = 256 * 1024;

/** What is scored: a range of a document, and where in it the program starts. */
export interface ScoreTarget {
  readonly document: vscode.TextDocument;
  readonly name: string;
  readonly range: vscode.Range;
  readonly codeStart: vscode.Position;
}

export class Scoring {
  readonly #deps: ScoringDependencies;

  constructor(deps: ScoringDependencies) {
    this.#deps = deps;
  }

  /** The function around a position; undefined where there is none. */
  async functionAt(
    document: vscode.TextDocument,
    position: vscode.Position,
  ): Promise<ScoreTarget | undefined> {
    const language = editorLanguage(document);
    if (!language) return undefined;
    const { prefix, suffix } = textAround(linesOf(document), position);
    const base = document.offsetAt(position) - prefix.length;
    const functionRange = await this.#deps.syntax.functionAt(prefix + suffix, prefix.length, language);
    return functionRange && targetOf(document, functionRange, base);
  }

  /** The functions of a document; only those near the start of a huge one. */
  async functionsIn(document: vscode.TextDocument): Promise<ScoreTarget[]> {
    const language = editorLanguage(document);
    if (!language) return [];
    const text = document.getText().slice(0, MAX_DOCUMENT_LENGTH);
    const ranges = await this.#deps.syntax.functionsIn(text, language);
    return ranges.map((functionRange) => targetOf(document, functionRange, 0));
  }

  /** Scores what stands there. The score then shows behind it and on hover. */
  async score(
    target: ScoreTarget,
    signal: AbortSignal,
    priority: Priority = "interactive",
  ): Promise<Ranking> {
    return this.#rank("score", target, [], signal, priority);
  }

  /** Ranks what stands there together with alternatives to it. */
  async compare(target: ScoreTarget, others: readonly Alternative[], signal: AbortSignal): Promise<Ranking> {
    return this.#rank("comparison", target, others, signal, "interactive");
  }

  async #rank(
    kind: RankingKind,
    target: ScoreTarget,
    others: readonly Alternative[],
    signal: AbortSignal,
    priority: Priority,
  ): Promise<Ranking> {
    const { rank, session, scores } = this.#deps;
    const { document, range, codeStart } = target;
    const startedAt = Date.now();
    const cursor = cursorOf(target);
    const own = document.getText(new vscode.Range(codeStart, range.end));
    const version = document.version;
    const name = vscode.workspace.asRelativePath(document.uri, false);
    const candidates = [{ source: target.name || name, text: own }, ...others].map(
      ({ source, text }, index): Candidate => ({
        id: `c${index + 1}`,
        sourceId: "document",
        source,
        text,
        complete: true,
        draft: false,
        tokens: undefined,
        arrivedMs: 0,
        insert: text,
        valid: true,
        reason: null,
      }),
    );
    const body = candidates.map(({ id, text }) => ({ id, text }));
    const reply = await rank({ task: taskAt(cursor), candidates: body, priority }, signal);
    const ranking: Ranking = {
      id: session.nextId(),
      kind,
      cursor,
      candidates,
      reply,
      complete: true,
      problems: [],
      shown: undefined,
      accepted: undefined,
      startedAt,
      totalMs: Date.now() - startedAt,
    };
    session.set(ranking);
    // What was edited while it was being scored no longer has this score.
    if (document.version === version) {
      scores.add(cursor.uri, {
        start: document.offsetAt(range.start),
        end: document.offsetAt(range.end),
        rankingId: ranking.id,
        candidateId: "c1",
        origin: "scored",
        stale: false,
      });
    }
    return ranking;
  }
}

/** The document without the program: what stands before and after it. */
function cursorOf({ document, range, codeStart }: ScoreTarget): CursorContext {
  const lines = linesOf(document);
  const language = editorLanguage(document);
  if (!language) throw new Error("a document of another language was to be scored");
  return {
    uri: document.uri.toString(),
    version: document.version,
    language,
    path: vscode.workspace.asRelativePath(document.uri, false),
    offset: document.offsetAt(codeStart),
    prefix: textAround(lines, codeStart).prefix,
    suffix: textAround(lines, range.end).suffix,
  };
}

function targetOf(document: vscode.TextDocument, functionRange: FunctionRange, base: number): ScoreTarget {
  const at = (offset: number) => document.positionAt(base + offset);
  return {
    document,
    name: functionRange.name,
    range: new vscode.Range(at(functionRange.start), at(functionRange.end)),
    codeStart: at(functionRange.codeStart),
  };
}
