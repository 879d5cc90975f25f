/** Code as coloured pieces, line by line, from its syntax tree; one set of rules for all grammars. */
import type { Language } from "../../shared/syntax/languages/languages.ts";
import type { SyntaxNode, SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import type { CodeToken, TokenClass } from "./panel-messages.ts";

/** Parts of a text that are shown by their node's type, whatever is inside of them. */
const WHOLE: readonly (readonly [RegExp, TokenClass])[] = [
  [/comment/, "comment"],
  [
    /^(string|char|character|rune|raw_string|regex|heredoc)(_|$)|string_literal|char_literal|character_literal/,
    "string",
  ],
  [
    /^(integer|float|number|decimal|hex|octal|int|real)(_|$)|number_literal|integer_literal|float_literal/,
    "number",
  ],
  [/^(type_identifier|primitive_type|predefined_type|builtin_type)$/, "type"],
];
const NAME = /identifier|^name$|^word$/;
/** A name with one of these above it, as its field "name" or "function", names something that is called. */
const CALLABLE =
  /call|invocation|function_definition|function_declaration|method_definition|function_item|^method/;
const WORD = /^[a-z_]+$/i;

interface Span {
  readonly start: number;
  readonly end: number;
  readonly kind: TokenClass;
}

/**
 * @param context number of characters at the start that stand in the document already
 * @param runtime with the language's grammar loaded
 */
export function highlight(
  text: string,
  context: number,
  language: Language,
  runtime: SyntaxRuntime,
): CodeToken[][] {
  const tree = runtime.parse(language, text);
  const spans: Span[] = context > 0 ? [{ start: 0, end: context, kind: "context" }] : [];
  if (tree) {
    try {
      collect(tree.rootNode, context, spans);
    } finally {
      tree.delete();
    }
  }
  return linesOf(text, spans);
}

function collect(root: SyntaxNode, from: number, spans: Span[]): void {
  // A stack of its own: generated code nests deeper than the call stack holds.
  const stack: SyntaxNode[] = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (node.endIndex <= from) continue;
    const kind = kindOf(node);
    if (kind !== undefined) spans.push({ start: Math.max(from, node.startIndex), end: node.endIndex, kind });
    else for (const child of [...node.children].reverse()) stack.push(child);
  }
}

/** Undefined where the parts of the node decide. */
function kindOf(node: SyntaxNode): TokenClass | undefined {
  if (node.isNamed) {
    const whole = WHOLE.find(([type]) => type.test(node.type));
    // What is interpolated into a string is coloured with it: that is how little of it there is.
    if (whole) return whole[1];
  }
  if (node.childCount > 0) return undefined;
  if (!node.isNamed) return WORD.test(node.type) ? "keyword" : "";
  if (NAME.test(node.type)) return isCalled(node) ? "function" : "";
  return WORD.test(node.text) && node.type === node.text.toLowerCase() ? "keyword" : "";
}

function isCalled(node: SyntaxNode): boolean {
  const { parent } = node;
  if (!parent || !CALLABLE.test(parent.type)) return false;
  return ["function", "name", "declarator"].some((field) => parent.childForFieldName(field)?.id === node.id);
}

/** Cuts a text at its spans and at its line ends. */
function linesOf(text: string, spans: readonly Span[]): CodeToken[][] {
  const lines: CodeToken[][] = [[]];
  const add = (part: string, kind: TokenClass) => {
    for (const [index, piece] of part.split(/\r?\n/).entries()) {
      if (index > 0) lines.push([]);
      if (piece !== "") lines.at(-1)?.push([piece, kind]);
    }
  };
  let done = 0;
  for (const { start, end, kind } of spans) {
    if (start < done || end <= start) continue;
    add(text.slice(done, start), "");
    add(text.slice(start, end), kind);
    done = end;
  }
  add(text.slice(done), "");
  return lines;
}
