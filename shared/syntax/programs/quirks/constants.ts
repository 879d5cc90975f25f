/** Constants without a value. Told by the text first: most programs have none, and a walk over their trees costs more. */
import type { ParsedProgram } from "../../languages/language.ts";
import type { SyntaxNode } from "../../parsing/parser.ts";
import type { ProgramFault } from "../validity.ts";

/** A name with nothing behind it, behind `const` or a comma: only with one is it worth a look into the tree. */
const BARE_NAME = /(?:\bconst\s|,)\s*[\w$]+\s*(?:[;,\n}:]|$)/;

/** `const x;` where something must follow the name. */
export function constantWithoutValue({ tree, code }: ParsedProgram): ProgramFault | undefined {
  if (!/\bconst\s/.test(code) || !BARE_NAME.test(code)) return undefined;
  for (const declaration of tree.rootNode.descendantsOfType(["lexical_declaration"])) {
    if (declaration.firstChild?.type !== "const" || isAmbient(declaration)) continue;
    for (const declarator of declaration.namedChildren) {
      if (declarator.type !== "variable_declarator" || declarator.childForFieldName("value") !== null)
        continue;
      // A declaration file has constants with types alone.
      const typed = declarator.childForFieldName("type") !== null;
      if (typed && declaration.parent?.type === "export_statement") continue;
      const name = declarator.childForFieldName("name") ?? declarator;
      return { at: name.startPosition, message: `The constant "${name.text.slice(0, 40)}" has no value.` };
    }
  }
  return undefined;
}

/** What `declare` announces has its value elsewhere. */
function isAmbient(declaration: SyntaxNode): boolean {
  for (let node = declaration.parent; node !== null; node = node.parent) {
    if (node.type === "ambient_declaration") return true;
  }
  return false;
}
