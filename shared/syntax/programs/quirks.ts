/**
 * What the grammars accept and the languages do not, where that is cheap to see. Found by trying about 500 short wrong
 * programs on the fourteen grammars; each language's file lists its quirks, and `quirks/` has the code.
 *
 * Not looked for, as it takes more than a look: keyword before positional arguments, assignments to what cannot be
 * assigned to (`a + b = c`), a missing comma before a line end in Go.
 */

import type { ParsedProgram } from "../languages/language.ts";
import { type Language, SYNTAX } from "../languages/languages.ts";
import type { ProgramFault } from "./validity.ts";

/** The first thing wrong that the grammar let pass; undefined when there is none. */
export function quirkIn(program: ParsedProgram, language: Language): ProgramFault | undefined {
  for (const quirk of SYNTAX[language].programs.quirks) {
    const fault = quirk(program);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
