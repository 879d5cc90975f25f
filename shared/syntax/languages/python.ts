/** Python: blocks by indentation, documentation in strings. */

import { repeatedPythonParameter } from "../programs/quirks/parameters.ts";
import { layoutFault } from "../programs/quirks/python-layout.ts";
import { DOUBLE_QUOTED, LONE_JUMP, SINGLE_QUOTED, TRIPLE_QUOTED } from "./families/common.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "Python",
  aliases: ["python3", "py3", "ipython"],
  editorIds: ["python"],
  extensions: ["py"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: { files: { python: "tree-sitter-python/tree-sitter-python.wasm" } },
  lexis: {
    lineComments: ["#"],
    blockComment: undefined,
    strings: [TRIPLE_QUOTED, ["'''", "'''", true], DOUBLE_QUOTED, SINGLE_QUOTED],
    interpolated: [],
    heredocs: false,
    regexLiterals: false,
    preprocessor: false,
    blockWords: undefined,
  },
  nodes: {
    comments: "comment line_continuation",
    strings: "string concatenated_string",
    functions: "function_definition",
    functionValues: "lambda",
    types: "class_definition",
    holders: "module",
    bodiesUnder: [["block", "class_definition"]],
    wrappers: "decorated_definition expression_statement",
    bodies: "block",
    calls: "call",
    callPath: "argument_list block",
    imports: "future_import_statement import_from_statement import_statement",
  },
  guess: {
    signs: [
      [/^[ \t]*(?:async\s+)?def\s+\w+\s*\(.*\)?\s*(?:->.*)?:\s*(?:#.*)?$/m, 4],
      [/^[ \t]*class\s+\w+\s*(?:\(.*\))?:/m, 3],
      [/^[ \t]*from\s+[\w.]+\s+import\s/m, 4],
      [/^[ \t]*import\s+\w+(?:\.\w+)*(?:\s+as\s+\w+)?\s*$/m, 2],
      [/^[ \t]*(?:if|elif|for|while|with|try|except|else)\b[^{;]*:\s*(?:#.*)?$/m, 2],
      [/\bself\.|\b__\w+__\b|\bNone\b|\bnot in\b|\bis not\b/, 2],
      [/\bprint\(|\blen\(|\brange\(|\bTrue\b|\bFalse\b|\blambda\s*\w*:/, 1],
      [/^[ \t]*(?:"""|''')/m, 2],
    ],
  },
  lines: {
    starts: [LONE_JUMP],
    opensBlock: /[:([{]$/,
    startsNoItem: /^\s*['"]/,
  },
  programs: {
    quirks: [layoutFault, repeatedPythonParameter],
    optionalSemicolons: true,
    indented: true,
    eitherQuote: "always",
    docstrings: true,
    entry: /^if\s+__name__\s*==/m,
    readsInput: /\binput\(|\bsys\.(?:stdin|argv)\b|\bargparse\b/,
    enclosing: [["class Enclosing:\n", ""]],
  },
}));
