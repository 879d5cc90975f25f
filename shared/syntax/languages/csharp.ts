/** C#. */

import {
  BRACE_WORD,
  BRACES_OPEN,
  DIRECTIVE,
  DOUBLE_QUOTED,
  SINGLE_QUOTED,
  TRIPLE_QUOTED,
} from "./families/common.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "C#",
  aliases: ["c#", "c-sharp"],
  editorIds: ["csharp"],
  extensions: ["cs"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: { files: { csharp: "tree-sitter-c-sharp/tree-sitter-c_sharp.wasm" } },
  lexis: {
    lineComments: ["//"],
    blockComment: ["/*", "*/"],
    strings: [TRIPLE_QUOTED, ['@"', '"', true], DOUBLE_QUOTED, SINGLE_QUOTED],
    interpolated: [],
    heredocs: false,
    regexLiterals: false,
    preprocessor: true,
    blockWords: undefined,
  },
  nodes: {
    comments: "comment",
    strings: `string_literal raw_string_literal character_literal verbatim_string_literal
      interpolated_string_expression`,
    functions: `method_declaration constructor_declaration destructor_declaration operator_declaration
      conversion_operator_declaration indexer_declaration local_function_statement`,
    functionValues: "lambda_expression anonymous_method_expression",
    types: `class_declaration interface_declaration enum_declaration record_declaration struct_declaration`,
    data: "interface_declaration enum_declaration record_declaration",
    holders: "namespace_declaration preproc_if preproc_else preproc_elif declaration_list",
    wrappers: "expression_statement global_statement",
    bodies: "block declaration_list accessor_list arrow_expression_clause",
    imports: "using_directive",
  },
  guess: {
    signs: [
      [/^[ \t]*using\s+(?:static\s+)?[A-Z][\w.]*\s*;/m, 4],
      [/\bConsole\.\w+\(/, 4],
      [/^[ \t]*namespace\s+[A-Z][\w.]*\s*[;{]?\s*$/m, 2],
      [/\bstatic\s+(?:async\s+)?(?:void|int|Task)\s+Main\s*\(/, 4],
      [
        /\{\s*get;|\bforeach\s*\(\s*(?:var|\w+)\s+\w+\s+in\b|\b(?:IEnumerable|IList|IDictionary|Dictionary|List)<\w+|\bstring\.\w+|\.(?:Length|Count|Add|ToList|Select|Where)\b/,
        2,
      ],
      [
        /^[ \t]*(?:public|private|protected|internal)\s+(?:static\s+|override\s+|async\s+|virtual\s+)*(?:[\w<>[\],?]+)\s+[A-Z]\w*\s*\(/m,
        2,
      ],
      [/\bstring\b|\bvar\s+\w+\s*=\s*new\b|\bnew\s*\(\)/, 1],
    ],
  },
  lines: {
    starts: [DIRECTIVE, BRACE_WORD],
    opensBlock: BRACES_OPEN,
  },
  programs: {
    quirks: [],
    optionalSemicolons: false,
    indented: false,
    readsInput: /\bReadLine\(/,
    enclosing: [
      ["class Enclosing {\n", "\n}\n"],
      ["class Enclosing { void enclosing() {\n", "\n}}\n"],
    ],
  },
}));
