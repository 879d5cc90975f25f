/** What Go wants where, and its grammar does not. */
import type { ParsedProgram } from "../../languages/language.ts";
import type { ProgramFault } from "../validity.ts";

/** A package clause or imports behind other code. */
export function misplacedClause({ children }: ParsedProgram): ProgramFault | undefined {
  let seen = 0;
  for (const node of children) {
    if (!node.isNamed || node.type === "comment") continue;
    const rank = node.type === "package_clause" ? 1 : node.type === "import_declaration" ? 2 : 3;
    if (rank < seen || (rank === 1 && seen === 1)) {
      return { at: node.startPosition, message: "This must come before everything else in the file." };
    }
    seen = rank;
  }
  return undefined;
}

/** Go ends a statement at a line end: the brace of its block must be on the same line. */
export function braceAlone({ code }: ParsedProgram): ProgramFault | undefined {
  const match = /^[ \t]*(?:if|for|switch|select|func|else|\} else)\b(?:(?!\/\/|[{`\n]).)*\n[ \t]*\{/m.exec(
    code,
  );
  if (match === null) return undefined;
  const row = code.slice(0, match.index + match[0].length).split("\n").length - 1;
  return { at: { row, column: 0 }, message: 'In Go, "{" belongs on the line that it ends.' };
}
