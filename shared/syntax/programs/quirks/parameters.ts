/** Parameters named twice. Told by the text first: most programs have none, and a walk over their trees costs more. */
import type { ParsedProgram } from "../../languages/language.ts";
import type { SyntaxNode } from "../../parsing/parser.ts";
import type { ProgramFault } from "../validity.ts";

/** Lists of parameters as text, up to their first inner bracket: enough to see whether a name may repeat. */
const PYTHON_LIST = /\bdef\s+\w+\s*\(([^()]*)|\blambda\b((?:(?!\blambda\b)[^:])*):/g;
const SCRIPT_LIST = /\(([^()]*)\)\s*(?:=>|\{|:)/g;

/** Longest list that is looked at: hundreds of parameters are no program. */
const MAX_LIST = 2000;

/** Nodes that list parameters. */
const LISTS = ["parameters", "lambda_parameters", "formal_parameters"];

/** A function, method or lambda of Python with two parameters of one name. */
export function repeatedPythonParameter(program: ParsedProgram): ProgramFault | undefined {
  return repeatedIn(program, PYTHON_LIST, () => false);
}

/** The same in JavaScript and its kin: an arrow function's parameters may never repeat, nor may a method's. */
export function repeatedScriptParameter(program: ParsedProgram): ProgramFault | undefined {
  return repeatedIn(program, SCRIPT_LIST, (list) => mayBeSloppy(list, program.code));
}

function repeatedIn(
  { tree, code }: ParsedProgram,
  pattern: RegExp,
  isAllowed: (list: SyntaxNode) => boolean,
): ProgramFault | undefined {
  if (!mayRepeat(code, pattern)) return undefined;
  for (const list of tree.rootNode.descendantsOfType(LISTS)) {
    if (list.endIndex - list.startIndex > MAX_LIST || isAllowed(list)) continue;
    const seen = new Set<string>();
    for (const parameter of list.namedChildren) {
      const name = nameOf(parameter);
      if (name === undefined) continue;
      if (seen.has(name.text)) {
        return { at: name.startPosition, message: `The parameter "${name.text}" is there twice.` };
      }
      seen.add(name.text);
    }
  }
  return undefined;
}

function mayRepeat(code: string, pattern: RegExp): boolean {
  for (const match of code.matchAll(pattern)) {
    const list = match[1] ?? match[2] ?? "";
    if (list.length > MAX_LIST) continue;
    // Defaults and types may name anything: cut at the first mark behind a name.
    const names = list.split(",").map((part) => /^[*.]*\s*([\w$]+)/.exec(part.trim())?.[1]);
    const named = names.filter((name) => name !== undefined);
    if (new Set(named).size < named.length) return true;
  }
  return false;
}

/** Functions by `function` with plain parameters may repeat a name in JavaScript's sloppy mode. */
function mayBeSloppy(list: SyntaxNode, code: string): boolean {
  const owner = list.parent?.type ?? "";
  if (!/^(?:generator_)?function/.test(owner)) return false;
  const strict = /["']use strict["']|^[ \t]*(?:import|export)\b|\bclass\s/m.test(code);
  return !strict && list.namedChildren.every((parameter) => parameter.type === "identifier");
}

/** The name that a parameter binds; undefined for patterns and separators. */
function nameOf(parameter: SyntaxNode): SyntaxNode | undefined {
  if (parameter.type === "identifier") return parameter;
  if (!/parameter|splat|rest|assignment/.test(parameter.type)) return undefined;
  const named =
    parameter.childForFieldName("name") ??
    parameter.childForFieldName("pattern") ??
    parameter.childForFieldName("left") ??
    parameter.firstNamedChild;
  if (named === null) return undefined;
  return named.type === "identifier" ? named : nameOf(named);
}
