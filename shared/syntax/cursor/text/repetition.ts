/** What can be said about a completion by its text alone: what of it is before or after the cursor already. */

import type { LooseCloser } from "../bracket-scan.ts";
import { indentOf } from "./indent-style.ts";

/** Tokens by which fill-in-the-middle models end, in their several spellings. What follows is not meant. */
const END_TOKENS =
  /<\|(?:endoftext|end_of_text|im_end|eot_id|fim_(?:prefix|suffix|middle|pad)|file_sep(?:arator)?|repo_name|cursor|end▁of▁sentence)\|>|<｜[^｜\n]{1,40}｜>|<(?:EOT|PRE|SUF|MID|fim_(?:prefix|suffix|middle|pad)|file_sep|\/s)>|\[(?:PREFIX|SUFFIX|MIDDLE)\]/;

/** Lines of the document before the cursor that a completion may repeat. */
const REPEATED_LINES = 400;

/** Places at which a repetition of the next lines is looked for: equal lines without end would cost squares. */
const SUFFIX_TRIES = 50;

/** Longest run of tokens at the cursor that a completion may repeat, in UTF-16 units. */
const TOKEN_OVERLAP = 200;

/** Carriage returns become line feeds, a byte order mark and what follows an end token go. */
export function cleanText(text: string): string {
  const plain = lineFeeds(text).replace(/^\uFEFF/, "");
  const end = END_TOKENS.exec(plain);
  return end === null ? plain : plain.slice(0, end.index);
}

/** The text with line feeds only. */
export function lineFeeds(text: string): string {
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

/**
 * The line end of the document at the cursor: that of the line before, else that of the line after.
 * A file with mixed ends is continued as it is where the cursor is.
 */
export function lineEndAt(prefix: string, suffix: string): string {
  const at = Math.max(prefix.lastIndexOf("\n"), prefix.lastIndexOf("\r", prefix.length - 2));
  const last =
    at < 0
      ? /\r\n?|\n/.exec(suffix)?.[0]
      : /(?:\r\n|\n|\r)$/.exec(prefix.slice(Math.max(0, at - 1), at + 1))?.[0];
  return last ?? "\n";
}

/** A line of a text with its place. */
export interface Line {
  readonly text: string;
  readonly trimmed: string;
  readonly start: number;
  readonly end: number;
}

/** The lines of a text that are not blank. */
export function solidLines(text: string): Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    if (trimmed !== "") lines.push({ text: line, trimmed, start, end: start + line.length });
    start += line.length + 1;
  }
  return lines;
}

/** The line says something of its own: not just brackets and closing words. */
export function isTelling(trimmed: string): boolean {
  const bare = trimmed
    .replace(/\b(?:end|fi|done|esac|else|then|do|begin|try)\b/g, "")
    .replace(/<\/[\w.]*>/g, "");
  return /[\p{L}\p{N}_]/u.test(bare);
}

/**
 * The completion without what it repeats of the text before the cursor: the whole lines above, the started
 * line, or both. Undefined when it repeats nothing telling.
 */
export function withoutRepeatedPrefix(completion: string, before: string): string | undefined {
  const lineStart = before.lastIndexOf("\n") + 1;
  const started = before.slice(lineStart).trimStart();
  const lines = solidLines(completion);
  const above = solidLines(tailLines(before.slice(0, lineStart)));
  const limit = Math.min(above.length, lines.length);
  for (let count = limit; count >= 0; count--) {
    const repeated = lines.slice(0, count);
    const offset = above.length - count;
    if (!repeated.every((line, index) => line.trimmed === above[offset + index]?.trimmed)) continue;
    if (count > 0 && !repeated.some((line) => isTelling(line.trimmed))) continue;
    const next = lines[count];
    const last = repeated.at(-1);
    if (started.trim() !== "") {
      const taken = next === undefined ? undefined : withoutStart(next, started);
      if (taken === undefined || next === undefined) continue;
      if (count === 0 && !isStrongStart(started)) continue;
      return taken + completion.slice(next.end);
    }
    if (last === undefined || (count === 1 && !isStrongLine(last.trimmed))) continue;
    return completion.slice(last.end).replace(/^\n/, "");
  }
  return withoutRepeatedTokens(completion, started);
}

/** The completion without the last tokens of the started line: `total = max(` and `max(a, b)`. */
function withoutRepeatedTokens(completion: string, started: string): string | undefined {
  for (let length = Math.min(started.length, completion.length, TOKEN_OVERLAP); length >= 4; length--) {
    const repeated = completion.slice(0, length);
    if (!started.endsWith(repeated) || !/[\p{L}_]{3}/u.test(repeated)) continue;
    const before = started.charAt(started.length - length - 1);
    // A word is repeated from its start, or not at all.
    if (/[\p{L}\p{N}_]/u.test(before) && /^[\p{L}\p{N}_]/u.test(repeated)) continue;
    return completion.slice(length);
  }
  return undefined;
}

/** The completion without the word that was begun before the cursor: `fu` and `func`. */
export function withoutRepeatedWord(completion: string, before: string): string | undefined {
  const begun = /(?<![\p{L}\p{N}_])[\p{L}_]{2,}$/u.exec(before.slice(-TOKEN_OVERLAP))?.[0];
  if (begun === undefined || !completion.startsWith(begun)) return undefined;
  const rest = completion.slice(begun.length);
  return /^[\p{L}\p{N}_]/u.test(rest) ? rest : undefined;
}

/** The rest of a line that starts with what was typed of it; white space may differ at the seam. */
export function withoutStart(line: Line, started: string): string | undefined {
  const body = line.text.trimStart();
  if (body.startsWith(started)) return body.slice(started.length);
  const solid = started.trimEnd();
  if (!body.startsWith(solid)) return undefined;
  const rest = body.slice(solid.length);
  // "retur" typed and "returned" given is no repetition of a word.
  return started === solid && /\w$/.test(solid) && /^\w/.test(rest) ? undefined : rest.trimStart();
}

/** Long enough that a completion starting with it repeats it, instead of calling the same thing once more. */
function isStrongStart(started: string): boolean {
  const solid = started.trim();
  return solid.length >= 4 || (solid.length >= 3 && /[\p{L}\p{N}_]{2}|[\p{L}_]\s*[=(:]/u.test(solid));
}

/** A line that code has twice in a row by mistake only: not `i++` or `break`. */
function isStrongLine(trimmed: string): boolean {
  return trimmed.length >= 12 || /[:{]$/.test(trimmed);
}

/**
 * The completion up to where it starts to repeat the text after the cursor: its last lines equal the next
 * lines of the document (the very last may be cut off). Undefined when nothing telling is repeated.
 * @param inside end delimiter of the string or comment in which the cursor is
 */
export function withoutRepeatedSuffix(
  completion: string,
  after: string,
  inside?: string | undefined,
): string | undefined {
  const breakAt = after.indexOf("\n");
  const rest = withoutComment((breakAt < 0 ? after : after.slice(0, breakAt)).trim());
  const lines = solidLines(completion);
  const below = solidLines(
    headText(breakAt < 0 ? "" : after.slice(breakAt + 1), completion.length * 2 + 1000),
  );
  let tries = 0;
  // The rest of the cursor's line, given again at the end of the completion or of its line.
  if (rest !== "") {
    for (const [index, line] of lines.entries()) {
      const code = line.text.trimEnd().endsWith(rest)
        ? line.text.trimEnd()
        : withoutComment(line.text.trimEnd());
      if (!code.endsWith(rest)) continue;
      if (++tries > SUFFIX_TRIES) break;
      const more = lines.slice(index + 1);
      // Inside a string or comment no parse would show that the rest is there twice.
      const whole = rest.length >= 2 || (more.length === 0 && (inside !== undefined || /[;,:]/.test(rest)));
      const repeated = repeats(more, below);
      if (repeated === undefined) continue;
      if (!whole && !more.slice(0, repeated).some((one) => isTelling(one.trimmed))) continue;
      return completion.slice(0, line.start) + code.slice(0, -rest.length);
    }
    return undefined;
  }
  for (const [index, line] of lines.entries()) {
    if (!sameCode(line.trimmed, below[0]?.trimmed ?? "")) continue;
    if (++tries > SUFFIX_TRIES) break;
    const following = lines.slice(index);
    const repeated = following.slice(0, repeats(following, below) ?? 0);
    if (!repeated.some((one) => isTelling(one.trimmed))) continue;
    return completion.slice(0, line.start).trimEnd();
  }
  return undefined;
}

/**
 * How many of `lines` are the first lines of `document`: all, but for what goes beyond its end (it may be cut
 * off there), and the very last may be cut off itself. Undefined when another line is between.
 */
function repeats(lines: readonly Line[], document: readonly Line[]): number | undefined {
  for (const [index, line] of lines.entries()) {
    const known = document[index]?.trimmed;
    if (known === undefined) return index;
    const cutOff = index === lines.length - 1 && index > 0 && known.startsWith(line.trimmed);
    if (!sameCode(line.trimmed, known) && !cutOff) return undefined;
  }
  return lines.length;
}

/** Places in the completion with a closer that the text after the cursor already has, first one first. */
export function closerCuts(loose: readonly LooseCloser[], after: string): number[] {
  const next = /^\s*([)\]}]|[a-z]+\b)/.exec(after)?.[1];
  return next === undefined ? [] : loose.filter((one) => one.text === next).map((one) => one.index);
}

/**
 * Places before each of the last few closing tokens of a completion, shortest cut first. For closers that a
 * scanner of brackets does not see: quotes, tags, semicolons.
 */
export function tailCuts(completion: string): number[] {
  const cuts: number[] = [];
  let end = completion.trimEnd().length;
  for (let count = 0; count < 6; count++) {
    const token = /(?:[)\]}>;,"'`]|<\/[\w.:-]*>|\/>|\b(?:end|fi|done|esac)|\*\/|"""|''')\s*$/.exec(
      completion.slice(Math.max(0, end - 200), end),
    );
    if (token === null) break;
    end = end - token[0].length;
    cuts.push(end);
  }
  return cuts;
}

function tailLines(text: string): string {
  let start = text.length;
  for (let count = 0; count < REPEATED_LINES && start > 0; count++) start = text.lastIndexOf("\n", start - 1);
  return text.slice(Math.max(0, start));
}

function headText(text: string, length: number): string {
  if (text.length <= length) return text;
  return text.slice(0, text.lastIndexOf("\n", length) + 1);
}

/** Equal lines, but for a comment at the end of one. */
function sameCode(a: string, b: string): boolean {
  return a === b || (withoutComment(a) === withoutComment(b) && withoutComment(a) !== "");
}

function withoutComment(line: string): string {
  // A mark before a quote may be inside of a string.
  const from = Math.max(line.lastIndexOf("'"), line.lastIndexOf('"')) + 1;
  const at = line.slice(from).search(/(?:\s#|\/\/)\s/);
  return at < 0 ? line : line.slice(0, from + at).trimEnd();
}

/** Places in the completion that have the next line of the document, though other lines follow than there. */
export function repetitionCuts(completion: string, after: string): number[] {
  const breakAt = after.indexOf("\n");
  if (breakAt < 0 || after.slice(0, breakAt).trim() !== "") return [];
  const [next] = solidLines(headText(after.slice(breakAt + 1), completion.length + 1000));
  if (next === undefined || next.trimmed.length < 4) return [];
  return solidLines(completion)
    .filter((line) => sameCode(line.trimmed, next.trimmed))
    .slice(0, 2)
    .map((line) => line.start);
}

/** Lines after the cursor in which a statement of a completion is looked for. */
const OUTER_LINES = 40;

/**
 * The completion up to its first statement outside the cursor's block (by its indentation) that follows the cursor
 * in the same block. Undefined when there is none.
 * @param lineIndent columns of the cursor's line
 */
export function withoutOuterStatements(
  completion: string,
  after: string,
  lineIndent: number,
): string | undefined {
  const lines = solidLines(completion);
  const below = solidLines(headText(after, completion.length + 4000)).slice(0, OUTER_LINES);
  const found = lines.findIndex((line, index) => {
    const columns = indentOf(line.text);
    if (index === 0 || columns >= lineIndent || !isTelling(line.trimmed)) return false;
    const end = below.findIndex((one) => indentOf(one.text) < columns);
    const block = end < 0 ? below : below.slice(0, end);
    return block.some((one) => indentOf(one.text) === columns && sameCode(one.trimmed, line.trimmed));
  });
  if (found < 0) return undefined;
  // A comment above it is about it.
  const own = lines.slice(0, found).findLastIndex((line) => withoutComment(` ${line.trimmed}`) !== "");
  return completion.slice(0, lines[own]?.end ?? 0);
}
