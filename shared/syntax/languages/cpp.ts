/** C++: all of C, and signs of its own. */
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
  name: "C++",
  aliases: ["c++"],
  editorIds: ["cpp"],
  extensions: ["cpp", "cxx", "cc", "hpp"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: { files: { cpp: "tree-sitter-cpp/tree-sitter-cpp.wasm" } },
  lexis: {
    lineComments: ["//"],
    blockComment: ["/*", "*/"],
    strings: [['R"(', ')"', true], DOUBLE_QUOTED, SINGLE_QUOTED],
    interpolated: [],
    heredocs: false,
    regexLiterals: false,
    preprocessor: true,
    blockWords: undefined,
  },
  nodes: {
    comments: "comment",
    strings: `string_literal raw_string_literal char_literal character concatenated_string system_lib_string`,
    functions: "function_definition",
    functionValues: "lambda_expression",
    types: "class_specifier struct_specifier union_specifier enum_specifier",
    data: "struct_specifier union_specifier enum_specifier",
    holders: `namespace_definition linkage_specification preproc_if preproc_ifdef preproc_else preproc_elif
      declaration_list field_declaration_list`,
    wrappers: "template_declaration expression_statement",
    bodies: "compound_statement declaration_list field_declaration_list",
    calls: "call_expression",
    callPath: "argument_list",
    imports: "preproc_include using_declaration",
  },
  guess: {
    signs: [
      [
        /^[ \t]*#\s*include\s*<(?:iostream|vector|string|algorithm|map|set|unordered_map|unordered_set|queue|stack|memory|bits\/stdc\+\+\.h|\w+)>/m,
        4,
      ],
      [/\bstd::\w+/, 4],
      [/\busing\s+namespace\s+\w+\s*;/, 4],
      [/\bc(?:out|err|in)\s*(?:<<|>>)/, 4],
      [/\b(?:vector|unordered_map|unordered_set|pair|priority_queue|unique_ptr|shared_ptr)\s*</, 3],
      [/^[ \t]*template\s*</m, 3],
      [
        /\b(?:int|char|bool|long|double|float|string|size_t|auto|T)\s*&\s*\w+\s*[,):=;]|\bstring\s+&?\w+\s*[,)]/,
        3,
      ],
      [/\bfor\s*\(\s*(?:const\s+)?(?:auto|string)\s*&?\s*(?:\w+|\[[\w, ]+\])\s*:/, 3],
      [
        /\bthis->|\boperator\s*(?:[-+*/<>=!]=?|\[\]|\(\))\s*\(|\b(?:static|dynamic|const|reinterpret)_cast\s*</,
        3,
      ],
      [/\.(?:push_back|emplace_back|pop_back|c_str|substr)\(|\bdelete(?:\s*\[\s*\])?\s+\w+\s*;/, 2],
      [
        /\bnullptr\b|\bconst\s+\w+(?:<.*>)?\s*&|\bauto\s*[&*]?\s*\w+|\w::\w|\bconstexpr\b|\bclass\s+\w+\s*(?::\s*public\s+\w+\s*)?\{/,
        2,
      ],
      [/^[ \t]*(?:public|private|protected)\s*:\s*$/m, 3],
    ],
    shared: [
      [
        /^[ \t]*(?:static\s+)?(?:unsigned\s+|const\s+)?(?:int|void|char|double|float|long|bool|size_t)\s+\**\w+\s*\([^)]*\)\s*\{?/m,
        1,
      ],
    ],
    contains: "c",
    relatives: ["c"],
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
    readsInput: /\bcin\s*>>|\bstd::cin\b|\bscanf\s*\(|\bfgets\s*\(/,
    enclosing: [
      ["class Enclosing {\n", "\n};\n"],
      ["void enclosing() {\n", "\n}\n"],
    ],
  },
}));
