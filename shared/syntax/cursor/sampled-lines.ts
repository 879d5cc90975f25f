/** The lines of a text that is being written at a cursor, as lines of the document that it is written in. */

import type { BracketScan } from "./bracket-scan.ts";
import type { CursorDocument } from "./document/document.ts";
import { indentOf } from "./text/indent-style.ts";
import { isComment } from "./text/line-shapes.ts";

/** A line of a text. Offsets are UTF-16 units into the text. */
export interface SampledLine {
  readonly start: number;
  /** Behind its last character, in front of the line feed. */
  readonly end: number;
  /** Without white space around it. */
  readonly code: string;
  /** Columns in front of it in the document. */
  readonly indent: number;
  /** The line feed behind it is written. */
  readonly complete: boolean;
  /** Nothing of the document is in front of it on its line. */
  readonly ownLine: boolean;
  readonly comment: boolean;
  /** It starts a statement or a block: no comment, and not within brackets or a string; its first word is written. */
  readonly statement: boolean;
}

/** The lines that are not blank. */
export function sampledLines(text: string, document: CursorDocument, scan: BracketScan): SampledLine[] {
  const { excerpt, language, before } = document;
  const started = excerpt.before.slice(excerpt.before.lastIndexOf("\n") + 1);
  const lines: SampledLine[] = [];
  let start = 0;
  for (const [number, line] of text.split("\n").entries()) {
    const end = start + line.length;
    const first = number === 0;
    const within = scan.literalLines.has(number) || scan.continuationLines.has(number);
    const code = line.trim();
    const complete = end < text.length;
    if (code !== "") {
      const comment = isComment(code, language);
      lines.push({
        start,
        end,
        code,
        indent: indentOf(first ? started + line : line),
        complete,
        ownLine: !first || started.trim() === "",
        comment,
        statement:
          !comment && !within && !(first && before.inside !== undefined) && (complete || startsWritten(line)),
      });
    }
    start = end + 1;
  }
  return lines;
}

/** The first word, or a character that is in none, is there in full. */
export function startsWritten(text: string): boolean {
  return /^\s*(?:[^\p{L}\s]|\p{L}+\P{L})/u.test(text);
}

/** Where the text ends in front of a line: behind the last line before it that is no comment. */
export function endBefore(line: SampledLine, lines: readonly SampledLine[]): number {
  return lines.findLast((one) => one.end < line.start && !one.comment)?.end ?? 0;
}
