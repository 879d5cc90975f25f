/** Java. */
import { strayJava } from "../programs/quirks/statements.ts";
import { BRACE_WORD, BRACES_OPEN, DOUBLE_QUOTED, SINGLE_QUOTED, TRIPLE_QUOTED } from "./families/common.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "Java",
  aliases: [],
  editorIds: ["java"],
  extensions: ["java"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: { files: { java: "tree-sitter-java/tree-sitter-java.wasm" } },
  lexis: {
    lineComments: ["//"],
    blockComment: ["/*", "*/"],
    strings: [TRIPLE_QUOTED, DOUBLE_QUOTED, SINGLE_QUOTED],
    interpolated: [],
    heredocs: false,
    regexLiterals: false,
    preprocessor: false,
    blockWords: undefined,
  },
  nodes: {
    comments: "line_comment block_comment",
    strings: "string_literal character_literal",
    functions: `method_declaration constructor_declaration compact_constructor_declaration static_initializer`,
    functionValues: "lambda_expression",
    types: `class_declaration interface_declaration enum_declaration record_declaration
      annotation_type_declaration`,
    data: "interface_declaration enum_declaration annotation_type_declaration record_declaration",
    holders: "class_body interface_body enum_body enum_body_declarations annotation_type_body",
    wrappers: "expression_statement",
    bodies: "class_body block enum_body interface_body constructor_body",
    imports: "import_declaration package_declaration",
  },
  guess: {
    signs: [
      [/\bpublic\s+static\s+void\s+main\s*\(\s*(?:final\s+)?String/, 5],
      [/^[ \t]*import\s+(?:static\s+)?(?:java|javax|org|com)\.[\w.*]+;/m, 5],
      [/\bSystem\.(?:out|err|in)\b/, 4],
      [
        /^[ \t]*(?:public|private|protected)\s+(?:static\s+)?(?:final\s+)?(?:class|interface|enum|int|void|boolean|String|long|double|List<|Map<)/m,
        2,
      ],
      [
        /\b(?:ArrayList|HashMap|HashSet|LinkedList|ArrayDeque|Scanner|StringBuilder|Integer|Optional|Collectors)\b/,
        2,
      ],
      [/\b(?:int|long|void|double|char)\s+[a-z]+[A-Z]\w*\s*\(/, 1],
      [/^[ \t]*(?:abstract\s+|final\s+)*class\s+\w+(?:<.*>)?[^:;]*\{\s*$/m, 1],
      [/\bMath\.\w+\(|\bnull\b|\bString\b|\.length\(\)|\.equals\(/, 1],
      [/@Override\b|\bthrows\s+\w+|\bextends\s+\w+|\bimplements\s+\w+|\bfinal\s+\w+|\binstanceof\b/, 1],
      [/\b(?:boolean|String)\s*(?:\[\])*\s+\w+\s*[=;(]|\b(?:int|long|char|double)\s*(?:\[\s*\])+\s*\w+/, 1],
    ],
  },
  lines: {
    starts: [BRACE_WORD],
    opensBlock: BRACES_OPEN,
  },
  programs: {
    quirks: [strayJava],
    optionalSemicolons: false,
    indented: false,
    readsInput: /\bScanner\b|\bSystem\.in\b/,
    enclosing: [
      ["class Enclosing {\n", "\n}\n"],
      ["class Enclosing { void enclosing() {\n", "\n}}\n"],
    ],
  },
}));
