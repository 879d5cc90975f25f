/** What is asked at a cursor: the text around it, bounded, and its language. Problem and unit are the server's. */
import type { CursorTask } from "../../shared/contract.ts";
import type { Language } from "../../shared/syntax/languages/languages.ts";

/**
 * Text around the cursor that the reward server reads, in UTF-16 units: it parses windows of it, and the largest
 * reward model reads 4096 tokens, about 16,000 units. The rest finds the imports and the enclosing unit.
 */
export const PREFIX_LENGTH = 48 * 1024;
export const SUFFIX_LENGTH = 16 * 1024;

/** Text that completion models read: with the answer it fits the 4096 tokens that local servers give by default. */
export const MODEL_PREFIX_LENGTH = 8 * 1024;
export const MODEL_SUFFIX_LENGTH = 2 * 1024;

/** The lines of a document, wherever they come from. */
export interface Lines {
  readonly count: number;
  /** Without its line end. */
  at(index: number): string;
  readonly lineEnd: string;
}

/** A cursor with the text around it. Plain data: the document may change afterwards. */
export interface CursorContext {
  readonly uri: string;
  readonly version: number;
  readonly language: Language;
  /** Relative to its workspace folder. */
  readonly path: string;
  /** Of the cursor, in UTF-16 units from the document's start. */
  readonly offset: number;
  readonly prefix: string;
  readonly suffix: string;
}

/**
 * The text before and after a cursor, cut at whole lines where it is too long; within one line that is too long
 * by itself, cut there. Reads no more lines than it needs, however large the document is.
 */
export function textAround(
  lines: Lines,
  position: { readonly line: number; readonly character: number },
): { readonly prefix: string; readonly suffix: string } {
  const own = lines.at(position.line);
  const before: string[] = [own.slice(Math.max(0, position.character - PREFIX_LENGTH), position.character)];
  let room = PREFIX_LENGTH - (before[0]?.length ?? 0);
  const whole = position.character <= PREFIX_LENGTH;
  for (let index = position.line - 1; whole && index >= 0; index--) {
    const line = lines.at(index);
    room -= line.length + lines.lineEnd.length;
    if (room < 0) break;
    before.push(line);
  }
  const after: string[] = [own.slice(position.character, position.character + SUFFIX_LENGTH)];
  room = SUFFIX_LENGTH - (after[0]?.length ?? 0);
  const wholeAfter = own.length - position.character <= SUFFIX_LENGTH;
  for (let index = position.line + 1; wholeAfter && index < lines.count; index++) {
    const line = lines.at(index);
    room -= line.length + lines.lineEnd.length;
    if (room < 0) break;
    after.push(line);
  }
  return { prefix: before.reverse().join(lines.lineEnd), suffix: after.join(lines.lineEnd) };
}

/** Lines of a notebook cell that are no program: they speak to the notebook or to a shell. */
const MAGIC = /^[ \t]*[%!].*(?:\n|$)/gm;

/**
 * The prefix of a notebook cell: what the code cells before it define stands before its own text.
 * @param earlier texts of the code cells of the same language before this one, in order
 */
export function withEarlierCells(earlier: readonly string[], prefix: string, lineEnd: string): string {
  const texts: string[] = [];
  let room = PREFIX_LENGTH - prefix.length;
  for (const text of [...earlier].reverse()) {
    const code = text.replace(MAGIC, "").trimEnd();
    room -= code.length + 2 * lineEnd.length;
    if (room < 0) break;
    if (code !== "") texts.push(code);
  }
  return [...texts.reverse(), prefix].join(lineEnd + lineEnd);
}

/** The cursor as the reward server is asked about it. */
export function taskAt(cursor: CursorContext): CursorTask {
  const { prefix, suffix, language, path } = cursor;
  return { prefix, suffix, language, path };
}

/** The last or first part of a text that fits, cut at a line where one is near enough. */
export function lastPart(text: string, length: number): string {
  if (text.length <= length) return text;
  const part = text.slice(-length);
  const line = part.indexOf("\n") + 1;
  return line > 0 && line < length / 2 ? part.slice(line) : part;
}

export function firstPart(text: string, length: number): string {
  if (text.length <= length) return text;
  const part = text.slice(0, length);
  const line = part.lastIndexOf("\n");
  return line > length / 2 ? part.slice(0, line) : part;
}
