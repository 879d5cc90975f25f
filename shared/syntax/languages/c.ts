/** C, with the preprocessor's directives. */
import { strayC } from "../programs/quirks/statements.ts";
import {
  BRACE_WORD,
  BRACES_OPEN,
  C_STARTS,
  DIRECTIVE,
  DOUBLE_QUOTED,
  SINGLE_QUOTED,
} from "./families/common.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "C",
  aliases: [],
  editorIds: ["c"],
  extensions: ["c", "h"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: { files: { c: "tree-sitter-c/tree-sitter-c.wasm" } },
  lexis: {
    lineComments: ["//"],
    blockComment: ["/*", "*/"],
    strings: [DOUBLE_QUOTED, SINGLE_QUOTED],
    interpolated: [],
    heredocs: false,
    regexLiterals: false,
    preprocessor: true,
    blockWords: undefined,
  },
  nodes: {
    comments: "comment",
    strings: "string_literal char_literal character concatenated_string system_lib_string",
    functions: "function_definition",
    types: "struct_specifier union_specifier enum_specifier",
    data: "struct_specifier union_specifier enum_specifier",
    holders: `linkage_specification preproc_if preproc_ifdef preproc_else preproc_elif declaration_list
      field_declaration_list`,
    wrappers: "expression_statement",
    bodies: "compound_statement declaration_list field_declaration_list",
    calls: "call_expression",
    callPath: "argument_list",
    imports: "preproc_include",
  },
  guess: {
    signs: [
      [
        /^[ \t]*#\s*include\s*<(?:stdio|stdlib|string|math|stdbool|stdint|ctype|limits|assert|unistd)\.h>/m,
        4,
      ],
      [/\b(?:printf|scanf|malloc|calloc|free|realloc|strlen|memcpy|memset|sizeof|fgets)\s*\(/, 2],
      [/\bstruct\s+\w+\s*\*|\btypedef\s+struct\b|\bint\s+main\s*\(\s*(?:void|int)?/, 2],
      [/\b(?:int|char|void|double|float|size_t|uint\d+_t|struct\s+\w+)\s*\*+\s*\w+/, 2],
      [/\bNULL\b|->/, 1],
      [
        /^[ \t]*(?:static\s+)?(?:unsigned\s+|const\s+)?(?:int|void|char|double|float|long|bool|size_t)\s+\**\w+\s*\([^)]*\)\s*\{?/m,
        1,
      ],
    ],
    // It has no classes.
    against: /^[ \t]*(?:public\s+|abstract\s+|final\s+)*class\s+\w+/m,
    relatives: ["cpp"],
  },
  lines: {
    starts: [DIRECTIVE, ...C_STARTS, BRACE_WORD],
    opensBlock: BRACES_OPEN,
    startsNoItem: /^\s*(?:#|public:|private:|protected:|\{)/,
  },
  programs: {
    quirks: [strayC],
    optionalSemicolons: false,
    indented: false,
    readsInput: /\bscanf\s*\(|\bfgets\s*\(/,
    enclosing: [["void enclosing(void) {\n", "\n}\n"]],
  },
}));
