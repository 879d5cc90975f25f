/**
 * Text as lines that remember their place in the reply, so that whatever is cut off in front of a line (quote
 * marks, indentation, prompts) a diagnostic still names the right line and column.
 */
/** A line without its end. */
export interface Line {
  readonly text: string;
  /** Zero-based line in the reply. */
  readonly number: number;
  /** UTF-16 units of the reply's line in front of `text`. */
  readonly column: number;
}

/** Splits at LF, CRLF and lone CR; a byte order mark in front is dropped. */
export function linesOf(text: string): Line[] {
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const parts = (start === 0 ? text : text.slice(1)).split(/\r\n|\n|\r/);
  return parts.map((part, number) => ({ text: part, number, column: number === 0 ? start : 0 }));
}

/** The text of the lines, with LF between them. */
export function textOf(lines: readonly Line[]): string {
  return lines.map((line) => line.text).join("\n");
}

/** The line without its first `count` units. */
export function cutFront(line: Line, count: number): Line {
  return count === 0 ? line : { ...line, text: line.text.slice(count), column: line.column + count };
}

/** The line with another text in it, for what has the same number of lines and other characters. */
export function withText(line: Line, text: string): Line {
  return line.text === text ? line : { ...line, text };
}

export function isBlank(line: Line): boolean {
  return line.text.trim() === "";
}

/** The lines without blank ones at either end. */
export function trimBlank(lines: readonly Line[]): readonly Line[] {
  let start = 0;
  let end = lines.length;
  const blankAt = (index: number): boolean => {
    const line = lines[index];
    return line !== undefined && isBlank(line);
  };
  while (start < end && blankAt(start)) start += 1;
  while (end > start && blankAt(end - 1)) end -= 1;
  return start === 0 && end === lines.length ? lines : lines.slice(start, end);
}

/** Removes the indentation that all lines share, as after "    def f():" cut out of a list. */
export function dedent(lines: readonly Line[]): readonly Line[] {
  let shared: string | undefined;
  for (const line of lines) {
    if (isBlank(line)) continue;
    const indent = /^[ \t]*/.exec(line.text)?.[0] ?? "";
    shared = shared === undefined ? indent : commonStart(shared, indent);
    if (shared === "") return lines;
  }
  const width = shared?.length ?? 0;
  return lines.map((line) => cutFront(line, Math.min(width, line.text.length)));
}

function commonStart(a: string, b: string): string {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return a.slice(0, length);
}
