/** Where the cursor is in a document as it is: the enclosing unit, and a text that parses in which it was found. */
import type { Language } from "../../languages/languages.ts";
import type { SyntaxTree } from "../../parsing/parser.ts";
import { placeAt, type Unit, unitOf } from "../../units/unit.ts";
import type { BracketScan } from "../bracket-scan.ts";
import type { IndentContext } from "../text/indentation.ts";
import { type Excerpt, regionsOf } from "./excerpt.ts";

/** The excerpt's text as it parses best without a completion, and the offsets of its stand-in in it. */
export interface Filled {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The unit around a cursor; offsets count from the start of the excerpt's text before the cursor. */
export interface Located {
  readonly unit: Unit | undefined;
  readonly filled: Filled;
}

/** What of a document decides where its cursor is. */
export interface Surroundings {
  readonly language: Language;
  readonly excerpt: Excerpt;
  readonly indent: IndentContext;
  readonly before: BracketScan;
  parse(text: string): SyntaxTree | null;
}

/**
 * Finds the unit around the cursor by a parse without a completion.
 * @param closers what the document lacks around the cursor, if that is known
 */
export function locate(document: Surroundings, closers: readonly string[] | undefined): Located {
  const { head, before, after, tail } = document.excerpt;
  const offset = head.length + before.length;
  const placeholder = standIn(document);
  const start = offset + placeholder.length - placeholder.trimStart().length;
  const end = start + placeholder.trim().length;
  let unit: Unit | undefined;
  let filled: Filled = { text: head + before + placeholder + after + tail, start, end };
  for (const missing of closers === undefined ? [""] : ["", `\n${closers.join("\n")}`]) {
    const text = head + before + placeholder + missing + after + tail;
    const tree = document.parse(text);
    if (tree === null) continue;
    try {
      const place = placeAt(tree.rootNode, start, end);
      const node = place.node ?? place.types.at(-1);
      // A statement that the placeholder itself makes is no unit.
      if (node !== undefined && node.startIndex < offset && place.kind !== "statement") {
        unit = shifted(unitOf(node, place.kind ?? "type"), -head.length);
        filled = { text, start, end };
      }
      if (!tree.rootNode.hasError) return { unit, filled };
    } finally {
      tree.delete();
    }
  }
  return locateAlone(document, placeholder) ?? { unit, filled };
}

/** In a broken document: the unit in the smallest item around the cursor that parses by itself. */
function locateAlone(document: Surroundings, placeholder: string): Located | undefined {
  const { before, after } = document.excerpt;
  for (const region of regionsOf(before, after, document.language)) {
    const piece = before.slice(region.start) + placeholder;
    const text = piece + after.slice(0, region.end);
    const tree = document.parse(text);
    if (tree === null) return undefined;
    try {
      if (tree.rootNode.hasError) continue;
      const solid = placeholder.trim().length;
      const start = solid === 0 ? piece.length : piece.trimEnd().length - solid;
      const { node, kind } = placeAt(tree.rootNode, start, start + solid);
      if (node === undefined || kind === "statement" || kind === undefined) continue;
      if (node.startIndex >= piece.length - placeholder.length) continue;
      return {
        unit: shifted(unitOf(node, kind), region.start),
        filled: { text, start, end: start + solid },
      };
    } finally {
      tree.delete();
    }
  }
  return undefined;
}

/** A statement where one is missing: Python's blocks end where their last statement does. */
function standIn(document: Surroundings): string {
  const { atLineStart, lineIndent, expected, opened, belowIndented } = document.indent;
  if (document.language !== "python" || document.before.inside !== undefined) return "";
  if (atLineStart)
    return (opened || belowIndented) && lineIndent < expected
      ? `${" ".repeat(expected - lineIndent)}pass`
      : "pass";
  return opened ? " pass" : "";
}

function shifted(unit: Unit, by: number): Unit {
  const move = (offset: number | undefined) => (offset === undefined ? undefined : offset + by);
  return {
    ...unit,
    start: unit.start + by,
    end: unit.end + by,
    bodyStart: move(unit.bodyStart),
    contentStart: move(unit.contentStart),
  };
}
