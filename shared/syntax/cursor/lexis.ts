/** How the characters of each language make strings, comments and brackets. */
import type { Language } from "../languages/languages.ts";

/** A string: what opens it, what closes it, and whether it may span lines. */
type StringSyntax = readonly [open: string, close: string, multiline: boolean];

/** What a scanner of characters has to know of a language. */
export interface Lexis {
  readonly lineComments: readonly string[];
  readonly blockComment: readonly [open: string, close: string] | undefined;
  /** Longest opener first. */
  readonly strings: readonly StringSyntax[];
  /** Ends of strings that hold code in brackets. */
  readonly interpolated: readonly string[];
  /** Strings that go on up to a line with their own word. */
  readonly heredocs: boolean;
  /** Literals between slashes. */
  readonly regexLiterals: boolean;
  /** Blocks between words; undefined where brackets or indentation make them. */
  readonly blockWords: BlockWords | undefined;
}

export interface BlockWords {
  /** Words that open a block wherever they are, with the word that closes it. */
  readonly open: ReadonlyMap<string, string>;
  /** Words that open one only where a statement or a value starts: elsewhere they modify it. */
  readonly openStatement: ReadonlyMap<string, string>;
  /** Words of loops whose `do` opens no block of its own. */
  readonly loops: ReadonlySet<string>;
  readonly close: ReadonlySet<string>;
}

const DOUBLE: StringSyntax = ['"', '"', false];
const SINGLE: StringSyntax = ["'", "'", false];
const LONG_DOUBLE: StringSyntax = ['"', '"', true];
const LONG_SINGLE: StringSyntax = ["'", "'", true];
const TRIPLE: StringSyntax = ['"""', '"""', true];
const BACKTICK: StringSyntax = ["`", "`", true];

const C_LIKE: Lexis = {
  lineComments: ["//"],
  blockComment: ["/*", "*/"],
  strings: [DOUBLE, SINGLE],
  interpolated: [],
  heredocs: false,
  regexLiterals: false,
  blockWords: undefined,
};
const ECMASCRIPT: Lexis = {
  ...C_LIKE,
  strings: [BACKTICK, DOUBLE, SINGLE],
  interpolated: ["`"],
  regexLiterals: true,
};

const SHELL_WORDS: BlockWords = {
  open: new Map([["do", "done"]]),
  openStatement: new Map([
    ["if", "fi"],
    ["case", "esac"],
  ]),
  loops: new Set(),
  close: new Set(["fi", "esac", "done"]),
};
const RUBY_WORDS: BlockWords = {
  open: new Map(["def", "class", "module", "begin", "case", "do", "for"].map((word) => [word, "end"])),
  openStatement: new Map(["if", "unless", "while", "until"].map((word) => [word, "end"])),
  loops: new Set(["while", "until", "for"]),
  close: new Set(["end"]),
};

export const LEXIS: Readonly<Record<Language, Lexis>> = {
  python: {
    ...C_LIKE,
    lineComments: ["#"],
    blockComment: undefined,
    strings: [TRIPLE, ["'''", "'''", true], DOUBLE, SINGLE],
  },
  javascript: ECMASCRIPT,
  typescript: ECMASCRIPT,
  tsx: ECMASCRIPT,
  java: { ...C_LIKE, strings: [TRIPLE, DOUBLE, SINGLE] },
  c: C_LIKE,
  cpp: { ...C_LIKE, strings: [['R"(', ')"', true], DOUBLE, SINGLE] },
  csharp: { ...C_LIKE, strings: [TRIPLE, ['@"', '"', true], DOUBLE, SINGLE] },
  go: { ...C_LIKE, strings: [BACKTICK, DOUBLE, SINGLE] },
  rust: { ...C_LIKE, strings: [['r#"', '"#', true], LONG_DOUBLE] },
  ruby: {
    ...C_LIKE,
    lineComments: ["#"],
    blockComment: ["=begin", "=end"],
    strings: [LONG_DOUBLE, LONG_SINGLE],
    interpolated: ['"'],
    heredocs: true,
    blockWords: RUBY_WORDS,
  },
  php: { ...C_LIKE, lineComments: ["//", "#"], strings: [LONG_DOUBLE, LONG_SINGLE], heredocs: true },
  bash: {
    ...C_LIKE,
    lineComments: ["#"],
    blockComment: undefined,
    strings: [LONG_DOUBLE, LONG_SINGLE],
    interpolated: ['"'],
    heredocs: true,
    blockWords: SHELL_WORDS,
  },
  kotlin: { ...C_LIKE, strings: [TRIPLE, DOUBLE, SINGLE], interpolated: ['"', '"""'] },
};
