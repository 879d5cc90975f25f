/** Statements beside functions or types, in languages that want every statement inside of one. */
import type { ParsedProgram } from "../../languages/language.ts";
import type { SyntaxNode } from "../../parsing/parser.ts";
import type { ProgramFault } from "../validity.ts";

/**
 * The first statement beside functions or types. A piece of nothing but statements is left alone: it is an excerpt, and
 * as such right.
 * @param matters false for what only looks like a statement
 */
function strayStatement(
  children: readonly SyntaxNode[],
  matters: (statement: SyntaxNode) => boolean,
): ProgramFault | undefined {
  const stray = children.find((node) => isStatement(node) && matters(node));
  const defines = children.some((node) =>
    /(?:function|method|class|interface|enum|struct|impl|trait)_\w+$/.test(node.type),
  );
  return stray && defines
    ? { at: stray.startPosition, message: "This statement is outside of every function." }
    : undefined;
}

function isStatement(node: SyntaxNode): boolean {
  return node.isNamed && /_statement$|^block$|^let_declaration$|^short_var_declaration$/.test(node.type);
}

export function strayRust({ children }: ParsedProgram): ProgramFault | undefined {
  return strayStatement(children, (statement) => statement.firstNamedChild?.type !== "macro_invocation");
}

/** An empty statement is a semicolon too many, which is harmless. */
export function strayJava({ children }: ParsedProgram): ProgramFault | undefined {
  return strayStatement(children, (statement) => statement.firstNamedChild !== null);
}

export function strayGo({ children }: ParsedProgram): ProgramFault | undefined {
  return strayStatement(children, (statement) => statement.firstNamedChild !== null);
}

/** Macros look like calls, and a semicolon too many is harmless. */
export function strayC({ children }: ParsedProgram): ProgramFault | undefined {
  return strayStatement(children, (statement) => {
    const inner = statement.firstNamedChild;
    if (statement.type === "compound_statement" || inner === null) return false;
    const called = inner.childForFieldName("function")?.text ?? "";
    return inner.type !== "call_expression" || !/^[A-Z_0-9]+$/.test(called);
  });
}
