// What the grammars accept and the languages do not, where that is cheap to tell. Found by trying about 500 short
// wrong programs on the fourteen grammars; in the order of the languages:
// - python: missing, unexpected and inconsistent indentation; print and exec statements, `raise E, x`, `<>`,
//   backticks and octal numbers of Python 2.
// - javascript, typescript, tsx: an object literal as a statement (`{"a": 1}`), functions and classes without a
//   name as statements, JSX whose closing tag names another element.
// - java, c, cpp, go, rust: statements beside functions or types.
// - go: `{` on a line of its own, a package clause or imports behind other code.
// - ruby, bash: `end`, `fi`, `done` and the like that close nothing: they pass for names.
// - php: any text, as HTML, by the grammar that knows HTML: grammarFor in parser.ts picks the other one.
// - python, javascript, typescript: a parameter named twice; a constant without a value (quirk-names.ts).
// Not told, as it takes more than a look: keyword before positional arguments, assignments to what is no place
// (`a + b = c`), a missing comma before a line end in Go.
import type { Language } from "../languages/languages.ts";
import type { SyntaxNode, SyntaxTree } from "../parsing/parser.ts";
import { layoutProblemIn } from "./python-layout.ts";
import { constantWithoutValue, repeatedParameter } from "./quirk-names.ts";
import type { Problem } from "./validity.ts";

/** The first thing wrong that the grammar let pass; undefined when there is none. */
export function quirkIn(
  tree: SyntaxTree,
  children: readonly SyntaxNode[],
  code: string,
  language: Language,
): Problem | undefined {
  switch (language) {
    case "python":
      return layoutProblemIn(code) ?? repeatedParameter(tree, code, language);
    case "javascript":
    case "typescript":
    case "tsx":
      return (
        nameless(children) ??
        (code.includes("</") ? crossedTags(tree, code) : undefined) ??
        repeatedParameter(tree, code, language) ??
        constantWithoutValue(tree, code)
      );
    case "java":
    case "c":
    case "cpp":
    case "rust":
      return strayStatement(children, language);
    case "go":
      return goOrder(children) ?? braceAlone(code);
    case "ruby":
      return closesNothing(children, /^(?:end|else|elsif|when|then|do|rescue|ensure)$/);
    case "bash":
      return closesNothing(children, /^(?:fi|done|esac|then|else|elif|do|\})$/);
    case "csharp":
    case "php":
    case "kotlin":
      return undefined;
    default:
      return language satisfies never;
  }
}

/** A statement that starts like a declaration without a name, or like a block and is an object. */
function nameless(children: readonly SyntaxNode[]): Problem | undefined {
  for (const node of children) {
    if (node.type !== "expression_statement") continue;
    const inner = node.firstNamedChild?.type;
    if (inner === "object") return { at: node.startPosition, message: "This is an object, not a statement." };
    if (inner === "function_expression" || inner === "class") {
      return { at: node.startPosition, message: "A function or class that stands alone needs a name." };
    }
  }
  return undefined;
}

/** JSX elements whose closing tag names another one. */
function crossedTags(tree: SyntaxTree, code: string): Problem | undefined {
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

/**
 * A statement beside functions or types, in languages that want every statement inside of one. A piece of nothing
 * but statements is left alone: it is an excerpt, and as such right.
 */
function strayStatement(children: readonly SyntaxNode[], language: Language): Problem | undefined {
  const stray = children.find((node) => isStatement(node, language));
  const defines = children.some((node) =>
    /(?:function|method|class|interface|enum|struct|impl|trait)_\w+$/.test(node.type),
  );
  return stray && defines
    ? { at: stray.startPosition, message: "This statement stands outside of every function." }
    : undefined;
}

function isStatement(node: SyntaxNode, language: Language): boolean {
  if (!node.isNamed || !/_statement$|^block$|^let_declaration$|^short_var_declaration$/.test(node.type))
    return false;
  const inner = node.firstNamedChild;
  if (language === "rust") return inner?.type !== "macro_invocation";
  if (language === "java" || language === "go") return inner !== null;
  // Macros look like calls, and a stray semicolon is harmless.
  if (node.type === "compound_statement" || inner === null) return false;
  return (
    inner.type !== "call_expression" || !/^[A-Z_0-9]+$/.test(inner.childForFieldName("function")?.text ?? "")
  );
}

function goOrder(children: readonly SyntaxNode[]): Problem | undefined {
  let seen = 0;
  for (const node of children) {
    if (!node.isNamed || node.type === "comment") continue;
    const rank = node.type === "package_clause" ? 1 : node.type === "import_declaration" ? 2 : 3;
    if (rank < seen || (rank === 1 && seen === 1)) {
      return { at: node.startPosition, message: "This must stand before everything else in the file." };
    }
    seen = rank;
  }
  return strayStatement(children, "go");
}

/** Go ends a statement at a line end: the brace of its block must stand on the same line. */
function braceAlone(code: string): Problem | undefined {
  const match = /^[ \t]*(?:if|for|switch|select|func|else|\} else)\b(?:(?!\/\/|[{`\n]).)*\n[ \t]*\{/m.exec(
    code,
  );
  if (match === null) return undefined;
  const row = code.slice(0, match.index + match[0].length).split("\n").length - 1;
  return { at: { row, column: 0 }, message: 'In Go, "{" stands on the line of what it belongs to.' };
}

/** A word that closes a block, where none is open: the grammar takes it for a name. */
function closesNothing(children: readonly SyntaxNode[], words: RegExp): Problem | undefined {
  const node = children.find(
    (child) =>
      (child.type === "command" || child.type === "identifier") &&
      child.endIndex - child.startIndex < 8 &&
      words.test(child.text),
  );
  return node && { at: node.startPosition, message: `"${node.text}" closes nothing.` };
}
