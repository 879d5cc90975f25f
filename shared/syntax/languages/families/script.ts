/** What JavaScript, TypeScript and TSX have in common. */
import { constantWithoutValue } from "../../programs/quirks/constants.ts";
import { repeatedScriptParameter } from "../../programs/quirks/parameters.ts";
import { crossedTags, nameless } from "../../programs/quirks/script.ts";
import type { LanguageSyntax } from "../language.ts";
import { BACKTICKED, BRACE_WORD, BRACES_OPEN, DOLLAR_NAME, DOUBLE_QUOTED, SINGLE_QUOTED } from "./common.ts";

export const SCRIPT: Pick<LanguageSyntax, "lexis" | "lines" | "programs"> = {
  lexis: {
    lineComments: ["//"],
    blockComment: ["/*", "*/"],
    strings: [BACKTICKED, DOUBLE_QUOTED, SINGLE_QUOTED],
    interpolated: ["`"],
    heredocs: false,
    regexLiterals: true,
    preprocessor: false,
    blockWords: undefined,
  },
  lines: {
    starts: [
      /^(?:export\s+)?type\s+\w+(?:<.*>)?\s*=/,
      /^export\s+(?:\{|\*|default\b)/,
      /^(?:export\s+)?declare\s+(?:const|let|var|function|class|module|namespace|global|type|interface|enum)\b/,
      /^<\/?[A-Za-z][\w.]*(?:\s[^.]*)?\/?>/,
      DOLLAR_NAME,
      BRACE_WORD,
    ],
    dollars: true,
    opensBlock: BRACES_OPEN,
  },
  programs: {
    quirks: [nameless, crossedTags, repeatedScriptParameter, constantWithoutValue],
    optionalSemicolons: true,
    indented: false,
    eitherQuote: "always",
    readsInput: /\bprocess\.(?:stdin|argv)|\breadline\b|\bfs\.readFileSync\(/,
    enclosing: [
      ["class Enclosing {\n", "\n}\n"],
      ["function enclosing() {\n", "\n}\n"],
    ],
  },
};
