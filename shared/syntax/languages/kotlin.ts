/** Kotlin. */

import {
  BRACE_WORD,
  BRACES_OPEN,
  DOUBLE_QUOTED,
  LONE_JUMP,
  SINGLE_QUOTED,
  TRIPLE_QUOTED,
} from "./families/common.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "Kotlin",
  aliases: [],
  editorIds: ["kotlin"],
  extensions: ["kt", "kts"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: { files: { kotlin: "@tree-sitter-grammars/tree-sitter-kotlin/tree-sitter-kotlin.wasm" } },
  lexis: {
    lineComments: ["//"],
    blockComment: ["/*", "*/"],
    strings: [TRIPLE_QUOTED, DOUBLE_QUOTED, SINGLE_QUOTED],
    interpolated: ['"', '"""'],
    heredocs: false,
    regexLiterals: false,
    preprocessor: false,
    blockWords: undefined,
  },
  nodes: {
    comments: "line_comment block_comment",
    strings: "string_literal character_literal multiline_string_literal",
    functions: "function_declaration secondary_constructor anonymous_initializer",
    functionValues: "anonymous_function lambda_literal",
    types: "class_declaration object_declaration companion_object",
    holders: "class_body enum_class_body",
    bodies: "function_body class_body block enum_class_body",
    calls: "call_expression",
    callPath: "block",
    imports: "import package_header",
  },
  guess: {
    signs: [
      [/\bfun\s+(?:<|(?:[\w.<>?]+\.)?\w+\s*\()/, 4],
      [/\b(?:val|var)\s+\w+\s*(?::\s*[A-Z][\w<>?, ]*)?\s*(?:=|by\b)/, 2],
      [/:\s*(?:Int|String|Boolean|Long|Double|List<|Map<|IntArray|Unit)\b/, 3],
      [
        /\bdata\s+class\b|\bwhen\s*[({]|\bcompanion\s+object\b|\bmutable(?:List|Map|Set)Of\b|\blistOf\(|\bmapOf\(/,
        3,
      ],
      [/\?\.|\?:|!!|\bit\.|\bprintln\(|\buntil\b|\.\.\s*\w|\bdownTo\b/, 1],
    ],
    acceptsProse: true,
  },
  lines: {
    starts: [
      /^(?:@\w+\s+)*(?:(?:public|private|protected|internal|override|suspend|inline|operator|tailrec|infix|open|abstract|external)\s+)*fun\s+(?:<.*>\s*)?(?:[\w.<>?, ]+\.)?[\w`]+\s*\(/,
      /^(?:get|set)\(\w*\)\s*(?:=|\{)/,
      LONE_JUMP,
      BRACE_WORD,
    ],
    opensBlock: BRACES_OPEN,
  },
  programs: {
    quirks: [],
    optionalSemicolons: true,
    indented: false,
    readsInput: /\breadLine\(|\breadln\(|\bScanner\b|\bSystem\.in\b/,
    enclosing: [
      ["class Enclosing {\n", "\n}\n"],
      ["fun enclosing() {\n", "\n}\n"],
    ],
  },
}));
