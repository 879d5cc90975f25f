/**
 * Whether what a model has written at a cursor so far is complete: the unit, block or statement that the cursor is in
 * has ended, or the text runs into what the document has there already. Lines and brackets propose a cut, which takes
 * microseconds and may be asked after every token; a parse confirms it, once for each cut.
 */
import { type Language, SYNTAX } from "../languages/languages.ts";
import type { SyntaxRuntime } from "../parsing/parser.ts";
import { isClosed, placeAt } from "../units/unit.ts";
import { documentOf } from "./assemble.ts";
import type { BracketScan } from "./bracket-scan.ts";
import type { CursorDocument } from "./document/document.ts";
import { solidRange } from "./document/scored-unit.ts";
import { endBefore, type SampledLine, sampledLines, startsWritten } from "./sampled-lines.ts";
import { scanBrackets } from "./scan-brackets.ts";
import { indentOf } from "./text/indent-style.ts";
import { isCloser, isComment } from "./text/line-shapes.ts";
import { isTelling, lineFeeds } from "./text/repetition.ts";

/** Where a sample ends. */
export interface Stop {
  /** The length of what is kept of the text, in UTF-16 units. */
  readonly cut: number;
  /** What is complete; `suffix`: what follows is in the document already. */
  readonly because: "unit" | "block" | "statement" | "suffix";
}

/** A cursor in a document. */
export interface StopPlace {
  readonly prefix: string;
  readonly suffix: string;
  readonly language: Language;
  readonly path?: string | undefined;
}

/** For each text written at a place so far, where it ends; undefined: it goes on. Loads the grammar if need be. */
export async function stopsAt(
  place: StopPlace,
  texts: readonly string[],
  runtime: SyntaxRuntime,
): Promise<(Stop | undefined)[]> {
  await runtime.load(place.language);
  const document = documentOf(place, runtime);
  return texts.map((text) => stopOf(document, text));
}

/** Where a text ends that is being written at the document's cursor; undefined while it has to go on. */
export function stopOf(document: CursorDocument, written: string): Stop | undefined {
  const text = lineFeeds(written);
  if (text.trim() === "") return undefined;
  const scan = scanBrackets(text, document.language, document.before.inside);
  const lines = sampledLines(text, document, scan);
  const stops = [
    repeatedLine(document, lines),
    repeatedRest(document, text),
    closedString(document, text),
    leftBrackets(document, text, scan),
    leftIndentation(document, lines),
    endedStatement(document, text, lines),
    ownUnit(document, text, lines),
  ].filter((stop) => stop !== undefined);
  stops.sort((a, b) => a.cut - b.cut);
  const stop = stops.find(
    ({ cut, because }) => because === "suffix" || isValid(document, text.slice(0, cut)),
  );
  return stop && { ...stop, cut: inOriginal(written, stop.cut) };
}

/** Cuts that a parse has confirmed or refused. */
const judged = new WeakMap<CursorDocument, Map<string, boolean>>();

/** Cuts that are remembered for one document: each sample has a few. */
const MAX_JUDGED = 64;

/** What is no continuation of the place (a signature given again, prose) has the end of a unit anywhere. */
function isValid(document: CursorDocument, cut: string): boolean {
  const insert = cut.trimEnd();
  if (insert.trim() === "") return false;
  const known = judged.get(document) ?? new Map<string, boolean>();
  judged.set(document, known);
  const before = known.get(insert);
  if (before !== undefined) return before;
  if (known.size >= MAX_JUDGED) known.clear();
  const { valid } = document.judge(insert);
  known.set(insert, valid);
  return valid;
}

/** The first line after the cursor's that is not blank; undefined where the cursor's line has more code. */
function lineBelow(document: CursorDocument): { readonly code: string; readonly indent: number } | undefined {
  const { after } = document.excerpt;
  const rest = restOfLine(after).trim();
  if (rest !== "" && !isComment(rest, document.language)) return undefined;
  const text = after.split("\n", MAX_BLANK).find((line, index) => index > 0 && line.trim() !== "");
  return text === undefined ? undefined : { code: text.trim(), indent: indentOf(text) };
}

/** Blank lines below a cursor that are passed over. */
const MAX_BLANK = 50;

function restOfLine(after: string): string {
  const end = after.indexOf("\n");
  return end < 0 ? after : after.slice(0, end);
}

/** A whole line, indented as the document's next one and equal to it. */
function repeatedLine(document: CursorDocument, lines: readonly SampledLine[]): Stop | undefined {
  const below = lineBelow(document);
  if (below === undefined || !isTelling(below.code)) return undefined;
  const found = lines.find(
    (line) => line.complete && line.ownLine && line.indent === below.indent && line.code === below.code,
  );
  return found && { cut: endBefore(found, lines), because: "suffix" };
}

/** The rest of the cursor's line, given again at the end of the text's first line. */
function repeatedRest(document: CursorDocument, text: string): Stop | undefined {
  const rest = restOfLine(document.excerpt.after).trim();
  const end = text.indexOf("\n");
  const line = text.slice(0, Math.max(0, end)).trimEnd();
  if (rest === "" || !line.endsWith(rest)) return undefined;
  return { cut: line.length - rest.length, because: "suffix" };
}

/** The end of the string that the cursor is in, where the rest of the cursor's line has that end. */
function closedString(document: CursorDocument, text: string): Stop | undefined {
  const { inside } = document.before;
  if (inside === undefined || !/["'`]$/.test(inside)) return undefined;
  if (!restOfLine(document.excerpt.after).includes(inside)) return undefined;
  for (let at = text.indexOf(inside); at >= 0; at = text.indexOf(inside, at + 1)) {
    if (text.charAt(at - 1) !== "\\") return { cut: at, because: "suffix" };
  }
  return undefined;
}

/** Words that go on with a block, behind the bracket or word that closes its first part. */
const GOES_ON = /^\s*(?:else|elif|elsif|catch|finally|except|rescue|ensure|when|while)\b/;

/**
 * A closer of what the document opened before the cursor. What the document also closes ends in front of the closer;
 * the closer of the unit, where the document lacks it, belongs to the text.
 */
function leftBrackets(document: CursorDocument, text: string, scan: BracketScan): Stop | undefined {
  const { before, looseAfter, excerpt, unit } = document;
  const { indented } = SYNTAX[document.language].programs;
  const lacking = Math.max(0, before.open.length - looseAfter.length);
  const unitStart = unit === undefined ? Number.POSITIVE_INFINITY : unit.start + excerpt.head.length;
  const ofUnit = before.open.filter(({ index }) => index >= unitStart).length;
  // What the document has behind the cursor on its line may be given again, up to the line's end.
  const from = hasMore(document) ? text.indexOf("\n") : 0;
  for (const [count, closer] of scan.loose.entries()) {
    const end = closer.index + closer.text.length;
    const rest = text.slice(end);
    // Whether an `else` follows has to be seen.
    if (from < 0 || closer.index < from || GOES_ON.test(rest)) continue;
    const tail = /^[;,)]*/.exec(rest)?.[0].length ?? 0;
    if (count >= lacking) {
      if (!startsWritten(rest) && closer.text !== ")") continue;
      return { cut: text.slice(0, closer.index).trimEnd().length, because: "block" };
    }
    if (count + 1 >= ofUnit && !indented && startsWritten(rest.slice(tail)))
      return { cut: end + tail, because: "unit" };
  }
  return undefined;
}

/** A statement with less indentation than the unit's body, or than the document's next line, where that makes blocks. */
function leftIndentation(document: CursorDocument, lines: readonly SampledLine[]): Stop | undefined {
  if (!SYNTAX[document.language].programs.indented) return undefined;
  const { unit, excerpt } = document;
  const ofUnit = unit === undefined ? -1 : columnOf(excerpt.before, unit.start);
  const below = lineBelow(document);
  for (const line of lines) {
    if (!line.ownLine || !line.statement) continue;
    if (line.indent <= ofUnit) return { cut: endBefore(line, lines), because: "unit" };
    if (below === undefined || below.indent <= ofUnit || GOES_ON.test(line.code)) continue;
    // What goes on with a block below ends that block here.
    const least = GOES_ON.test(below.code) ? below.indent + 1 : below.indent;
    if (line.indent < least) return { cut: endBefore(line, lines), because: "block" };
  }
  return undefined;
}

/** Columns in front of what starts at an offset. */
function columnOf(text: string, offset: number): number {
  return indentOf(text.slice(text.lastIndexOf("\n", offset - 1) + 1));
}

/** Starts of lines that go on with the statement above. */
const SAME_STATEMENT = /^(?:[.?:+*/&|=,<>%^)\]}-]|\{)/;

/**
 * The end of the statement that the cursor is in, where the document goes on behind it: on the cursor's line, or with
 * another statement of the same block below.
 */
function endedStatement(
  document: CursorDocument,
  text: string,
  lines: readonly SampledLine[],
): Stop | undefined {
  const { indent, before, language } = document;
  if (before.inside !== undefined) return undefined;
  // Closers behind the cursor say themselves where the text ends.
  if (hasMore(document)) {
    const last = lines.find(({ complete, end }) => complete && isBalanced(text.slice(0, end), language));
    return last && { cut: last.end, because: "statement" };
  }
  const below = lineBelow(document);
  if (indent.atLineStart || below === undefined || below.indent < indent.lineIndent || isCloser(below.code))
    return undefined;
  const next = lines.find((line) => line.ownLine && line.statement && line.indent <= indent.lineIndent);
  if (next === undefined || GOES_ON.test(next.code) || SAME_STATEMENT.test(next.code)) return undefined;
  return { cut: endBefore(next, lines), because: "statement" };
}

/** The cursor's line has code behind it that closes nothing of what is in front of it. */
function hasMore({ excerpt, language }: CursorDocument): boolean {
  const rest = restOfLine(excerpt.after).trim();
  return /[\p{L}\p{N}_"'`]/u.test(rest) && !/^[)\]}]/.test(rest) && !isComment(rest, language);
}

function isBalanced(text: string, language: Language): boolean {
  const { open, inside } = scanBrackets(text, language);
  return open.length === 0 && inside === undefined;
}

/** The end of a unit that the text itself starts, where the cursor is in no function and the text goes on. */
function ownUnit(document: CursorDocument, text: string, lines: readonly SampledLine[]): Stop | undefined {
  if (document.unit?.kind === "function" || !document.indent.atLineStart) return undefined;
  const [first, second, ...others] = lines.filter((line) => line.statement);
  if (first === undefined || second === undefined) return undefined;
  const next = [second, ...others].find(
    ({ indent, code }) => indent <= first.indent && !GOES_ON.test(code) && !isCloser(code) && code !== "{",
  );
  // A line alone is a statement, and so may many be.
  if (next === undefined || next === second) return undefined;
  const cut = endBefore(next, lines);
  return isUnit(text.slice(0, cut), document) ? { cut, because: "unit" } : undefined;
}

/** The text is one function or type. */
function isUnit(text: string, document: CursorDocument): boolean {
  const { head, before } = document.excerpt;
  const solid = solidRange(text, head.length + before.length);
  const tree = document.parse(head + before + text);
  try {
    if (tree === null || solid === undefined) return false;
    const { kind, node } = placeAt(tree.rootNode, solid.start, solid.start + 1);
    if (node === undefined || (kind !== "function" && kind !== "type")) return false;
    return node.startIndex >= solid.start && node.endIndex >= solid.end && isClosed(node);
  } finally {
    tree?.delete();
  }
}

/** An offset into the text with line feeds as one into the text as it was written. */
function inOriginal(written: string, offset: number): number {
  if (!written.includes("\r")) return offset;
  let at = 0;
  for (let left = offset; left > 0; left--) at += written.startsWith("\r\n", at) ? 2 : 1;
  return at;
}
