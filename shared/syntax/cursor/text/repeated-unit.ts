/**
 * Answers that give the whole enclosing unit again instead of its continuation: where in such an answer the text
 * goes on that the document has before the cursor.
 */
import { type Unit, unitsIn } from "../../units/unit.ts";
import { isComment } from "../../units/unit-nodes.ts";
import type { CursorDocument } from "../document/document.ts";
import { isTelling, type Line, solidLines, withoutStart } from "./repetition.ts";

/** Largest unit that is aligned with an answer, in lines: the comparison is by pairs of lines. */
const MAX_LINES = 1000;

/** What may come before the units of a file. */
const DECLARATION = /import|include|use_decl|using|package|namespace|preproc|php_tag|attribute|declare|decl/;

/** A unit given again, and whether nothing but declarations and comments comes before it. */
export interface Continuation {
  readonly text: string;
  /** Otherwise prose or statements come before it, so that the unit may be another of the same name. */
  readonly plain: boolean;
}

/**
 * The continuation in an answer that has the document's enclosing unit in full, perhaps with other units and
 * prose around it. Undefined when the answer has no unit of that name.
 */
export function continuationOf(answer: string, document: CursorDocument): Continuation | undefined {
  const { unit } = document;
  if (unit?.name === undefined || !answer.includes(unit.name)) return undefined;
  const found = unitNamed(answer, unit, document);
  if (found === undefined) return undefined;
  const text = continued(answer, found.unit, unit, document);
  return text === undefined ? undefined : { text, plain: found.plain };
}

/** What follows in the answer's unit on what the document has of it. */
function continued(answer: string, given: Unit, unit: Unit, document: CursorDocument): string | undefined {
  const { excerpt } = document;
  const written = excerpt.before.slice(unit.start);
  const text = answer.slice(0, given.end);
  const lineStart = written.lastIndexOf("\n") + 1;
  const started = written.slice(lineStart).trimStart();
  const above = solidLines(written.slice(0, lineStart)).slice(-MAX_LINES);
  const lines = solidLines(text)
    .filter((line) => line.end > given.start)
    .slice(0, MAX_LINES);
  const aligned = align(above, lines, started);
  if (aligned !== undefined) return aligned(text);
  // Only the head and documentation are there, in other words: the body follows.
  const headOnly =
    unit.contentStart === undefined || written.slice(unit.contentStart - unit.start).trim() === "";
  if (given.contentStart === undefined) return undefined;
  if (started.trim() !== "" && !headOnly) return undefined;
  const body = text.slice(given.contentStart);
  return /^[ \t]*\n/.test(body)
    ? body.replace(/^[ \t]*\n/, started.trim() === "" ? "" : "\n")
    : indented(text, given.contentStart);
}

/** The unit of the answer that has the name of the document's; a method also inside its class. */
function unitNamed(
  answer: string,
  unit: Unit,
  document: CursorDocument,
): { readonly unit: Unit; readonly plain: boolean } | undefined {
  const tree = document.parse(answer);
  if (tree === null) return undefined;
  try {
    const units = unitsIn(tree.rootNode);
    const named = units.filter((one) => one.name === unit.name);
    const found = named.find((one) => one.kind === unit.kind) ?? named[0];
    if (found === undefined) return undefined;
    const plain = tree.rootNode.namedChildren.every(
      (node) =>
        node.startIndex >= found.start ||
        isComment(node) ||
        DECLARATION.test(node.type) ||
        units.some((one) => one.start === node.startIndex),
    );
    return { unit: found, plain };
  } finally {
    tree.delete();
  }
}

/**
 * Finds where the lines above the cursor end in the answer: the place that agrees with most of them.
 * Gives a function from the answer's text to what follows.
 */
function align(
  above: readonly Line[],
  lines: readonly Line[],
  started: string,
): ((text: string) => string) | undefined {
  const typed = started.trim() !== "";
  const last = above.at(-1);
  if (last === undefined) {
    const [head] = lines;
    const rest = head === undefined || !typed ? undefined : withoutStart(head, started);
    return head === undefined || rest === undefined ? undefined : (text) => rest + text.slice(head.end);
  }
  let best: { index: number; agreeing: number } | undefined;
  for (const [index, line] of lines.entries()) {
    if (line.trimmed !== last.trimmed) continue;
    const next = lines[index + 1];
    if (typed && (next === undefined || withoutStart(next, started) === undefined)) continue;
    let agreeing = 0;
    let telling = isTelling(line.trimmed);
    for (
      let back = 1;
      back <= index && lines[index - back]?.trimmed === above.at(-1 - back)?.trimmed;
      back++
    ) {
      agreeing += 1;
      telling ||= isTelling(lines[index - back]?.trimmed ?? "");
    }
    if (telling && (best === undefined || agreeing > best.agreeing)) best = { index, agreeing };
  }
  if (best !== undefined) {
    const { index } = best;
    const next = lines[index + 1];
    if (typed && next !== undefined) {
      const rest = withoutStart(next, started) ?? "";
      return (text) => rest + text.slice(next.end);
    }
    const end = lines[index]?.end ?? 0;
    return (text) => text.slice(end).replace(/^\n/, "");
  }
  if (!typed || started.trim().length < 3) return undefined;
  // The lines above differ, but the started line is there.
  const line = lines.find((one) => withoutStart(one, started) !== undefined);
  const rest = line === undefined ? undefined : withoutStart(line, started);
  return line === undefined || rest === undefined ? undefined : (text) => rest + text.slice(line.end);
}

/** A body on its header's line, or one that starts within a line: from its first statement's own column. */
function indented(text: string, start: number): string {
  const lineStart = text.slice(0, start).lastIndexOf("\n") + 1;
  const margin = text.slice(lineStart, start);
  return (margin.trim() === "" ? margin : "") + text.slice(start).trimStart();
}
