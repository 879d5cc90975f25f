// What stands open at the end of a text: a small scanner over brackets, block words, strings and comments.
// It only proposes where to cut and what to close; a parse decides whether a proposal is right, so that it
// may be approximate (regular expressions, heredocs and JSX text are guessed by their first character).
import type { Language } from "../languages/languages.ts";

/** An opening bracket or word without its counterpart. */
export interface OpenBracket {
  /** What would close it: `)`, `}`, `end`, `fi` … */
  readonly close: string;
  readonly index: number;
  /** The string that goes on behind the closer of an interpolation. */
  readonly resumes?: { readonly end: string; readonly multiline: boolean };
}

/** A closing bracket or word whose counterpart does not stand in the text. */
export interface LooseCloser {
  readonly text: string;
  readonly index: number;
}

export interface BracketScan {
  /** Outermost first. */
  readonly open: readonly OpenBracket[];
  /** In the order of the text. */
  readonly loose: readonly LooseCloser[];
  /** End delimiter of the string or comment in which the text stops; undefined in code. */
  readonly inside: string | undefined;
  /** Lines (from 0) that start inside a string or heredoc, so that their white space is data. */
  readonly literalLines: ReadonlySet<number>;
  /** Lines (from 0) that start inside parentheses or square brackets: they continue a statement. */
  readonly continuationLines: ReadonlySet<number>;
  /** Where the string or comment starts in which the text stops. */
  readonly insideStart: number;
}

interface Lexis {
  readonly lineComments: readonly string[];
  readonly blockComment: readonly [string, string] | undefined;
  /** Longest first. A `true` says that it may span lines. */
  readonly strings: readonly (readonly [string, string, boolean])[];
}

const C_COMMENTS = { lineComments: ["//"], blockComment: ["/*", "*/"] } as const;
const PLAIN = [
  ['"', '"', false],
  ["'", "'", false],
] as const;
const TRIPLE = ['"""', '"""', true] as const;
const BACKTICK = ["`", "`", true] as const;
const MULTILINE = [
  ['"', '"', true],
  ["'", "'", true],
] as const;

const ECMASCRIPT: Lexis = { ...C_COMMENTS, strings: [BACKTICK, ...PLAIN] };
const LEXIS: Readonly<Record<Language, Lexis>> = {
  python: { lineComments: ["#"], blockComment: undefined, strings: [TRIPLE, ["'''", "'''", true], ...PLAIN] },
  javascript: ECMASCRIPT,
  typescript: ECMASCRIPT,
  tsx: ECMASCRIPT,
  java: { ...C_COMMENTS, strings: [TRIPLE, ...PLAIN] },
  c: { ...C_COMMENTS, strings: PLAIN },
  cpp: { ...C_COMMENTS, strings: [['R"(', ')"', true], ...PLAIN] },
  csharp: { ...C_COMMENTS, strings: [TRIPLE, ['@"', '"', true], ...PLAIN] },
  go: { ...C_COMMENTS, strings: [BACKTICK, ...PLAIN] },
  rust: {
    ...C_COMMENTS,
    strings: [
      ['r#"', '"#', true],
      ['"', '"', true],
    ],
  },
  ruby: { lineComments: ["#"], blockComment: ["=begin", "=end"], strings: MULTILINE },
  php: { lineComments: ["//", "#"], blockComment: ["/*", "*/"], strings: MULTILINE },
  bash: { lineComments: ["#"], blockComment: undefined, strings: MULTILINE },
  kotlin: { ...C_COMMENTS, strings: [TRIPLE, ...PLAIN] },
};

const BRACKETS: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
const CLOSERS = new Set([")", "]", "}"]);

/** Words that open a block, with the word that ends it. */
const BASH_WORDS: Readonly<Record<string, string>> = { if: "fi", case: "esac", do: "done" };
const RUBY_OPENERS = new Set(["def", "class", "module", "begin", "case", "do", "for"]);
/** These open a block only where a statement starts; behind one they are modifiers. */
const RUBY_STARTERS = new Set(["if", "unless", "while", "until"]);
const WORD_CLOSERS: Readonly<Partial<Record<Language, ReadonlySet<string>>>> = {
  ruby: new Set(["end"]),
  bash: new Set(["fi", "esac", "done"]),
};

const HEREDOCS: ReadonlySet<Language> = new Set(["bash", "ruby", "php"]);
const HEREDOC = /<<<?[-~]?["']?([A-Za-z_]\w*)["']?/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*[?!]?/y;
/** A character literal of Rust, which a lifetime is not. */
const RUST_CHARACTER = /'(?:\\[^']*'|[^\\'\n]')/y;
/** What may stand before a regular expression of ECMAScript, but not before a division. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};\n]|\breturn)\s*$/;
const REGEX = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//y;

/**
 * Scans `text`; `inside` is the end delimiter of the string or comment in which it starts.
 * Linear in the length of the text.
 */
export function scanBrackets(text: string, language: Language, inside?: string): BracketScan {
  const lexis = LEXIS[language];
  const ecmascript = lexis === ECMASCRIPT;
  const words = WORD_CLOSERS[language];
  const open: OpenBracket[] = [];
  const loose: LooseCloser[] = [];
  let index = 0;
  let stringEnd: string | undefined = inside;
  let multiline = inside !== undefined;
  /** Nothing but white space so far in this statement. */
  let statementStart = true;
  /** The statement began with a loop word, whose `do` is no block of its own. */
  let loopLine = false;
  /** Strings that stand as statements are documentation: their lines move with the code. */
  let documentation = false;
  let line = 0;
  const literalLines = new Set<number>();
  const continuationLines = new Set<number>();
  let insideStart = 0;
  let heredocs: string[] = [];

  const close = (text: string, at: number) => {
    const last = open.at(-1);
    if (last?.close === text) open.pop();
    else if (last === undefined) loose.push({ text, index: at });
    else {
      // A slip inside: forgive what was left open, unless nothing matches at all.
      const match = open.findLastIndex((one) => one.close === text);
      if (match >= 0) open.length = match;
      else loose.push({ text, index: at });
    }
  };

  while (index < text.length) {
    const character = text.charAt(index);
    if (character === "\n") {
      line += 1;
      const literal = stringEnd !== undefined && stringEnd !== "\n" && stringEnd !== "*/" && !documentation;
      if (literal && multiline) literalLines.add(line);
      const bracket = open.at(-1)?.close;
      if (bracket === ")" || bracket === "]" || (bracket === "}" && language === "python"))
        continuationLines.add(line);
    }
    if (stringEnd !== undefined) {
      if (character === "\\" && text.charAt(index + 1) !== "\n" && !stringEnd.match(/^(?:\n|\*\/)$/))
        index += 2;
      else if (text.startsWith(stringEnd, index)) {
        index += stringEnd.length;
        if (stringEnd === "\n") statementStart = true;
        stringEnd = undefined;
      } else if (character === "\n" && !multiline) stringEnd = undefined;
      else if (interpolates(language, stringEnd) && INTERPOLATION.test(text.slice(index, index + 2))) {
        const bracket = BRACKETS[text.charAt(index + 1)] ?? "}";
        open.push({ close: bracket, index, resumes: { end: stringEnd, multiline } });
        stringEnd = undefined;
        index += 2;
      } else index += 1;
      continue;
    }
    if (character === "\n" || character === ";") {
      statementStart = true;
      if (character === "\n") loopLine = false;
      index += 1;
      for (const end of character === "\n" ? heredocs : []) {
        for (let inside = true; inside && index < text.length; line++) {
          const next = text.indexOf("\n", index);
          const stop = next < 0 ? text.length : next + 1;
          literalLines.add(line);
          inside =
            text
              .slice(index, stop)
              .trim()
              .replace(/[;,)]+$/, "") !== end;
          index = stop;
        }
      }
      if (character === "\n") heredocs = [];
      continue;
    }
    if (character === " " || character === "\t" || character === "\r") {
      index += 1;
      continue;
    }
    if (isLineComment(text, index, lexis, language)) {
      stringEnd = "\n";
      multiline = true;
      insideStart = index;
      continue;
    }
    if (lexis.blockComment !== undefined && text.startsWith(lexis.blockComment[0], index)) {
      stringEnd = lexis.blockComment[1];
      multiline = true;
      insideStart = index;
      index += lexis.blockComment[0].length;
      continue;
    }
    if (language === "rust" && character === "'") {
      RUST_CHARACTER.lastIndex = index;
      index += RUST_CHARACTER.exec(text)?.[0].length ?? 1;
      statementStart = false;
      continue;
    }
    if (character === "<" && text.startsWith("<<", index)) {
      HEREDOC.lastIndex = index;
      const start = HEREDOCS.has(language) ? HEREDOC.exec(text) : null;
      if (start?.[1] !== undefined) heredocs.push(start[1]);
      index += start?.[0].length ?? 2;
      continue;
    }
    const string = lexis.strings.find(([start]) => text.startsWith(start, index));
    if (string !== undefined && !(string[0] === "'" && /[0-9]/.test(text.charAt(index - 1)))) {
      [, stringEnd, multiline] = string;
      insideStart = index;
      documentation = statementStart && language === "python";
      index += string[0].length;
      statementStart = false;
      continue;
    }
    if (ecmascript && character === "/" && BEFORE_REGEX.test(text.slice(Math.max(0, index - 20), index))) {
      REGEX.lastIndex = index;
      index += REGEX.exec(text)?.[0].length ?? 1;
      continue;
    }
    const counterpart = BRACKETS[character];
    if (counterpart !== undefined) {
      open.push({ close: counterpart, index });
      statementStart = character !== "[";
      index += 1;
      continue;
    }
    if (CLOSERS.has(character)) {
      const last = open.at(-1);
      if (last?.close === character && last.resumes !== undefined) {
        open.pop();
        stringEnd = last.resumes.end;
        multiline = last.resumes.multiline;
      } else if (!(language === "bash" && character === ")" && open.at(-1)?.close !== ")")) {
        close(character, index);
      }
      statementStart = false;
      index += 1;
      continue;
    }
    WORD.lastIndex = index;
    const word = words === undefined ? undefined : WORD.exec(text)?.[0];
    if (words !== undefined && word !== undefined) {
      const named = /[.:$@]/.test(text.charAt(index - 1)) || text.charAt(index + word.length) === ":";
      if (!named) {
        if (words.has(word)) close(word, index);
        else if (language === "bash") {
          const end = BASH_WORDS[word];
          if (end !== undefined && (statementStart || word === "do")) open.push({ close: end, index });
        } else {
          const starter = RUBY_STARTERS.has(word);
          const opens = RUBY_OPENERS.has(word) && !(word === "do" && loopLine);
          const value = starter && /[=(]\s*$/.test(text.slice(Math.max(0, index - 4), index));
          if (opens || (starter && (statementStart || value))) open.push({ close: "end", index });
          if (starter || word === "for") loopLine = statementStart && word !== "if" && word !== "unless";
        }
      }
      statementStart = ["then", "else", "do", "begin", "elif"].includes(word);
      index += word.length;
      continue;
    }
    statementStart = character === "|" || character === "&";
    index += 1;
  }
  return {
    open,
    loose,
    inside: stringEnd === "\n" && text.endsWith("\n") ? undefined : stringEnd,
    literalLines,
    continuationLines,
    insideStart,
  };
}

const INTERPOLATION = /^(?:\$\{|\$\(|#\{)/;

/** Strings with this end hold code in brackets. */
function interpolates(language: Language, end: string): boolean {
  if (language === "bash" || language === "ruby") return end === '"';
  if (language === "kotlin") return end === '"' || end === '"""';
  return end === "`" && LEXIS[language] === ECMASCRIPT;
}

function isLineComment(text: string, index: number, lexis: Lexis, language: Language): boolean {
  const start = lexis.lineComments.find((one) => text.startsWith(one, index));
  if (start === undefined) return false;
  // `$#`, `${#x}` and `#[attribute]` are no comments.
  if (language === "bash") return index === 0 || /\s|;/.test(text.charAt(index - 1));
  return !(language === "php" && text.startsWith("#[", index));
}
