// What the grammars accept and the languages do not, where that is cheap to tell.
import type { Language } from "./languages.ts";
import type { SyntaxTree } from "./parser.ts";
import type { Problem } from "./validity.ts";

/** The first thing wrong that the grammar let pass; undefined when there is none. */
export function quirkIn(_tree: SyntaxTree, _code: string, _language: Language): Problem | undefined {
  return undefined;
}
