/** JavaScript. */

import { SCRIPT } from "./families/script.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "JavaScript",
  aliases: ["javascriptreact", "node"],
  editorIds: ["javascript", "javascriptreact"],
  extensions: ["js", "jsx", "mjs", "cjs"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  ...SCRIPT,
  grammar: { files: { javascript: "tree-sitter-javascript/tree-sitter-javascript.wasm" } },
  nodes: {
    comments: "comment html_comment",
    strings: "string template_string regex jsx_text",
    functions: `function_declaration generator_function_declaration method_definition class_static_block`,
    functionValues: "arrow_function function_expression generator_function",
    types: "class_declaration class",
    holders: "class_body",
    wrappers: "export_statement expression_statement",
    bodies: "class_body statement_block",
    calls: "call_expression",
    callPath: "arguments arrow_function function_expression statement_block",
    objectPath: `lexical_declaration variable_declaration variable_declarator object pair export_statement
      expression_statement assignment_expression arguments call_expression new_expression
      parenthesized_expression`,
    imports: "import_statement",
  },
  guess: {
    signs: [
      [
        /^[ \t]*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b\s*(?:\*\s*)?(?:\w+\s*)?\([^:)]*\)\s*\{/m,
        3,
      ],
      [/\b(?:const|let)\s+[\w{[].*=/, 2],
      [/=>/, 1],
      [/\bconsole\.\w+\(|\brequire\(["']|\bmodule\.exports\b|\bdocument\.|\bwindow\./, 3],
      [/===|!==/, 2],
      [/^[ \t]*(?:import|export)\b.*\bfrom\s+["']|^[ \t]*export\s+(?:default|const|function|class)\b/m, 2],
      [/\bfunction\s*\(|\bundefined\b|\bMath\.\w+\(|\bnew (?:Map|Set|Array|Promise)\b|\bprototype\b/, 1],
      [/^[ \t]*(?:var\s+\w+\s*=|(?:static\s+)?(?:async\s+)?constructor\s*\()/m, 1],
    ],
    relatives: ["typescript", "tsx"],
  },
}));
