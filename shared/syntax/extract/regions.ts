/** The stretches of a text that look like code, for replies that mark none. */
import { type Language, SYNTAX } from "../languages/languages.ts";
import { isBlank, type Line } from "../replies/lines.ts";
import { SURE, SURE_PROSE, type Weight, weigh } from "../replies/prose.ts";

/** A line from which on something goes over several lines. */
interface Open {
  /** What ends a string or comment that is open; undefined outside of one. */
  readonly until: string | undefined;
  /** Brackets that are open. */
  readonly depth: number;
}

const NOTHING_OPEN: Open = { until: undefined, depth: 0 };

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

/** Whether a string, comment or here-document that goes over lines is open at the end of the code. */
export function endsInside(lines: readonly Line[], language: Language | undefined): boolean {
  const style = styleOf(lines, language);
  let open = NOTHING_OPEN;
  for (const line of lines) open = openAfter(line.text, open, style);
  return open.until !== undefined;
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
function endOf(lines: readonly Line[], weights: readonly Weight[], start: number, style: Style): number {
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

/** Here-documents end with a word on a line of its own. */
function isWord(until: string): boolean {
  return /^\w/.test(until);
}

/** What is open after the line. Quotes that do not close on their line are none (apostrophes, lifetimes). */
function openAfter(text: string, before: Open, style: Style): Open {
  const { comment } = style;
  let { until, depth } = before;
  let index = 0;
  if (until !== undefined) {
    if (isWord(until)) return text.trim() === until ? { until: undefined, depth } : before;
    const at = text.indexOf(until);
    if (at < 0) return before;
    index = at + until.length;
    until = undefined;
  }
  while (index < text.length) {
    const unit = text.charAt(index);
    switch (unit) {
      case '"':
      case "'": {
        const triple = unit.repeat(3);
        if (text.startsWith(triple, index)) {
          const close = text.indexOf(triple, index + 3);
          if (close < 0) return { until: triple, depth };
          index = close + 3;
        } else {
          const end = stringEnd(text, index, unit);
          if (end === undefined && style.longQuotes) return { until: unit, depth };
          index = end ?? index + 1;
        }
        continue;
      }
      case "`": {
        const close = text.indexOf("`", index + 1);
        if (close < 0) return comment === "//" ? { until: "`", depth } : { until: undefined, depth };
        index = close + 1;
        continue;
      }
      case "/":
        if (text.startsWith("/*", index)) {
          const close = text.indexOf("*/", index + 2);
          if (close < 0) return { until: "*/", depth };
          index = close + 2;
          continue;
        }
        if (comment === "//" && text.startsWith("//", index)) return { until, depth };
        break;
      case "#":
        if (comment === "#" && (index === 0 || /\s/.test(text.charAt(index - 1)))) return { until, depth };
        break;
      case "<": {
        const word = /^<<[~-]?(["']?)([A-Z]\w*)\1/.exec(text.slice(index, index + 40));
        if (word?.[2] !== undefined) until = word[2];
        break;
      }
      case "(":
      case "[":
      case "{":
        depth += 1;
        break;
      case ")":
      case "]":
      case "}":
        if (depth > 0) depth -= 1;
        break;
      default:
    }
    index += 1;
  }
  return { until, depth };
}

/** The index behind the string; undefined when it does not end on the line. */
function stringEnd(text: string, start: number, quote: string): number | undefined {
  for (let index = start + 1; index < text.length; index++) {
    const unit = text.charAt(index);
    if (unit === "\\") index += 1;
    else if (unit === quote) return index + 1;
  }
  return undefined;
}

/** What quotes and comments are like. */
interface Style {
  readonly comment: "//" | "#";
  /** Strings in plain quotes go over lines, as in a shell. */
  readonly longQuotes: boolean;
}

function styleOf(lines: readonly Line[], language: Language | undefined): Style {
  if (language === undefined) return { comment: lineCommentOf(lines), longQuotes: false };
  const { lexis, lines: looks } = SYNTAX[language];
  return { comment: lexis.lineComments[0] === "#" ? "#" : "//", longQuotes: looks.commands === true };
}

/** How comments start here, which decides what `//` and `#` mean: languages with braces or not. */
function lineCommentOf(lines: readonly Line[]): "//" | "#" {
  let braces = 0;
  let others = 0;
  for (const { text } of lines) {
    if (/[;{}]\s*$/.test(text)) braces += 1;
    else if (/:\s*$|^\s*(?:end|fi|done|esac)\b/.test(text)) others += 1;
  }
  return braces > others ? "//" : "#";
}
