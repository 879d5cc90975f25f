/**
 * What is open at the end of a text: a small scanner over brackets, block words, strings and comments. It only
 * proposes where to cut and what to close; a parse decides whether a proposal is right, so that it may be
 * approximate (regular expressions, heredocs and JSX text are guessed by their first character).
 */
import { withoutEnd } from "../../text-end.ts";
import type { BlockWords, Lexis } from "../languages/language.ts";
import { type Language, SYNTAX } from "../languages/languages.ts";
import type { BracketScan, Literal, LooseCloser, OpenBracket, Separator } from "./bracket-scan.ts";

const BRACKETS: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
const CLOSERS = new Set([")", "]", "}"]);
const END_OF_LINE = "\n";
const END_OF_COMMENT = "*/";

const HEREDOC = /<<<?[-~]?["']?([A-Za-z_]\w*)["']?/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*[?!]?/y;
/** A character literal, where an apostrophe alone opens no string: a lifetime is none. */
const CHARACTER = /'(?:\\[^']*'|[^\\'\n]')/y;
/** What may precede a regular expression, but not a division. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};\n]|\breturn)\s*$/;
const REGEX = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//y;
const INTERPOLATION = /(?:\$\{|\$\(|#\{)/y;
/** Behind these words a statement starts. */
const LEADING_WORDS = new Set(["then", "else", "do", "begin", "elif"]);

/**
 * Scans `text`; `inside` is the end delimiter of the string or comment in which it starts.
 * Linear in the length of the text.
 */
export function scanBrackets(text: string, language: Language, inside?: string): BracketScan {
  return new BracketScanner(text, language, inside).scan();
}

class BracketScanner {
  readonly #text: string;
  readonly #language: Language;
  readonly #lexis: Lexis;
  readonly #open: OpenBracket[] = [];
  readonly #loose: LooseCloser[] = [];
  readonly #separators: Separator[] = [];
  readonly #literalLines = new Set<number>();
  readonly #continuationLines = new Set<number>();
  #index = 0;
  #line = 0;
  #literal: Literal | undefined;
  #literalStart = 0;
  /** The literal is documentation (a string that is a statement): its lines move with the code. */
  #documentation = false;
  /** Nothing but white space so far in this statement. */
  #statementStart = true;
  /** The statement began with the word of a loop, whose `do` is no block of its own. */
  #loopLine = false;
  /** Words that end the heredocs whose text starts with the next line. */
  #heredocs: string[] = [];

  constructor(text: string, language: Language, inside: string | undefined) {
    this.#text = text;
    this.#language = language;
    this.#lexis = SYNTAX[language].lexis;
    this.#literal = inside === undefined ? undefined : { end: inside, multiline: true };
  }

  scan(): BracketScan {
    while (this.#index < this.#text.length) {
      if (this.#text.charAt(this.#index) === "\n") this.#countLine();
      if (this.#literal !== undefined) this.#inLiteral(this.#literal);
      else this.#inCode(this.#text.charAt(this.#index));
    }
    const end = this.#literal?.end;
    return {
      open: this.#open,
      loose: this.#loose,
      separators: this.#separators,
      inside: end === END_OF_LINE && this.#text.endsWith("\n") ? undefined : end,
      literalLines: this.#literalLines,
      continuationLines: this.#continuationLines,
      insideStart: this.#literalStart,
    };
  }

  #countLine(): void {
    this.#line += 1;
    const literal = this.#literal;
    const data = literal?.multiline && literal.end !== END_OF_LINE && literal.end !== END_OF_COMMENT;
    if (data && !this.#documentation) this.#literalLines.add(this.#line);
    const bracket = this.#open.at(-1)?.close;
    if (bracket === ")" || bracket === "]" || (bracket === "}" && this.#language === "python"))
      this.#continuationLines.add(this.#line);
  }

  /** One step in a string or comment. */
  #inLiteral(literal: Literal): void {
    const character = this.#text.charAt(this.#index);
    const comment = literal.end === END_OF_LINE || literal.end === END_OF_COMMENT;
    if (character === "\\" && !comment && this.#text.charAt(this.#index + 1) !== "\n") this.#index += 2;
    else if (this.#text.startsWith(literal.end, this.#index)) {
      if (literal.end === END_OF_LINE) {
        this.#separate("\n");
        this.#statementStart = true;
      }
      this.#index += literal.end.length;
      this.#literal = undefined;
    } else if (character === "\n" && !literal.multiline) this.#literal = undefined;
    else if (this.#lexis.interpolated.includes(literal.end) && this.#match(INTERPOLATION) !== undefined) {
      const close = BRACKETS[this.#text.charAt(this.#index + 1)] ?? "}";
      this.#open.push({ close, index: this.#index, resumes: literal });
      this.#literal = undefined;
      this.#index += 2;
    } else this.#index += 1;
  }

  /** One step in code: what starts with this character. */
  #inCode(character: string): void {
    if (character === "\n" || character === ";") this.#endStatement(character);
    else if (character === " " || character === "\t" || character === "\r") this.#index += 1;
    else if (
      !this.#comment() &&
      !this.#character(character) &&
      !this.#heredoc(character) &&
      !this.#string(character) &&
      !this.#regex(character) &&
      !this.#bracket(character) &&
      !this.#word()
    ) {
      if (character === ",") this.#separate(",");
      this.#statementStart = character === "|" || character === "&";
      this.#index += 1;
    }
  }

  #separate(text: Separator["text"]): void {
    this.#separators.push({ text, index: this.#index, depth: this.#open.length });
  }

  #endStatement(character: "\n" | ";"): void {
    this.#separate(character);
    this.#statementStart = true;
    this.#index += 1;
    if (character !== "\n") return;
    this.#loopLine = false;
    for (const end of this.#heredocs) this.#skipHeredoc(end);
    this.#heredocs = [];
  }

  #skipHeredoc(end: string): void {
    for (let inside = true; inside && this.#index < this.#text.length; this.#line++) {
      const next = this.#text.indexOf("\n", this.#index);
      const stop = next < 0 ? this.#text.length : next + 1;
      this.#literalLines.add(this.#line);
      const line = this.#text.slice(this.#index, stop).trim();
      inside = withoutEnd(line, ";,)") !== end;
      this.#index = stop;
    }
  }

  #comment(): boolean {
    const { blockComment } = this.#lexis;
    if (this.#startsLineComment()) this.#enter({ end: END_OF_LINE, multiline: true }, 0);
    else if (blockComment !== undefined && this.#text.startsWith(blockComment[0], this.#index))
      this.#enter({ end: blockComment[1], multiline: true }, blockComment[0].length);
    else return false;
    return true;
  }

  #startsLineComment(): boolean {
    if (!this.#lexis.lineComments.some((one) => this.#text.startsWith(one, this.#index))) return false;
    // `$#`, `${#x}` and `#[attribute]` are no comments.
    if (this.#language === "bash")
      return this.#index === 0 || /\s|;/.test(this.#text.charAt(this.#index - 1));
    return !(this.#language === "php" && this.#text.startsWith("#[", this.#index));
  }

  #character(character: string): boolean {
    if (character !== "'" || this.#lexis.strings.some(([open]) => open === "'")) return false;
    this.#index += this.#match(CHARACTER)?.length ?? 1;
    this.#statementStart = false;
    return true;
  }

  #heredoc(character: string): boolean {
    if (character !== "<" || !this.#text.startsWith("<<", this.#index)) return false;
    HEREDOC.lastIndex = this.#index;
    const start = this.#lexis.heredocs ? HEREDOC.exec(this.#text) : null;
    if (start?.[1] !== undefined) this.#heredocs.push(start[1]);
    this.#index += start?.[0].length ?? 2;
    return true;
  }

  #string(character: string): boolean {
    const string = this.#lexis.strings.find(([open]) => this.#text.startsWith(open, this.#index));
    if (string === undefined) return false;
    // The apostrophe that groups the digits of a number.
    if (character === "'" && /[0-9]/.test(this.#text.charAt(this.#index - 1))) return false;
    const [open, end, multiline] = string;
    this.#documentation = this.#statementStart && this.#language === "python";
    this.#enter({ end, multiline }, open.length);
    this.#statementStart = false;
    return true;
  }

  #enter(literal: Literal, length: number): void {
    this.#literal = literal;
    this.#literalStart = this.#index;
    this.#index += length;
  }

  #regex(character: string): boolean {
    if (!this.#lexis.regexLiterals || character !== "/") return false;
    if (!BEFORE_REGEX.test(this.#text.slice(Math.max(0, this.#index - 20), this.#index))) return false;
    this.#index += this.#match(REGEX)?.length ?? 1;
    return true;
  }

  #bracket(character: string): boolean {
    const close = BRACKETS[character];
    if (close !== undefined) {
      this.#open.push({ close, index: this.#index });
      this.#statementStart = character !== "[";
    } else if (CLOSERS.has(character)) {
      this.#closeBracket(character);
      this.#statementStart = false;
    } else return false;
    this.#index += 1;
    return true;
  }

  #closeBracket(character: string): void {
    const last = this.#open.at(-1);
    if (last?.close === character && last.resumes !== undefined) {
      this.#open.pop();
      this.#literal = last.resumes;
      return;
    }
    // The pattern of a `case` ends in a parenthesis that nothing opens.
    const pattern = character === ")" && this.#lexis.blockWords?.close.has("esac") === true;
    if (!pattern || last?.close === character) this.#close(character);
  }

  #close(text: string): void {
    const last = this.#open.at(-1);
    if (last?.close === text) {
      this.#open.pop();
      return;
    }
    // A slip inside: forgive what was left open, unless nothing matches at all.
    const match = this.#open.findLastIndex((one) => one.close === text);
    if (match >= 0) this.#open.length = match;
    else this.#loose.push({ text, index: this.#index });
  }

  #word(): boolean {
    const words = this.#lexis.blockWords;
    const word = words === undefined ? undefined : this.#match(WORD);
    if (words === undefined || word === undefined) return false;
    const named =
      /[.:$@]/.test(this.#text.charAt(this.#index - 1)) ||
      this.#text.charAt(this.#index + word.length) === ":";
    if (!named) this.#blockWord(word, words);
    this.#statementStart = LEADING_WORDS.has(word);
    this.#index += word.length;
    return true;
  }

  #blockWord(word: string, words: BlockWords): void {
    if (words.close.has(word)) {
      this.#close(word);
      return;
    }
    const close = this.#opens(word, words);
    if (close !== undefined) this.#open.push({ close, index: this.#index });
    if (words.loops.has(word) || words.openStatement.has(word))
      this.#loopLine = this.#statementStart && words.loops.has(word);
  }

  /** What closes the block that a word opens here. */
  #opens(word: string, words: BlockWords): string | undefined {
    if (words.open.has(word)) return word === "do" && this.#loopLine ? undefined : words.open.get(word);
    const value = /[=(]\s*$/.test(this.#text.slice(Math.max(0, this.#index - 4), this.#index));
    return this.#statementStart || value ? words.openStatement.get(word) : undefined;
  }

  /** What a sticky pattern matches at the present place. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#index;
    return pattern.exec(this.#text)?.[0];
  }
}
