/** The functions of a text, and how each is asked about: its head is the problem, its body the program. */

import type { Language } from "../../shared/syntax/languages/languages.ts";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import { placeAt, type Unit, unitOf, unitsIn } from "../../shared/syntax/units/unit.ts";

/** A piece of a text to be scored; offsets are UTF-16 units into that text. */
export interface FunctionRange {
  readonly name: string;
  /** What is shown as scored. */
  readonly start: number;
  readonly end: number;
  /** Where the program starts that is asked about: behind the signature and its documentation. */
  readonly codeStart: number;
}

/** The innermost function around an offset; undefined outside of functions and where the text cannot be parsed. */
export function functionAt(
  text: string,
  offset: number,
  language: Language,
  runtime: SyntaxRuntime,
): FunctionRange | undefined {
  const tree = runtime.parse(language, text);
  try {
    if (!tree) return undefined;
    const { node, kind } = placeAt(tree.rootNode, offset, offset);
    return node && kind === "function" ? functionRangeOf(unitOf(node, kind)) : undefined;
  } finally {
    tree?.delete();
  }
}

/** All functions and methods of a text, in its order. */
export function functionsIn(text: string, language: Language, runtime: SyntaxRuntime): FunctionRange[] {
  const tree = runtime.parse(language, text);
  try {
    if (!tree) return [];
    return unitsIn(tree.rootNode).flatMap((unit) => (unit.kind === "function" ? functionRangeOf(unit) : []));
  } finally {
    tree?.delete();
  }
}

function functionRangeOf({ start, end, contentStart, name }: Unit): FunctionRange {
  const within = contentStart !== undefined && contentStart > start && contentStart < end;
  return { name: name ?? "", start, end, codeStart: within ? contentStart : start };
}
