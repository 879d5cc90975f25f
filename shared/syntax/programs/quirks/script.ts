/** Faults of JavaScript and its kin that the grammars let pass. */
import type { ParsedProgram } from "../../languages/language.ts";
import type { SyntaxNode } from "../../parsing/parser.ts";
import type { ProgramFault } from "../validity.ts";

/** A statement that starts like a declaration without a name, or like a block and is an object. */
export function nameless({ children }: ParsedProgram): ProgramFault | undefined {
  for (const node of children) {
    if (node.type !== "expression_statement") continue;
    const inner = node.firstNamedChild?.type;
    if (inner === "object") return { at: node.startPosition, message: "This is an object, not a statement." };
    if (inner === "function_expression" || inner === "class") {
      return { at: node.startPosition, message: "A function or class on its own needs a name." };
    }
  }
  return undefined;
}

/** JSX elements whose closing tag names another one. */
export function crossedTags({ tree, code }: ParsedProgram): ProgramFault | undefined {
  if (!code.includes("</")) return undefined;
  const stack: SyntaxNode[] = [tree.rootNode];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.type === "jsx_element") {
      const open = node.firstNamedChild?.childForFieldName("name")?.text ?? "";
      const last = node.lastNamedChild;
      const close = last?.childForFieldName("name")?.text ?? "";
      if (last !== null && open !== close) {
        return { at: last.startPosition, message: `</${close}> closes <${open}>.` };
      }
    }
    // Only what holds a closing tag can be wrong.
    for (const child of node.namedChildren) {
      if (code.slice(child.startIndex, child.endIndex).includes("</")) stack.push(child);
    }
  }
  return undefined;
}
