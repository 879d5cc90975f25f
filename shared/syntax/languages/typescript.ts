/** TypeScript, and TSX, which is TypeScript with elements of JSX. */

import { SCRIPT } from "./families/script.ts";
import { type LanguageIdentity, type Nodes, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "TypeScript",
  aliases: [],
  editorIds: ["typescript"],
  extensions: ["ts", "mts", "cts"],
};

export const tsxIdentity: LanguageIdentity = {
  name: "TSX",
  aliases: ["typescriptreact"],
  editorIds: ["typescriptreact"],
  extensions: ["tsx"],
};

const NODES: Nodes = {
  comments: "comment html_comment",
  strings: "string template_string regex",
  functions: `function_declaration generator_function_declaration method_definition class_static_block`,
  functionValues: "arrow_function function_expression generator_function",
  types: `class_declaration abstract_class_declaration class interface_declaration enum_declaration
    type_alias_declaration`,
  data: "interface_declaration enum_declaration type_alias_declaration",
  holders: "module internal_module class_body interface_body enum_body",
  bodiesUnder: [["statement_block", "internal_module module"]],
  wrappers: "export_statement expression_statement ambient_declaration",
  bodies: "class_body statement_block enum_body interface_body",
  calls: "call_expression",
  callPath: "arguments arrow_function function_expression statement_block",
  objectPath: `lexical_declaration variable_declaration variable_declarator object pair export_statement
    expression_statement assignment_expression arguments call_expression new_expression
    parenthesized_expression as_expression satisfies_expression`,
  imports: "import_statement import_alias",
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  ...SCRIPT,
  grammar: { files: { typescript: "tree-sitter-typescript/tree-sitter-typescript.wasm" } },
  nodes: NODES,
  guess: {
    signs: [
      [
        /[)\w]\??\s*:\s*(?:string|number|boolean|void|any|unknown|never|bigint|Promise<|Array<|Record<|Map<)/,
        4,
      ],
      [/^[ \t]*(?:export\s+)?interface\s+\w+(?:<.*>)?\s*(?:extends\s.*)?\{/m, 2],
      [/^[ \t]*(?:export\s+)?type\s+\w+(?:<.*>)?\s*=/m, 3],
      [
        /\bas\s+(?:const|string|number|any|unknown)\b|\bimport\s+type\b|\breadonly\s+\w+|\bkeyof\b|\bdeclare\s/,
        2,
      ],
      [/\bfunction\s+\w+\s*<\w+|\b(?:new\s+)?(?:Map|Set|Array|Promise)<\w/, 2],
      [/\b(?:const|let)\s+\w+\s*:\s*\w/, 2],
    ],
    shared: [
      [/^[ \t]*(?:export\s+)?(?:default\s+)?(?:async\s+)?function\b/m, 1],
      [/===|!==|=>|\bconsole\.\w+\(/, 1],
    ],
    contains: "javascript",
    relatives: ["tsx", "javascript"],
  },
}));

export const tsxSyntax = /* @__PURE__ */ syntaxOf(() => ({
  ...SCRIPT,
  grammar: { files: { tsx: "tree-sitter-typescript/tree-sitter-tsx.wasm" } },
  nodes: { ...NODES, strings: `${NODES.strings} jsx_text` },
  guess: { signs: [], relatives: ["typescript", "javascript"] },
}));
