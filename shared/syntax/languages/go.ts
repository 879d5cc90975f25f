/** Go. */
import { braceAlone, misplacedClause } from "../programs/quirks/go-order.ts";
import { strayGo } from "../programs/quirks/statements.ts";
import { BACKTICKED, BRACE_WORD, BRACES_OPEN, DOUBLE_QUOTED, SINGLE_QUOTED } from "./families/common.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "Go",
  aliases: ["golang"],
  editorIds: ["go"],
  extensions: ["go"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: { files: { go: "tree-sitter-go/tree-sitter-go.wasm" } },
  lexis: {
    lineComments: ["//"],
    blockComment: ["/*", "*/"],
    strings: [BACKTICKED, DOUBLE_QUOTED, SINGLE_QUOTED],
    interpolated: [],
    heredocs: false,
    regexLiterals: false,
    preprocessor: false,
    blockWords: undefined,
  },
  nodes: {
    comments: "comment",
    strings: "raw_string_literal interpreted_string_literal rune_literal",
    functions: "function_declaration method_declaration",
    functionValues: "func_literal",
    types: "type_declaration",
    data: "type_declaration",
    holders: "field_declaration_list",
    wrappers: "expression_statement",
    bodies: "block field_declaration_list",
    calls: "call_expression",
    imports: "import_declaration package_clause",
  },
  guess: {
    signs: [
      [/^[ \t]*package\s+\w+\s*$/m, 4],
      [/^[ \t]*func\s+(?:\(\s*\w+\s+\*?\w+(?:\[.*\])?\s*\)\s*)?\w+(?:\[.*\])?\s*\(/m, 4],
      [/:=/, 2],
      [
        /\bfmt\.\w+\(|\berr\s*!=\s*nil\b|\bmake\(\s*(?:\[\]|map|chan)|\[\](?:int|string|byte|rune|float64)\b|\bmap\[\w+\]/,
        3,
      ],
      [/^[ \t]*import\s+(?:\(|"[\w/.]+")\s*$/m, 3],
      [/^[ \t]*type\s+\w+(?:\[.*\])?\s+(?:struct|interface)\s*\{/m, 4],
      [/\brange\s|\bnil\b|\bdefer\s|\bgo\s+func\b|<-/, 1],
    ],
  },
  lines: {
    starts: [
      /^func\s+(?:\([^)]*\)\s*)?\w+\s*(?:\[.*\])?\(/,
      /^type\s+\w+(?:\[.*\])?\s+(?:struct|interface|func|map|\[\]|[a-z]+\d*$)/,
      /^(?:var|const|type|import)\s+\($/,
      /^(?:var|const)\s+\w+/,
      /^(?:go|defer)\s+\w.*\)$/,
      BRACE_WORD,
    ],
    opensBlock: BRACES_OPEN,
  },
  programs: {
    quirks: [misplacedClause, strayGo, braceAlone],
    optionalSemicolons: true,
    indented: false,
    readsInput: /\bos\.Stdin\b|\bfmt\.Scan/,
    enclosing: [["func enclosing() {\n", "\n}\n"]],
  },
}));
