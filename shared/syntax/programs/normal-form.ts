/**
 * The normal form of a program: equal for programs that differ only in comments, layout, quotes or trailing commas.
 * Names and everything else count. It is the syntax tree and the tokens written out, not a program again: the tree
 * says what line ends and indentation mean, so the tokens can do without them.
 */
import type { NodeNames, Nodes } from "../languages/language.ts";
import { LANGUAGES, type Language, SYNTAX } from "../languages/languages.ts";
import type { SyntaxNode, SyntaxRuntime } from "../parsing/parser.ts";

/** Starts every form. No program that parses has it outside of a string. */
const MARK = "\u0001";

/** The kinds of form: by the tree, or the text itself where there is no tree. */
const BY_TREE = `${MARK}tree${MARK}`;
const BY_TEXT = `${MARK}text${MARK}`;

/** The normal form, to be compared with others of the same language. A form is its own normal form. */
export async function normalForm(code: string, language: Language, runtime: SyntaxRuntime): Promise<string> {
  if (code.startsWith(BY_TREE) || code.startsWith(BY_TEXT)) return code;
  await runtime.load(language);
  const tree = runtime.parse(language, `${code}\n`);
  if (tree === null) return BY_TEXT + code;
  const root = tree.rootNode;
  const form = BY_TREE + shapeOf(String(root)) + MARK + tokensOf(root, code, language);
  tree.delete();
  return form;
}

/**
 * The tokens of a form: programs with other tokens have other forms, and those with the same mostly the same. They cost
 * a fraction of the form, and nothing is parsed again where the tree is there.
 */
export async function tokenForm(code: string, language: Language, runtime: SyntaxRuntime): Promise<string> {
  await runtime.load(language);
  const tree = runtime.parse(language, `${code}\n`);
  if (tree === null) return BY_TEXT + code;
  const tokens = tokensOf(tree.rootNode, code, language);
  tree.delete();
  return tokens;
}

const nodesOf = (pick: (nodes: Nodes) => NodeNames): string[] => [
  ...new Set(LANGUAGES.flatMap((language) => pick(SYNTAX[language].nodes).split(/\s+/))),
];
/** What may be anywhere and means nothing, in all grammars. */
const COMMENTS = nodesOf((nodes) => nodes.comments);
/** What holds white space and marks that mean something. */
const STRINGS = nodesOf((nodes) => nodes.strings);

const COMMENT_NAMES = new Set(COMMENTS);
/** Comments of an S-expression, with the name of their field; documentation has parts. */
const COMMENT_NODES = new RegExp(
  ` ?(?:\\w+: )?\\((?:${COMMENTS.join("|")})(?:\\)| [^()]*(?:\\([^()]*\\)[^()]*)*\\))`,
  "g",
);

/** What a string without anything interpolated consists of. */
const STRING_PARTS = /\(string(?: \((?:string_\w+|escape_sequence)(?: \(escape_\w+\))*\))+\)/g;

/** The shape of the tree from its S-expression, without comments and what strings consist of. */
function shapeOf(expression: string): string {
  const plain =
    expression.includes("comment") || expression.includes("(line_continuation")
      ? expression.replace(COMMENT_NODES, "")
      : expression;
  return plain.replace(STRING_PARTS, "(string)");
}

/** The tokens without white space that separates nothing; see `tokenForm`. */
export function tokensOf(root: SyntaxNode, code: string, language: Language): string {
  let tokens = "";
  let from = 0;
  let rest = "";
  const flush = (): void => {
    tokens += withoutLayout(rest, language);
    rest = "";
  };
  for (const node of root.descendantsOfType([...COMMENTS, ...STRINGS])) {
    // Strings inside of strings: the outer one was taken whole.
    if (node.startIndex < from) continue;
    rest += code.slice(from, node.startIndex);
    from = node.endIndex;
    if (COMMENT_NAMES.has(node.type)) {
      rest += "\n";
      continue;
    }
    flush();
    const text = code.slice(node.startIndex, node.endIndex);
    tokens += MARK + (node.type === "jsx_text" ? squeezed(text) : unquoted(text, language)) + MARK;
  }
  rest += code.slice(from);
  flush();
  return tokens.replace(/^ | $/g, "");
}

function withoutLayout(text: string, language: Language): string {
  let plain = text;
  // In a shell it is a line end anywhere.
  if (SYNTAX[language].lines.commands) plain = plain.replace(/(?<!;);(?!;)/g, "\n");
  if (SYNTAX[language].programs.optionalSemicolons) plain = plain.replace(/;(?=[ \t]*(?:\n|$|\}))/g, "\n");
  return plain
    .replace(/\s+/g, " ")
    .replace(/ ?([^\w\s]) ?/g, "$1")
    .replace(/(?<=[^,([{]),(?=[)\]}])/g, "");
}

/** White space between tags counts as one space, and not at all around line ends. */
function squeezed(text: string): string {
  return text
    .replace(/\s+/g, (run) => (run.includes("\n") ? "\n" : " "))
    .replace(/^\n|\n$/g, "")
    .replace(/\n/g, " ");
}

/** A string with double quotes where single ones mean the same. */
function unquoted(text: string, language: Language): string {
  const { eitherQuote } = SYNTAX[language].programs;
  const match = eitherQuote ? /^([A-Za-z]*)('''|"""|'|")([\s\S]*)\2$/.exec(text) : null;
  if (match === null) return text;
  const [, prefix = "", quote = "", content = ""] = match;
  if (eitherQuote === "plain" && quote === "'" && /[\\$`#]/.test(content)) return text;
  if (/^r/i.test(prefix) && content.includes("\\")) return text;
  return `${prefix.toLowerCase()}"${content.replace(/\\(['"])/g, "$1")}"`;
}
