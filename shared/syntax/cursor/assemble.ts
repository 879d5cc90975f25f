// A completion at a cursor: the exact text to insert, the enclosing unit with it in it, and whether that is
// valid. Proposals are made from the text (repetitions, closers, indentation) in the order of likelihood;
// the first that parses in its document is taken.

import { extract } from "../extract/extract.ts";
import type { Language } from "../languages/languages.ts";
import type { SyntaxRuntime } from "../parsing/parser.ts";
import { codeIn } from "./code-in-reply.ts";
import { type CursorDocument, cursorDocument } from "./document.ts";
import { reindent } from "./indentation.ts";
import type { Judgement } from "./judgement.ts";
import { continuationOf } from "./repeated-unit.ts";
import {
  cleanText,
  closerCuts,
  repetitionCuts,
  tailCuts,
  withoutRepeatedPrefix,
  withoutRepeatedSuffix,
} from "./repetition.ts";
import { scanBrackets } from "./scan-brackets.ts";

/** Longest completion that is read, in UTF-16 units: twice the 4096 tokens that reward models read. */
export const MAX_COMPLETION_LENGTH = 32 * 1024;

/** Insertions that are tried for one completion; real ones need one to four. */
const MAX_ATTEMPTS = 12;

/** The same for a completion above a size, so that hostile ones stay cheap. */
const MAX_ATTEMPTS_LARGE = 4;
const LARGE_COMPLETION = 8 * 1024;

/** And for one that leaves more errors than a doubled bracket or a sentence ever does. */
const MANY_FAULTS = 200;
const MAX_ATTEMPTS_HOPELESS = 2;

/** A first line in words: code may follow on it without a fence. */
const PROSE = /^\s*\p{Lu}[\p{L}']*(?:,? [\p{L}'`()-]+){2,}[.:!,]?[^\S\n]*\n/u;

/** A cursor in a document, and what a model would write there. */
export interface AssembleRequest {
  readonly prefix: string;
  readonly completion: string;
  readonly suffix: string;
  readonly language: Language;
  /** Where the file stands: cells of notebooks (`.ipynb`) may have lines for IPython. */
  readonly path?: string | undefined;
}

export interface AssembleDiagnostic {
  /** From 1, in the document with the insertion. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly message: string;
}

export interface Assembly {
  /** The exact text to insert at the cursor, with the document's line ends; empty when there is nothing to insert. */
  readonly insert: string;
  /** The enclosing unit with the insertion in it, line feeds only: what a reward model scores. */
  readonly unit: string;
  /** The document has no more syntax errors with the insertion than without it. */
  readonly valid: boolean;
  /** Why there is nothing, or nothing valid; null where the insertion is valid. */
  readonly reason: string | null;
  readonly diagnostics: readonly AssembleDiagnostic[];
}

/** The last document of each runtime: the completions of one request share it. */
const documents = new WeakMap<SyntaxRuntime, { request: AssembleRequest; document: CursorDocument }>();

/** Assembles one completion, loading the language's grammar if need be. Never throws for any text. */
export async function assemble(request: AssembleRequest, runtime: SyntaxRuntime): Promise<Assembly> {
  await runtime.load(request.language);
  const { completion } = request;
  if (completion.length > MAX_COMPLETION_LENGTH) {
    return nothing(
      `The completion is too large to check: it has ${completion.length} characters, the limit is ${MAX_COMPLETION_LENGTH}.`,
    );
  }
  const text = cleanText(completion);
  if (text.trim() === "") return nothing("The completion is empty.");
  const document = documentOf(request, runtime);
  const texts = document.before.inside === undefined ? codeIn(text, request.language) : [text];
  let found = search(texts, document);
  if (found?.valid !== true && PROSE.test(text) && document.before.inside === undefined) {
    const { code } = await extract(text, { language: request.language }, runtime);
    const extracted = code === "" ? undefined : search([code], document);
    if (extracted?.valid) found = extracted;
  }
  if (found === undefined) return nothing("Everything in the completion already stands in the document.");
  return finished(found, document, request);
}

/** The document of the request, from the last one where only the completion differs. */
export function documentOf(
  request: Omit<AssembleRequest, "completion">,
  runtime: SyntaxRuntime,
): CursorDocument {
  const last = documents.get(runtime);
  if (
    last !== undefined &&
    last.request.language === request.language &&
    last.request.prefix === request.prefix &&
    last.request.suffix === request.suffix &&
    last.request.path === request.path
  ) {
    return last.document;
  }
  const document = cursorDocument(request, runtime);
  documents.set(runtime, { request: { ...request, completion: "" }, document });
  return document;
}

/** The first proposal that is valid, else the one with the fewest errors; undefined when all are empty. */
function search(texts: readonly string[], document: CursorDocument): Judgement | undefined {
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  const limit = length > LARGE_COMPLETION ? MAX_ATTEMPTS_LARGE : MAX_ATTEMPTS;
  const tried = new Set<string>();
  let best: Judgement | undefined;
  let tolerated: Judgement | undefined;
  for (const insert of proposalsOf(texts, document)) {
    if (tried.has(insert) || insert.trim() === "") continue;
    tried.add(insert);
    const judgement = document.judge(insert);
    if (judgement.tooLarge) return judgement;
    if (judgement.valid) {
      const cut =
        judgement.unitEnd === undefined ? judgement : withinUnit(judgement, judgement.unitEnd, document);
      if (cut.clean) return cut;
      tolerated ??= cut;
    } else if (best === undefined || judgement.faults.length < best.faults.length) best = judgement;
    if (tried.size >= (judgement.faults.length > MANY_FAULTS ? MAX_ATTEMPTS_HOPELESS : limit)) break;
  }
  return tolerated ?? best;
}

/** Closing tokens and white space. */
const CLOSING_RUN = /^(?:\s*(?:[)\]};]|(?:end|fi|done|esac)\b))+/;

/** The insertion cut at the end of its unit, as long as that is valid too. */
function withinUnit(judgement: Judgement, end: number, document: CursorDocument): Judgement {
  // What ends the unit may also end what the document leaves open around it.
  const lacking = document.before.open.length > document.looseAfter.length;
  const closers = lacking ? (CLOSING_RUN.exec(judgement.insert.slice(end))?.[0].length ?? 0) : 0;
  const ends = closers > 0 ? [end + closers, end] : [end];
  for (const insert of ends.flatMap((at) => [...endings(judgement.insert.slice(0, at), document)])) {
    const cut = insert.trim() === "" ? undefined : document.judge(insert);
    if (cut?.valid) return cut;
  }
  return judgement;
}

function* proposalsOf(texts: readonly string[], document: CursorDocument): Generator<string> {
  for (const text of texts) yield* proposals(text, document);
}

/** Insertions that the completion may mean, most likely first. */
function* proposals(completion: string, document: CursorDocument): Generator<string> {
  for (const text of meanings(completion, document)) {
    for (const reading of reindent(text, document.indent)) {
      yield* endings(reading, document);
      const end = document.unitEndWithoutSuffix(reading);
      if (end !== undefined) yield* endings(reading.slice(0, end), document);
    }
  }
}

/** The completion without what stands before the cursor already: of an answer, its continuation. */
function meanings(completion: string, document: CursorDocument): string[] {
  const { before } = document.excerpt;
  const repeated = withoutRepeatedPrefix(completion, before);
  // A unit in full has more than one line.
  const whole = repeated === undefined && completion.includes("\n");
  const continued = whole ? continuationOf(completion, document) : undefined;
  const texts = continued?.plain === false ? [completion, continued.text] : [continued?.text, completion];
  return [repeated, ...texts].filter((text) => text !== undefined);
}

/** The text without what stands after the cursor already, joined to it. */
function* endings(full: string, document: CursorDocument): Generator<string> {
  const { after } = document.excerpt;
  const text = withoutOpenComment(full, document);
  const unrepeated = withoutRepeatedSuffix(text, after, document.before.inside);
  if (unrepeated !== undefined) yield* joined(unrepeated, document);
  yield* joined(text, document);
  const { inside } = document.before;
  const { loose, open } = scanBrackets(text, document.language, inside);
  // The longest text first: `} else { … }` loses its last brace before it loses the branch. What the completion
  // opened itself it may close, unless it closes something of the document's besides.
  const tails = after.trim() === "" ? [] : tailCuts(text).map((cut) => text.slice(0, cut));
  for (const kept of tails) {
    const left = scanBrackets(kept, document.language, inside).open.length;
    if (left <= open.length + loose.length) yield* joined(kept, document);
  }
  for (const cut of closerCuts(loose, after)) yield* joined(text.slice(0, cut), document);
  if (after.trim() === "") return;
  for (const cut of repetitionCuts(text, after)) yield* joined(text.slice(0, cut).trimEnd(), document);
}

/** A comment at the end would take up the rest of the cursor's line. */
function withoutOpenComment(text: string, document: CursorDocument): string {
  if (document.before.inside !== undefined || !/^[ \t]*\S/.test(document.excerpt.after)) return text;
  const { inside, insideStart } = scanBrackets(text, document.language);
  return inside === "\n" && text.slice(0, insideStart).trim() !== ""
    ? text.slice(0, insideStart).trimEnd()
    : text;
}

/** The text with the white space that its end needs before what follows the cursor, best form first. */
function joined(text: string, document: CursorDocument): string[] {
  const { after, before } = document.excerpt;
  const rest = /^[^\n]*/.exec(after)?.[0] ?? "";
  if (rest.trim() === "") return [text.trimEnd()];
  const atLineStart = before.slice(before.lastIndexOf("\n") + 1).trim() === "";
  const solid = text.trimEnd();
  const margin = /[ \t]*$/.exec(before.slice(before.lastIndexOf("\n") + 1))?.[0] ?? "";
  const lineMargin = /^[ \t]*/.exec(before.slice(before.lastIndexOf("\n") + 1))?.[0] ?? "";
  const next = rest.trimStart();
  const ownLine = /^[\p{L}\p{N}_}@#]|^\/[/*]/u.test(next);
  if (atLineStart && ownLine && !/[ \t]$/.test(text) && !/[-([{,.=+*/%&|<>!?:]$/.test(solid)) {
    return [`${solid}\n${margin}`, text];
  }
  if (!atLineStart && next.startsWith("}") && solid.includes("\n")) return [`${solid}\n${lineMargin}`, text];
  if (text.includes("\n") && /\n\s*$/.test(text))
    return atLineStart && ownLine ? [`${solid}\n${margin}`] : [text, solid];
  return [/^[ \t]/.test(after) ? text.trimEnd() : text];
}

function finished(found: Judgement, document: CursorDocument, request: AssembleRequest): Assembly {
  const insert = document.lineEnd === "\n" ? found.insert : found.insert.replaceAll("\n", document.lineEnd);
  if (found.tooLarge) {
    return { ...nothing("The document is too large to check around the cursor."), insert };
  }
  if (found.valid && (!found.hasCode || isPlaceholder(found.insert))) {
    return nothing("The completion has no code: only comments or a placeholder.");
  }
  if (found.valid) return { insert, unit: found.unit, valid: true, reason: null, diagnostics: [] };
  const diagnostics = diagnosticsOf(found, document, request);
  const [first] = diagnostics;
  const where = first === undefined ? "" : ` in line ${first.line}: ${first.message}`;
  return {
    insert,
    unit: found.unit,
    valid: false,
    reason: `With the completion the document has a syntax error${where.replace(/\.$/, "")}.`,
    diagnostics,
  };
}

/** Errors shown for one completion; the first ones say it. */
const MAX_DIAGNOSTICS = 5;

function diagnosticsOf(
  found: Judgement,
  document: CursorDocument,
  request: AssembleRequest,
): AssembleDiagnostic[] {
  const { head, before, after, tail } = document.excerpt;
  const text = head + before + found.insert + after + tail;
  const cursor = head.length + before.length;
  const cursorLine = count(request.prefix);
  const linesBefore = count(text.slice(0, cursor));
  const nearest = [...found.faults].sort(
    (a, b) => distance(a.start) - distance(b.start) || a.start - b.start,
  );
  return nearest.slice(0, MAX_DIAGNOSTICS).map((fault) => ({
    line: Math.max(1, 1 + cursorLine + count(text.slice(0, fault.start)) - linesBefore),
    column: fault.start - text.slice(0, fault.start).lastIndexOf("\n"),
    message:
      fault.message ??
      (fault.missing === undefined
        ? `unexpected ${quoted(text.slice(fault.start, fault.end))}`
        : `missing ${quoted(fault.missing)}`),
  }));

  /** Errors in the completion come first: those before it are the document's own. */
  function distance(at: number): number {
    return at < cursor ? cursor - at + text.length : at - cursor;
  }
}

function count(text: string): number {
  return text.replace(/\r\n?/g, "\n").split("\n").length - 1;
}

function quoted(text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line === "" ? "text" : `"${line.length > 40 ? `${line.slice(0, 40)}…` : line}"`;
}

/** A body that says nothing: what a model writes where it has no idea. */
function isPlaceholder(insert: string): boolean {
  const code = insert.replace(/^\s*(?:#|\/\/).*$/gm, "").trim();
  return /^(?:pass\b[^\S\n]*(?:#.*)?|\.\.\.|(?:TODO|FIXME|XXX)\b[^\n(]*|;+)$/.test(code);
}

function nothing(reason: string): Assembly {
  return { insert: "", unit: "", valid: false, reason, diagnostics: [] };
}
