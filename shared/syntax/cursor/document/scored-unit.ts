/** The unit that is scored: cut out of the assembled text around the insertion. */
import type { SyntaxNode, SyntaxTree } from "../../parsing/parser.ts";
import { isClosed, type Place, placeAt, type Unit, withWrapper } from "../../units/unit.ts";
import { isComment } from "../../units/unit-nodes.ts";
import { indentOf } from "../text/indent-style.ts";
import type { Excerpt } from "./excerpt.ts";

/** Most of a unit that is returned for scoring, in UTF-16 units: twice what reward models read (4096 tokens). */
const MAX_UNIT_LENGTH = 32 * 1024;

/** A module without functions is its own unit up to this size; beyond, the touched statements are. */
const SMALL_MODULE = 4 * 1024;

/** The same for a type around members that are no function. */
const SMALL_TYPE = 4 * 1024;

/** Offsets of solid text, without the white space around it. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The text of the unit at a place, or of what was inserted where there is none. */
export function unitText(place: Place, text: string, solid: Range, excerpt: Excerpt): string {
  const inner = { start: excerpt.head.length, end: text.length - excerpt.tail.length };
  if (place.container.parent === null && place.kind !== "function" && place.kind !== "type") {
    const small = inner.end - inner.start <= SMALL_MODULE;
    const script = small && place.container.namedChildren.every((child) => kindAt(child) === "statement");
    if (script) return text.slice(inner.start, inner.end).trim();
  }
  const owner = place.types.at(-1);
  if (owner !== undefined && place.kind !== "function" && place.kind !== "type") {
    // Fields and several members say little without their type.
    const whole = withWrapper(owner);
    if (whole.endIndex - whole.startIndex <= SMALL_TYPE)
      return atMargin(text, whole.startIndex, whole.endIndex);
  }
  if (place.node !== undefined && place.node.endIndex - place.node.startIndex <= MAX_UNIT_LENGTH) {
    // What takes the place of the surroundings is no part of it.
    return atMargin(
      text,
      Math.max(inner.start, place.node.startIndex),
      Math.min(inner.end, place.node.endIndex),
    );
  }
  const touched = place.container.namedChildren.filter(
    (child) => child.endIndex > solid.start && child.startIndex < solid.end,
  );
  const from = Math.min(solid.start, touched[0]?.startIndex ?? solid.start);
  const to = Math.max(solid.end, touched.at(-1)?.endIndex ?? solid.end);
  if (to - from <= MAX_UNIT_LENGTH) return atMargin(text, from, to);
  // Longer than any model reads: the lines around the insertion, from its start on.
  const near = Math.max(from, solid.start - MAX_UNIT_LENGTH / 2);
  return atMargin(text, near, Math.min(to, near + MAX_UNIT_LENGTH));
}

/** The solid text of an insertion that starts at an offset; undefined when it is blank. */
export function solidRange(insert: string, start: number): Range | undefined {
  const lead = insert.length - insert.trimStart().length;
  const end = insert.trimEnd().length;
  return end <= lead ? undefined : { start: start + lead, end: start + end };
}

/** A token other than a comment starts in the range, or one that started before goes on in it. */
export function hasCode(root: SyntaxNode, start: number, end: number): boolean {
  const node = root.descendantForIndex(start, end);
  if (node === null) return false;
  // Inside a comment or string that began before, text is what was asked for.
  if (node.startIndex < start && node.childCount === 0) return true;
  // Not by recursion: expressions nest deeper than the stack.
  const stack = [node];
  for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
    if (one.endIndex <= start || one.startIndex >= end) continue;
    if (isComment(one)) {
      if (one.startIndex < start) return true;
    } else if (one.childCount > 0) {
      for (const child of one.children) stack.push(child);
    } else if (one.endIndex > one.startIndex) return true;
  }
  return false;
}

/**
 * Where in the insertion the innermost unit that it continues ends, if solid text follows.
 * @param start offset of the insertion in the tree's text
 * @param underComment a comment above the cursor says what is wanted: one unit
 */
export function unitEndIn(
  tree: SyntaxTree,
  insert: string,
  start: number,
  underComment: boolean,
): number | undefined {
  const solid = solidRange(insert, start);
  if (solid === undefined) return undefined;
  const place = placeAt(tree.rootNode, solid.start, solid.start);
  const unit = place.kind === "function" || place.kind === "type" ? place.node : undefined;
  const found = [unit, ...place.types.toReversed()].find(
    (node) =>
      node !== undefined && node.startIndex < solid.start && node.endIndex < solid.end && isClosed(node),
  );
  if (found !== undefined) return found.endIndex > solid.start ? found.endIndex - start : undefined;
  // Under a comment one function is asked for.
  const asked = place.kind === "function" && unit !== undefined && unit.startIndex === solid.start;
  return asked && underComment && unit.endIndex < solid.end && isClosed(unit)
    ? unit.endIndex - start
    : undefined;
}

function kindAt(node: SyntaxNode): Unit["kind"] {
  return placeAt(node, node.startIndex, node.endIndex).kind ?? "statement";
}

/** A piece of text with the indentation of its first line taken off all its lines, where all have it. */
function atMargin(text: string, start: number, end: number): string {
  const lineStart = text.slice(0, start).lastIndexOf("\n") + 1;
  const margin = /^[ \t]*/.exec(text.slice(lineStart, start))?.[0] ?? "";
  const piece = text.slice(start, end).trimEnd();
  const lines = piece.split("\n");
  const regular = lines.slice(1).every((line) => line.trim() === "" || line.startsWith(margin));
  if (margin === "" || !regular || indentOf(margin) === 0) return piece;
  return lines.map((line, index) => (index === 0 ? line : line.slice(margin.length))).join("\n");
}
