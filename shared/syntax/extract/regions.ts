/** The stretches of a text that look like code, for replies that mark none. */
import type { Language } from "../languages/languages.ts";
import { isBlank, type Line } from "../replies/lines.ts";
import { SURE, SURE_PROSE, type Weight, weigh } from "../replies/prose.ts";
import { isWord, type LineStyle, NOTHING_OPEN, openAfter, styleOf } from "./open-lines.ts";

/** The code-like stretches in order, and the prose between them: `regions[i]` follows `before[i]`. */
export interface Region {
  readonly lines: readonly Line[];
  /** The prose between the previous region and this one. */
  readonly before: readonly Line[];
}

/** Finds the regions by the weight of lines, and by what is open at their ends. */
export function codeRegions(lines: readonly Line[], language: Language | undefined): Region[] {
  const weights = lines.map((line) => weigh(line.text, language));
  const style = styleOf(lines, language);
  const regions: Region[] = [];
  let proseFrom = 0;
  for (let index = 0; index < lines.length; ) {
    if ((weights[index] ?? 0) < SURE - 1 && !startsWithComment(lines, weights, index)) {
      index += 1;
      continue;
    }
    const start = startOf(weights, lines, index, proseFrom);
    const end = endOf(lines, weights, start, style);
    regions.push({ lines: lines.slice(start, end), before: lines.slice(proseFrom, start) });
    proseFrom = end;
    index = Math.max(end, index + 1);
  }
  return regions;
}

/** A comment, or documentation, or several of them, that code follows. */
function startsWithComment(lines: readonly Line[], weights: readonly Weight[], index: number): boolean {
  if (!COMMENT_MARK.test(lines[index]?.text ?? "")) return false;
  const far = index + FAR;
  for (let at = index; at < far; at++) {
    const line = lines[at];
    if (line === undefined) return false;
    const mark = COMMENT_MARK.exec(line.text)?.[0];
    if (mark === undefined) {
      if (!isBlank(line)) return (weights[at] ?? 0) >= SURE - 1;
    } else if (mark !== "//") {
      const close = mark === "/*" ? "*/" : mark;
      if (!line.text.includes(close, mark.length)) {
        at += 1;
        const end = Math.min(lines.length, at + FAR);
        while (at < end && lines[at]?.text.includes(close) !== true) at += 1;
        if (at === end) return false;
      }
    }
  }
  return false;
}

const COMMENT_MARK = /^(?:\/\*|"""|'''|\/\/)/;

/** Comments and the like directly above the first sure line belong to it. */
function startOf(weights: readonly Weight[], lines: readonly Line[], seed: number, limit: number): number {
  let start = seed;
  while (start > limit) {
    const above = lines[start - 1];
    if (above === undefined || isBlank(above) || (weights[start - 1] ?? 0) <= 0) break;
    start -= 1;
  }
  // A reply that starts with a comment starts with its code.
  if (
    limit === 0 &&
    start > 0 &&
    lines.slice(0, start).every((line) => isBlank(line) || /^#(?:\s|$)/.test(line.text))
  ) {
    if (lines.slice(0, start).some((_, index) => weights[index] === 1))
      return lines.findIndex((line) => !isBlank(line));
  }
  return start;
}

/** The line after the last one of the region that starts at `start`. */
function endOf(lines: readonly Line[], weights: readonly Weight[], start: number, style: LineStyle): number {
  const base = indentOf(lines[start]);
  let open = NOTHING_OPEN;
  let end = start;
  let blank = false;
  for (let index = start; index < lines.length; index++) {
    const line = lines[index];
    if (line === undefined) break;
    if (isBlank(line)) {
      blank = true;
      continue;
    }
    const weight = weights[index] ?? 0;
    const indented = indentOf(line) > base;
    const inside =
      open.until !== undefined || open.depth > 0 || (indented && (!blank || weight > SURE_PROSE));
    const stops = inside
      ? open.until === undefined && !indented && blank && weight <= SURE_PROSE
      : weight < 0;
    if (stops) break;
    const next = openAfter(line.text, open, style);
    // A quote or mark that never closes opened nothing.
    const never =
      next.until !== undefined && next.until !== open.until && !closesLater(lines, index + 1, next.until);
    open = never ? { ...next, until: undefined } : next;
    // A comment apart from the code belongs to it only when more code follows.
    if (inside || (weight > 0 && !(blank && line.text.trim().startsWith("#"))) || weight >= SURE)
      end = index + 1;
    blank = false;
  }
  return Math.max(end, start + 1);
}

function indentOf(line: Line | undefined): number {
  return /^[ \t]*/.exec(line?.text ?? "")?.[0].length ?? 0;
}

function closesLater(lines: readonly Line[], from: number, until: string): boolean {
  for (let index = from; index < lines.length; index++) {
    const text = lines[index]?.text ?? "";
    if (isWord(until) ? text.trim() === until : text.includes(until)) return true;
    if (index - from > FAR) return false;
  }
  return false;
}

/** Lines after which a quote that is still open is taken for none. */
const FAR = 400;
