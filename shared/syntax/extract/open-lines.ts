/** What goes on over the end of a line of code: strings, comments, here-documents and brackets, in any language. */
import { type Language, SYNTAX } from "../languages/languages.ts";
import type { Line } from "../replies/lines.ts";

/** A line from which on something goes over several lines. */
export interface Open {
  /** What ends a string or comment that is open; undefined outside of one. */
  readonly until: string | undefined;
  /** Brackets that are open. */
  readonly depth: number;
}

export const NOTHING_OPEN: Open = { until: undefined, depth: 0 };

/** Whether a string, comment or here-document that goes over lines is open at the end of the code. */
export function endsInside(lines: readonly Line[], language: Language | undefined): boolean {
  const open = new OpenLines(language);
  for (const line of lines) open.read(line.text);
  return open.isInside;
}

/** What is open at the end of lines that are read one after the other, each once. */
export class OpenLines {
  readonly #known: LineStyle | undefined;
  /** By either style, as long as it is open which one it is. */
  #slashes = NOTHING_OPEN;
  #hashes = NOTHING_OPEN;
  #balance = 0;

  constructor(language: Language | undefined) {
    this.#known = language && styleOf([], language);
  }

  read(text: string): void {
    if (this.#known !== undefined) {
      this.#slashes = openAfter(text, this.#slashes, this.#known);
      return;
    }
    this.#slashes = openAfter(text, this.#slashes, SLASHES);
    this.#hashes = openAfter(text, this.#hashes, HASHES);
    this.#balance += braceBalance(text);
  }

  /** A string, comment or here-document that goes over lines is open. */
  get isInside(): boolean {
    const open = this.#known !== undefined || this.#balance > 0 ? this.#slashes : this.#hashes;
    return open.until !== undefined;
  }

  /** The same once a further line is read, which is not kept. */
  isInsideAfter(text: string): boolean {
    const kept = { slashes: this.#slashes, hashes: this.#hashes, balance: this.#balance };
    this.read(text);
    const inside = this.isInside;
    this.#slashes = kept.slashes;
    this.#hashes = kept.hashes;
    this.#balance = kept.balance;
    return inside;
  }
}

/** Here-documents end with a word on a line of its own. */
export function isWord(until: string): boolean {
  return /^\w/.test(until);
}

/** What is open after the line. Quotes that do not close on their line are none (apostrophes, lifetimes). */
export function openAfter(text: string, before: Open, style: LineStyle): Open {
  let { until, depth } = before;
  let index = 0;
  if (until !== undefined) {
    if (isWord(until)) return text.trim() === until ? { until: undefined, depth } : before;
    const at = text.indexOf(until);
    if (at < 0) return before;
    index = at + until.length;
    until = undefined;
  }
  for (;;) {
    MARKS.lastIndex = index;
    const unit = MARKS.exec(text)?.[0];
    if (unit === undefined) break;
    index = MARKS.lastIndex - 1;
    if (startsComment(text, index, style)) break;
    const literal = literalAt(text, index, style);
    if (typeof literal === "string") return { until: literal, depth };
    if (literal !== undefined) {
      index = literal;
      continue;
    }
    if (unit === "<") until = heredocAt(text, index) ?? until;
    else if ("([{".includes(unit)) depth += 1;
    else if (")]}".includes(unit) && depth > 0) depth -= 1;
    index += 1;
  }
  return { until, depth };
}

/** Characters that may start or end something. */
const MARKS = /["'`/#<([{)\]}]/g;

/** A comment starts here that ends with the line. */
function startsComment(text: string, index: number, { comment }: LineStyle): boolean {
  if (!text.startsWith(comment, index)) return false;
  return comment === "//" || index === 0 || /\s/.test(text.charAt(index - 1));
}

/** The index behind a string or comment that starts here, or what ends it on a later line; undefined: none starts. */
function literalAt(text: string, index: number, style: LineStyle): number | string | undefined {
  const unit = text.charAt(index);
  if (unit === '"' || unit === "'") {
    const triple = unit.repeat(3);
    if (text.startsWith(triple, index)) return behind(text, index + 3, triple) ?? triple;
    return stringEnd(text, index, unit) ?? (style.longQuotes ? unit : index + 1);
  }
  if (unit === "`") {
    const end = behind(text, index + 1, unit);
    // Languages with comments in slashes have strings over lines in backticks; elsewhere this one is stray.
    return end ?? (style.comment === "//" ? unit : text.length);
  }
  if (text.startsWith("/*", index)) return behind(text, index + 2, "*/") ?? "*/";
  return undefined;
}

/** The index behind the next place of a mark; undefined where there is none. */
function behind(text: string, from: number, mark: string): number | undefined {
  const at = text.indexOf(mark, from);
  return at < 0 ? undefined : at + mark.length;
}

/** The word that ends a here-document which starts on this line. */
function heredocAt(text: string, index: number): string | undefined {
  return /^<<[~-]?(["']?)([A-Z]\w*)\1/.exec(text.slice(index, index + 40))?.[2];
}

/** The index behind the string; undefined when it does not end on the line. */
function stringEnd(text: string, start: number, quote: string): number | undefined {
  for (let index = start + 1; index < text.length; index++) {
    const unit = text.charAt(index);
    if (unit === "\\") index += 1;
    else if (unit === quote) return index + 1;
  }
  return undefined;
}

/** What quotes and comments are like. */
export interface LineStyle {
  readonly comment: "//" | "#";
  /** Strings in plain quotes go over lines, as in a shell. */
  readonly longQuotes: boolean;
}

const SLASHES: LineStyle = { comment: "//", longQuotes: false };
const HASHES: LineStyle = { comment: "#", longQuotes: false };

export function styleOf(lines: readonly Line[], language: Language | undefined): LineStyle {
  if (language === undefined) return lineCommentOf(lines) === "//" ? SLASHES : HASHES;
  const { lexis, lines: looks } = SYNTAX[language];
  return { comment: lexis.lineComments[0] === "#" ? "#" : "//", longQuotes: looks.commands === true };
}

/** How comments start here, which decides what `//` and `#` mean: languages with braces or not. */
function lineCommentOf(lines: readonly Line[]): "//" | "#" {
  let balance = 0;
  for (const { text } of lines) balance += braceBalance(text);
  return balance > 0 ? "//" : "#";
}

/** 1 for a line as languages with braces have it, -1 for one as the others do. */
function braceBalance(text: string): number {
  const end = text.trimEnd().at(-1) ?? "";
  if (";{}".includes(end) && end !== "") return 1;
  return end === ":" || /^\s*(?:end|fi|done|esac)\b/.test(text) ? -1 : 0;
}
