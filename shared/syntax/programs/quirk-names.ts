// Names that a language refuses and its grammar takes: a parameter named twice, a constant without a value. Both are
// told by the text first, as most programs have neither and a walk over their trees would be for nothing.
import type { Language } from "../languages/languages.ts";
import type { SyntaxNode, SyntaxTree } from "../parsing/parser.ts";
import type { Problem } from "./validity.ts";

/** A list of parameters as text, up to its first inner bracket: enough to see whether a name may repeat. */
const PARAMETERS: Readonly<Partial<Record<Language, RegExp>>> = {
  python: /\bdef\s+\w+\s*\(([^()]*)|\blambda\b([^:]*):/g,
};
const SCRIPT_PARAMETERS = /\(([^()]*)\)\s*(?:=>|\{|:)/g;

/** Longest list that is looked at: hundreds of parameters are no program. */
const MAX_LIST = 2000;

/** Nodes that list parameters; an arrow function's are never allowed to repeat, nor are a method's. */
const LISTS = ["parameters", "lambda_parameters", "formal_parameters"];

/** A function, method or lambda with two parameters of one name. */
export function repeatedParameter(tree: SyntaxTree, code: string, language: Language): Problem | undefined {
  if (!mayRepeat(code, language)) return undefined;
  for (const list of tree.rootNode.descendantsOfType(LISTS)) {
    if (list.endIndex - list.startIndex > MAX_LIST || (language !== "python" && mayBeSloppy(list, code)))
      continue;
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

function mayRepeat(code: string, language: Language): boolean {
  for (const match of code.matchAll(PARAMETERS[language] ?? SCRIPT_PARAMETERS)) {
    const list = match[1] ?? match[2] ?? "";
    if (list.length > MAX_LIST) continue;
    // Defaults and types may name anything: cut at the first mark behind a name.
    const names = list.split(",").map((part) => /^\s*[*.]*\s*([\w$]+)/.exec(part)?.[1]);
    const named = names.filter((name) => name !== undefined);
    if (new Set(named).size < named.length) return true;
  }
  return false;
}

/** Functions by `function` with plain parameters may repeat a name in JavaScript's sloppy mode. */
function mayBeSloppy(list: SyntaxNode, code: string): boolean {
  const owner = list.parent?.type ?? "";
  if (!/^(?:generator_)?function/.test(owner)) return false;
  const strict = /["']use strict["']|^\s*(?:import|export)\b|\bclass\s/m.test(code);
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

/** A name behind `const` with nothing behind it, or such a name further on in the line. */
const BARE_CONSTANT = /\bconst\s+(?:[^;\n]*,\s*)?[\w$]+\s*(?::[^=;\n]*)?(?:[;,\n}]|$)/;

/** `const x;` where something must stand behind the name. */
export function constantWithoutValue(tree: SyntaxTree, code: string): Problem | undefined {
  if (!BARE_CONSTANT.test(code)) return undefined;
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
