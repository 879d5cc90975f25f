/** Pieces of a document as a problem shows them: signatures, clipped lines, text at the left margin. */
import type { Unit } from "./unit.ts";

/** Longest signature or field of something the unit may use; longer ones are cut. */
export const MAX_LINE = 200;

/** Everything before a unit's body, without the bracket. */
export function headOf(text: string, unit: Unit): string {
  const end = unit.bodyStart ?? lineEnd(text, unit.start);
  return dedented(withoutBodyStart(text.slice(lineStart(text, unit.start), Math.min(end, unit.end))));
}

/** The head without the marks behind it that open a body: a bracket, an arrow, a colon, an equals sign. */
function withoutBodyStart(head: string): string {
  let end = head.length;
  for (;;) {
    if (/[\s{=:]/.test(head.charAt(end - 1))) end -= 1;
    else if (/^[=-]>$/.test(head.slice(Math.max(0, end - 2), end))) end -= 2;
    else return head.slice(0, end);
  }
}

export function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).trimEnd()}…`;
}

export function dedented(text: string): string {
  const lines = text.split("\n");
  const margins = lines
    .slice(1)
    .filter((line) => line.trim() !== "")
    .map((line) => line.length - line.trimStart().length);
  const first = lines[0] ?? "";
  const own = first.length - first.trimStart().length;
  const margin = Math.min(
    ...margins,
    margins.length === 0 ? own : Number.POSITIVE_INFINITY,
    own > 0 ? own : Number.POSITIVE_INFINITY,
  );
  return lines
    .map((line, index) =>
      index === 0 ? line.trimStart() : line.slice(Math.min(margin, line.length - line.trimStart().length)),
    )
    .join("\n");
}

export function lineStart(text: string, offset: number): number {
  const start = text.slice(0, offset).lastIndexOf("\n") + 1;
  return text.slice(start, offset).trim() === "" ? start : offset;
}

export function lineEnd(text: string, offset: number): number {
  const end = text.indexOf("\n", offset);
  return end < 0 ? text.length : end;
}
