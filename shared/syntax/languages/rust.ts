/** Rust. */
import { strayRust } from "../programs/quirks/statements.ts";
import { BRACE_WORD, BRACES_OPEN } from "./families/common.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "Rust",
  aliases: [],
  editorIds: ["rust"],
  extensions: ["rs"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: { files: { rust: "tree-sitter-rust/tree-sitter-rust.wasm" } },
  lexis: {
    lineComments: ["//"],
    blockComment: ["/*", "*/"],
    strings: [
      ['r#"', '"#', true],
      ['"', '"', true],
    ],
    interpolated: [],
    heredocs: false,
    regexLiterals: false,
    preprocessor: false,
    blockWords: undefined,
  },
  nodes: {
    comments: "line_comment block_comment",
    strings: "string_literal raw_string_literal char_literal",
    functions: "function_item macro_definition",
    functionValues: "closure_expression",
    types: "impl_item trait_item struct_item enum_item type_item",
    data: "trait_item struct_item enum_item type_item",
    holders: "mod_item declaration_list field_declaration_list foreign_mod_item",
    wrappers: "expression_statement",
    bodies: "block declaration_list field_declaration_list",
    calls: "call_expression",
    imports: "use_declaration extern_crate_declaration",
  },
  guess: {
    signs: [
      [
        /^[ \t]*macro_rules!|^[ \t]*#!?\[\w+|^[ \t]*(?:pub\s+)?unsafe\s+(?:impl|fn)\b|^[ \t]*pub\(crate\)/m,
        4,
      ],
      [/\bfn\s+\w+\s*(?:<[^>]*>)?\s*\(/, 4],
      [/\blet\s+mut\s/, 4],
      [/^[ \t]*use\s+(?:std|crate|super|self|core)::/m, 4],
      [/^[ \t]*impl\b.*\{/m, 3],
      [/\b(?:println|vec|format|assert_eq|panic|print|write|writeln)!\s*[([]/, 3],
      [
        /&(?:mut\s+)?(?:str|self|\[)|\b(?:i32|i64|u8|u32|u64|usize|f64)\b|\bVec<|\bOption<|\bResult<|\bSome\(|\.iter\(\)|\.unwrap\(\)/,
        2,
      ],
      [/^[ \t]*(?:pub\s+)?(?:struct|enum|trait|mod)\s+\w+|#\[derive\(/m, 2],
      [/^[ \t]*let\s+\w+\s*(?::\s*[\w<>&]+)?\s*=.*;\s*$/m, 1],
    ],
  },
  lines: {
    starts: [
      /^(?:pub(?:\([\w:]+\))?\s+)?(?:(?:async|const|unsafe|extern(?:\s+"C")?)\s+)*(?:fn\s+\w+\s*[<(]|mod\s+\w+\s*[;{]|use\s+[\w:{]+.*;|impl\b.*|type\s+\w+.*=|const\s+\w+\s*:|static\s+\w+\s*:)/,
      BRACE_WORD,
    ],
    opensBlock: BRACES_OPEN,
  },
  programs: {
    quirks: [strayRust],
    optionalSemicolons: false,
    indented: false,
    readsInput: /\bio::stdin|\bstdin\(\)/,
    enclosing: [
      ["impl Enclosing {\n", "\n}\n"],
      ["fn enclosing() {\n", "\n}\n"],
    ],
  },
}));
