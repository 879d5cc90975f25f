/** Fenced code blocks of Markdown, read line by line as CommonMark describes them. */
import { tagOf } from "./fence-tags.ts";
import { cutFront, isBlank, type Line, withText } from "./lines.ts";

/** A fenced block, or the text between two of them. */
export type Segment = Fence | Prose;

export interface Prose {
  readonly kind: "prose";
  readonly lines: readonly Line[];
}

export interface Fence {
  readonly kind: "fence";
  /** The rest of the opening fence's line, trimmed. */
  readonly info: string;
  /** The content, without the container's indentation and quote marks. */
  readonly lines: readonly Line[];
  /** False when the reply, or the quote or list around it, ended first. */
  readonly closed: boolean;
  readonly mark: "`" | "~";
  /** Number of marks in the opening fence. */
  readonly size: number;
}

/**
 * An opening fence: the containers before it on its line, its indentation, marks and info string. Each blank can belong
 * to one part only: were the one behind a quote mark a part of the mark, a line of marks would take exponential time.
 */
const OPENING =
  /^((?:[ \t]*(?:>|[-*+•](?=[ \t])|\d{1,9}[.)](?=[ \t])))*)([ \t]*)(`{3,}(?!`)|~{3,}(?!~))([\s\S]*)$/;

/** CommonMark: a closing fence may be indented by three columns more than its container. */
const CLOSING_INDENT = 3;

/** Closing fences that may turn out to be content, as in the documentation of a function. */
const MAX_SKIPPED = 6;

/**
 * Lines behind the end of a list item that may still be content of a fence in it: longer programs are not written
 * unindented in a list, and reading on for each of many such fences would take the square of the reply's length.
 */
const MAX_LINES_BEHIND_ITEM = 400;

/** CommonMark: tabs advance to the next multiple of four. */
const TAB = 4;

interface Opening {
  /** Quote marks around the block. */
  readonly quotes: number;
  /** Columns of the opening fence after its quote marks; content loses up to as many. */
  readonly indent: number;
  /** Columns of the content of the list item that the fence is in; 0 outside a list. */
  readonly item: number;
  readonly mark: "`" | "~";
  readonly size: number;
  readonly info: string;
  /** The prose before it on its line, which Markdown does not allow. */
  readonly behind: string | undefined;
}

/** Reads the lines as prose and fenced blocks, in order. */
export function readFences(lines: readonly Line[]): Segment[] {
  const segments: Segment[] = [];
  for (let from = 0; from < lines.length; ) {
    const { prose, fence, next } = readOne(lines, from);
    if (prose.length > 0) segments.push({ kind: "prose", lines: prose });
    if (fence !== undefined) segments.push(fence);
    from = next;
  }
  return segments;
}

/** One block, and the prose before it. */
export interface Read {
  readonly prose: readonly Line[];
  /** Undefined when there is none any more. */
  readonly fence: Fence | undefined;
  /** The line to read on from. */
  readonly next: number;
  /** Reads the same block again, as if its closing fence so far were content of it. */
  readonly longer: (() => Read) | undefined;
}

/** Reads up to the end of the next block. `loose` also takes an opening fence at the end of a line of prose. */
export function readOne(lines: readonly Line[], from: number, loose = false): Read {
  const prose: Line[] = [];
  let item = 0;
  for (let index = from; index < lines.length; index++) {
    const line = lines[index];
    if (line === undefined) break;
    const opening = openingOf(line.text, item) ?? (loose ? openingBehind(line.text) : undefined);
    if (opening === undefined) {
      item = itemAfter(line, item);
      prose.push(line);
      continue;
    }
    if (opening.behind !== undefined) prose.push(withText(line, opening.behind));
    return readFrom(lines, index + 1, opening, prose, 0);
  }
  return { prose, fence: undefined, next: lines.length, longer: undefined };
}

function readFrom(
  lines: readonly Line[],
  from: number,
  opening: Opening,
  prose: readonly Line[],
  skip: number,
): Read {
  const { fence, next } = readBlock(lines, from, opening, skip);
  const longer =
    fence.closed && skip < MAX_SKIPPED ? () => readFrom(lines, from, opening, prose, skip + 1) : undefined;
  return { prose, fence, next, longer };
}

/** The fenced blocks of the text, in order. */
export function fencesIn(segments: readonly Segment[]): Fence[] {
  return segments.filter((segment) => segment.kind === "fence");
}

function openingOf(text: string, item: number): Opening | undefined {
  // Most lines hold no fence at all, which needs no expression to see.
  if (!text.includes("```") && !text.includes("~~~")) return undefined;
  const match = OPENING.exec(text);
  if (match === null) return undefined;
  const [, marked = "", blanks = "", marks = "", rest = ""] = match;
  // The blank behind the last quote mark is a part of the mark.
  const own = marked.endsWith(">") && blanks !== "" ? 1 : 0;
  const containers = marked + blanks.slice(0, own);
  const space = blanks.slice(own);
  const mark = marks.startsWith("`") ? "`" : "~";
  if (mark === "`" && rest.includes("`")) return undefined;
  const inner = containers.replace(/^.*>[ \t]?/, "");
  const indent = columnsOf(inner + space);
  if (columnsOf(space) > CLOSING_INDENT + (/\S/.test(inner) ? 1 : item)) return undefined;
  return {
    quotes: containers.split(">").length - 1,
    indent,
    item: /\S/.test(inner) ? indent : indent >= item ? item : 0,
    mark,
    size: marks.length,
    info: rest.trim(),
    behind: undefined,
  };
}

/** "Here is the code: ```python": models write that. */
function openingBehind(text: string): Opening | undefined {
  if (!text.includes("```")) return undefined;
  const match = /^([^`]*\S)\s*(`{3,})([\w+#.-]*)[ \t]*$/.exec(text);
  if (match === null) return undefined;
  const [, behind = "", marks = "", info = ""] = match;
  // Documentation comments hold fences as well.
  if (/^\s*(?:\/\/|\*|#|--|;|%)/.test(behind)) return undefined;
  if (info !== "" && tagOf(info).language === undefined) return undefined;
  return { quotes: 0, indent: 0, item: 0, mark: "`", size: marks.length, info, behind };
}

function readBlock(
  lines: readonly Line[],
  from: number,
  opening: Opening,
  skip: number,
): { fence: Fence; next: number } {
  const content: Line[] = [];
  let skipped = 0;
  /** Where the list item around an unclosed fence ends, in `content` and in `lines`. */
  let itemEnd: { readonly length: number; readonly next: number } | undefined;
  const made = (kept: readonly Line[], closed: boolean): Fence => ({
    kind: "fence",
    info: opening.info,
    lines: withoutIndents(closed ? kept : withoutBlankEnd(kept), opening),
    closed,
    mark: opening.mark,
    size: opening.size,
  });
  for (let index = from; index < lines.length; index++) {
    const line = lines[index];
    if (line === undefined || (itemEnd !== undefined && index - itemEnd.next >= MAX_LINES_BEHIND_ITEM)) break;
    const inside = withoutQuotes(line, opening.quotes);
    if (inside === undefined) return { fence: made(content, false), next: index };
    if (closes(inside.text, opening)) {
      if (skipped === skip) return { fence: made(content, true), next: index + 1 };
      skipped += 1;
    }
    if (
      itemEnd === undefined &&
      opening.item > 0 &&
      !isBlank(inside) &&
      indentOf(inside.text) < opening.item
    ) {
      itemEnd = { length: content.length, next: index };
    }
    content.push(inside);
  }
  // A closing fence after content that is not indented, as models write it in lists, would have been found.
  if (itemEnd !== undefined)
    return { fence: made(content.slice(0, itemEnd.length), false), next: itemEnd.next };
  return { fence: made(content, false), next: lines.length };
}

/** What runs to the end of the reply ends with its last written line, not with the reply's own line end. */
function withoutBlankEnd(lines: readonly Line[]): readonly Line[] {
  return lines.slice(0, lines.findLastIndex((line) => !isBlank(line)) + 1);
}

/**
 * The columns that each line of content loses. In lists models often indent the fence and not the content, or less:
 * taking from some lines and not from others would change the program.
 */
function indentOfContent(lines: readonly Line[], opening: Opening): number {
  if (opening.item === 0) return opening.indent;
  let least = opening.indent;
  for (const line of lines) {
    if (least === 0) break;
    if (!isBlank(line)) least = Math.min(least, indentOf(line.text));
  }
  return least;
}

function closes(text: string, opening: Opening): boolean {
  // Most lines need no expression.
  if (!text.trimStart().startsWith(opening.mark)) return false;
  const match = /^([ \t]*)(`{3,}|~{3,})[ \t]*$/.exec(text);
  if (match === null) return false;
  const [, space = "", marks = ""] = match;
  if (!marks.startsWith(opening.mark) || marks.length < opening.size) return false;
  return columnsOf(space) <= opening.indent + CLOSING_INDENT;
}

/** The line inside its quote marks; undefined when it has too few, which ends the block. */
function withoutQuotes(line: Line, quotes: number): Line | undefined {
  let at = 0;
  for (let count = 0; count < quotes; count++) {
    const match = /^[ \t]*>[ \t]?/.exec(line.text.slice(at));
    if (match === null) return undefined;
    at += match[0].length;
  }
  return cutFront(line, at);
}

function withoutIndents(lines: readonly Line[], opening: Opening): readonly Line[] {
  const columns = indentOfContent(lines, opening);
  return columns === 0 ? lines : lines.map((line) => withoutIndent(line, columns));
}

/** The line without up to `columns` of indentation. A tab that reaches further stays as it is. */
function withoutIndent(line: Line, columns: number): Line {
  let column = 0;
  let at = 0;
  while (column < columns && at < line.text.length) {
    const unit = line.text[at];
    if (unit === " ") column += 1;
    else if (unit === "\t") column += TAB - (column % TAB);
    else break;
    if (column > columns) break;
    at += 1;
  }
  return cutFront(line, at);
}

/** The columns a list item's content starts at, after this line; blank lines change nothing. */
function itemAfter(line: Line, item: number): number {
  const match = /^([ \t]*)(?:[-*+•]|\d{1,9}[.)])[ \t]+/.exec(line.text);
  if (match !== null) return columnsOf(match[0]);
  return isBlank(line) || indentOf(line.text) >= item ? item : 0;
}

function indentOf(text: string): number {
  return columnsOf(/^[ \t]*/.exec(text)?.[0] ?? "");
}

function columnsOf(space: string): number {
  let column = 0;
  for (const unit of space) column += unit === "\t" ? TAB - (column % TAB) : 1;
  return column;
}

/** The marks of the fence that is open after a line, where `fence` was open before it; empty outside of fences. */
export function fenceAfter(text: string, fence: string): string {
  const marks = /^[ \t>]*(?:[-*+][ \t]+|\d+[.)][ \t]+)?(`{3,}(?!`)|~{3,}(?!~))([^`]*)$/.exec(text);
  if (marks === null) return fence;
  const [, run = "", rest = ""] = marks;
  if (fence === "") return run;
  return run.startsWith(fence) && rest.trim() === "" ? "" : fence;
}
