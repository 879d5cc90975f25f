/** PHP, inside of HTML or alone. */

import {
  BRACE_WORD,
  BRACES_OPEN,
  DOLLAR_NAME,
  LONE_JUMP,
  LONG_DOUBLE_QUOTED,
  LONG_SINGLE_QUOTED,
} from "./families/common.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "PHP",
  aliases: [],
  editorIds: ["php"],
  extensions: ["php"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: {
    files: {
      php: "tree-sitter-php/tree-sitter-php.wasm",
      php_only: "tree-sitter-php/tree-sitter-php_only.wasm",
    },
    // The grammar with HTML takes any text for HTML, so that no prose would ever be wrong.
    choose: (text) => (/^\s*</.test(text) ? "php" : "php_only"),
  },
  lexis: {
    lineComments: ["//", "#"],
    blockComment: ["/*", "*/"],
    strings: [LONG_DOUBLE_QUOTED, LONG_SINGLE_QUOTED],
    interpolated: [],
    heredocs: true,
    regexLiterals: false,
    preprocessor: false,
    blockWords: undefined,
  },
  nodes: {
    comments: "comment",
    strings: "string encapsed_string heredoc nowdoc heredoc_body text",
    functions: "function_definition method_declaration",
    functionValues: "arrow_function anonymous_function",
    types: "class_declaration interface_declaration enum_declaration trait_declaration",
    data: "interface_declaration enum_declaration trait_declaration",
    holders: "namespace_definition declaration_list enum_declaration_list",
    bodiesUnder: [["compound_statement", "namespace_definition"]],
    wrappers: "expression_statement",
    bodies: "compound_statement declaration_list",
    imports: "namespace_use_declaration",
  },
  guess: {
    signs: [
      [/<\?php|<\?=/, 8],
      [/^[ \t]*\$\w+\s*=|\$this->|\$\w+->\w+|\$\w+\[/m, 4],
      [/\bfunction\s+(?:\w+\s*)?\([^)]*\)/, 1],
      [/\bforeach\s*\(\s*\$|\becho\s+[$"']|\barray\(|\bcount\(\$|\bstrlen\(\$/, 3],
    ],
  },
  lines: {
    starts: [
      /^(?:endif|endforeach|endwhile|endfor);$/,
      /^(?:abstract|final)?\s*(?:class|trait|interface|enum)\s+\w+/,
      /^(?:echo|print|return)\s+\S.*;$/,
      LONE_JUMP,
      DOLLAR_NAME,
      BRACE_WORD,
    ],
    dollars: true,
    opensBlock: BRACES_OPEN,
  },
  programs: {
    quirks: [],
    optionalSemicolons: false,
    indented: false,
    eitherQuote: "plain",
    readsInput: /\bSTDIN\b|\bfgets\s*\(|\breadline\b|\$argv\b/,
    enclosing: [
      ["class Enclosing {\n", "\n}\n"],
      ["function enclosing() {\n", "\n}\n"],
    ],
  },
}));
