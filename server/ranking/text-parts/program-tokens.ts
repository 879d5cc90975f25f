/**
 * What the parts of a reward that read text have in common: where program and problem are, their tokens and words,
 * and how n neighbouring ones become a bucket.
 *
 * They are those of training/train/text_parts/ngrams.py, number by number: ASCII classes only, 32-bit integers only, so that Python and
 * JavaScript cannot differ. docs/rendering.md defines them. A change is a new version of every part that uses it.
 */

/** Line starts, words, numbers, single punctuation, runs of anything else; other blanks part tokens and are none. */
const TOKEN = /\n[ \t]*|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[!-/:-@[-^`{-~]|[^\x00-\x7f]+/g;
/** Tokens, and words, that are read of a text; a longer one is judged by its beginning. */
const MAX_TOKENS = 16_384;
/** More levels than this that a line closes are as good as this many. */
const MAX_CLOSED = 3;
const TAB_COLUMNS = 4;
/** Words of a text and of the parts of names. */
const WORD_PART = /[A-Z]?[a-z]+|[A-Z]+/g;
/** Words of so many letters lose these endings: "returns" and "return" are one. */
const LONG = 5;
const ENDING = /(?:ing|ed|es|s)$/;
const FIRST_LINE = /^[ \t\r\n]*([^\n]*)/;
/** The last token of every program. */
const END = "<end>";

export interface AskedProgram {
  readonly program: string;
  /** "" where nobody asked. */
  readonly problem: string;
}

const ASSISTANT = "assistant\n";
const USER = "user\n";

/**
 * The program that a rendered conversation ends with, and its problem; undefined without a program.
 * @param fragments texts between the control tokens of ChatML; the last that an assistant says is the program, what a
 *   user said last before it the problem
 */
export function askedProgram(fragments: readonly string[]): AskedProgram | undefined {
  const turn = fragments.findLastIndex((fragment) => fragment.startsWith(ASSISTANT));
  const program = fragments[turn]?.slice(ASSISTANT.length);
  if (program === undefined) return undefined;
  const problem = fragments.slice(0, turn).findLast((fragment) => fragment.startsWith(USER));
  return { program, problem: problem?.slice(USER.length) ?? "" };
}

/** The first line that is not blank. */
export function firstLine(text: string): string {
  return FIRST_LINE.exec(text)?.[1] ?? "";
}

/** What is below it. */
export function belowFirstLine(text: string): string {
  return text.slice(FIRST_LINE.exec(text)?.[0].length);
}

/** The lower-cased words of a text and of its names' parts, without common endings, in order. */
export function wordsInOrder(text: string): string[] {
  return Array.from(firstMatches(text, WORD_PART), ([part]) => part.toLowerCase())
    .filter((word) => word.length > 1)
    .map((word) => (word.length >= LONG ? word.replace(ENDING, "") : word));
}

/** Tokens of a program; a line start says how the indentation changed, not what it is, and blank lines say nothing. */
export function programTokens(program: string): string[] {
  const found = Array.from(firstMatches(`\n${program}`, TOKEN), ([token]) => token);
  const tokens: string[] = [];
  const levels = [0];
  found.forEach((token, index) => {
    if (!token.startsWith("\n")) tokens.push(token);
    else if (found[index + 1]?.startsWith("\n") === false) tokens.push(lineStart(token, levels));
  });
  return [...tokens, END];
}

function* firstMatches(text: string, pattern: RegExp): Generator<RegExpExecArray> {
  let left = MAX_TOKENS;
  for (const match of text.matchAll(pattern)) {
    if (left-- === 0) return;
    yield match;
  }
}

/** "\n" on the same level, "\n+" one deeper, "\n-" and how many levels it closes. */
function lineStart(token: string, levels: number[]): string {
  const columns = [...token.slice(1)].reduce((sum, blank) => sum + (blank === "\t" ? TAB_COLUMNS : 1), 0);
  if (columns > (levels.at(-1) ?? 0)) {
    levels.push(columns);
    return "\n+";
  }
  let closed = 0;
  while (levels.length > 1 && (levels.at(-1) ?? 0) > columns) {
    levels.pop();
    closed++;
  }
  return closed === 0 ? "\n" : `\n-${Math.min(closed, MAX_CLOSED)}`;
}

/**
 * Buckets of every n neighbouring tokens of a view.
 * @param orders the numbers n
 * @param stream number of the view, which keeps its buckets apart from those of others
 * @param bits there are 2^bits buckets
 */
export function* grams(
  view: readonly string[],
  orders: readonly number[],
  stream: number,
  bits: number,
): Generator<number> {
  const ids = view.map(tokenHash);
  for (const order of orders) {
    for (let start = 0; start + order <= ids.length; start++) {
      yield gramHash(ids, start, order, stream) >>> (32 - bits);
    }
  }
}

/** FNV-1a over ASCII codes; what is not ASCII counts as code 128 once a run. */
function tokenHash(token: string): number {
  let hash = 0x811c9dc5;
  if (token.charCodeAt(0) > 127) return Math.imul(hash ^ 128, 0x01000193) >>> 0;
  for (let index = 0; index < token.length; index++) {
    hash = Math.imul(hash ^ token.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** Mixes token hashes, in order, into 32 bits of which the upper ones choose the bucket. */
function gramHash(ids: readonly number[], start: number, order: number, stream: number): number {
  let hash = 16 * stream + order;
  for (let index = start; index < start + order; index++) {
    hash = Math.imul(hash ^ (ids[index] ?? 0), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash, 0x85ebca6b) >>> 0;
}
