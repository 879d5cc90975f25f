/** Ruby: blocks between words. */
import { strayCloser } from "../programs/quirks/stray-closer.ts";
import { DOLLAR_NAME, LONE_JUMP, LONG_DOUBLE_QUOTED, LONG_SINGLE_QUOTED } from "./families/common.ts";
import { type LanguageIdentity, syntaxOf } from "./language.ts";

export const identity: LanguageIdentity = {
  name: "Ruby",
  aliases: [],
  editorIds: ["ruby"],
  extensions: ["rb"],
};

export const syntax = /* @__PURE__ */ syntaxOf(() => ({
  grammar: { files: { ruby: "tree-sitter-ruby/tree-sitter-ruby.wasm" } },
  lexis: {
    lineComments: ["#"],
    blockComment: ["=begin", "=end"],
    strings: [LONG_DOUBLE_QUOTED, LONG_SINGLE_QUOTED],
    interpolated: ['"'],
    heredocs: true,
    regexLiterals: false,
    preprocessor: false,
    blockWords: {
      open: new Map(["def", "class", "module", "begin", "case", "do", "for"].map((word) => [word, "end"])),
      openStatement: new Map(["if", "unless", "while", "until"].map((word) => [word, "end"])),
      loops: new Set(["while", "until", "for"]),
      close: new Set(["end"]),
      stray: { node: "identifier", words: /^end$/ },
    },
  },
  nodes: {
    comments: "comment",
    strings: "string heredoc_body character regex bare_string subshell",
    functions: "method singleton_method",
    functionValues: "do_block lambda",
    types: "class singleton_class",
    holders: "module",
    bodiesUnder: [["body_statement", "class module singleton_class"]],
    bodies: "block body_statement",
    calls: "call",
    callPath: "argument_list do_block body_statement block",
    imports: "",
  },
  guess: {
    signs: [
      [/^[ \t]*def\s+(?:self\.)?\w+[?!=]?\s*(?:\([^:]*\))?\s*$/m, 4],
      [/^[ \t]*end\s*$/m, 3],
      [/\bdo\s*\|.*\||\{\s*\|.*\|/, 3],
      [/^[ \t]*(?:puts|require|require_relative|attr_accessor|attr_reader|include|module)\s+["':A-Z\w]/m, 2],
      [/\.(?:each|map|select|inject|reduce|each_with_index|times|nil\?|empty\?|to_s|to_i|include\?)\b/, 1],
      [/\belsif\b|\bunless\b|@\w+\s*=|\bnil\b|^[ \t]*class\s+[A-Z]\w*(?:\s*<\s*[A-Z]\w*)?\s*$/m, 2],
    ],
    acceptsProse: true,
  },
  lines: {
    starts: [
      /^(?:attr_(?:reader|writer|accessor)\s+:|require(?:_relative)?\s+["']|module\s+[A-Z]\w*$|puts\s+\S|p\s+\S+$|include\s+[A-Z]\w*$|extend\s+[A-Z])/,
      /^(?:end|begin|ensure|else|rescue\b.*)$|^end(?:\.\w+.*|\)|,|;|\s(?:if|unless)\s.*)$/,
      /\bdo(?:\s*\|[^|]*\|)?$/,
      /^(?:if|unless|while|until|elsif|case|when)\s+\S/,
      /^(?:return|raise|next|break|puts|yield)\b.*\b(?:if|unless)\s/,
      LONE_JUMP,
      DOLLAR_NAME,
    ],
    loneWords: /^(?:end|begin|ensure|then|retry|redo|rescue|private|protected|public|loop do)$/,
    dollars: true,
    opensBlock:
      /(?:[([{]|\bdo|\bthen|\|)$|^\s*(?:def|class|module|if|unless|while|until|case|begin|else|elsif|when|rescue|ensure)\b(?!.*\bend$)/,
  },
  programs: {
    quirks: [
      (program) => strayCloser(program, "identifier", /^(?:end|else|elsif|when|then|do|rescue|ensure)$/),
    ],
    optionalSemicolons: true,
    indented: false,
    eitherQuote: "plain",
    readsInput: /\bgets\b|\bSTDIN\b/,
    enclosing: [["class Enclosing\n", "\nend\n"]],
  },
}));
