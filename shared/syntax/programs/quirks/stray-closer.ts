/** Words that close a block where none is open: the grammars take them for names. */
import type { ParsedProgram } from "../../languages/language.ts";
import type { ProgramFault } from "../validity.ts";

/** The longest such word, and one unit more. */
const SHORT = 8;

/** The first node of a type at the top of the program that is one of the words. */
export function strayCloser(
  { children }: ParsedProgram,
  type: string,
  words: RegExp,
): ProgramFault | undefined {
  const node = children.find(
    (child) => child.type === type && child.endIndex - child.startIndex < SHORT && words.test(child.text),
  );
  return node && { at: node.startPosition, message: `"${node.text}" closes nothing.` };
}
