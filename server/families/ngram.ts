/**
 * The linear part of the embedded model's reward: weights of hashed token n-grams of the program, and of what it
 * has in common with its problem.
 *
 * The features are those of training/ngrams.py, number by number: ASCII classes only, 32-bit integers only, so that
 * Python and JavaScript cannot differ. docs/families.md defines them. A change is a new NGRAM_VERSION.
 */
import type { NgramModel } from "../models/gguf-keys.ts";

/** Line starts, words, numbers, single punctuation, runs of anything else; other blanks part tokens and are none. */
const TOKEN = /\n[ \t]*|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[!-/:-@[-^`{-~]|[^\x00-\x7f]+/g;
/** Numbers of neighbouring tokens that are counted together: as they are spelled, and with names taken out. */
const SPELLED_ORDERS = [1, 2, 3, 4] as const;
const NAMELESS_ORDERS = [2, 3, 4] as const;
/** An n-gram counts at most this often: a program is not better for repeating itself. */
const MOST = 2;
/** Tokens, and words, that are read of a text; a longer one is judged by its beginning. */
const MAX_TOKENS = 16_384;
/** More levels than this that a line closes are as good as this many. */
const MAX_CLOSED = 3;
const TAB_COLUMNS = 4;
/** Names whose order of use is told apart; older ones are one class. */
const RECENT = 5;
/** Words that are no names: they mean the same in every program. */
const KEPT: ReadonlySet<string> = new Set(
  (
    "False None True abs all and any append as assert async await bool break case catch class const " +
    "continue def default del dict do elif else enum enumerate except export extends false finally float " +
    "fn for from func function global go if impl import in int interface is lambda len let list loop map " +
    "match max min mod mut new nil nonlocal not null or package pass print private protected pub public " +
    "raise range return self set sorted static str struct sum super switch this throw throws trait true " +
    "try tuple type undefined use var void where while with yield zip"
  ).split(" "),
);
const WORD = /^[A-Za-z_]/;
/** Words of a text and of the parts of names. */
const WORD_PART = /[A-Z]?[a-z]+|[A-Z]+/g;
/** Words of so many letters lose these endings: "returns" and "return" are one. */
const LONG = 5;
const ENDING = /(?:ing|ed|es|s)$/;
/** More words in common, or said unasked, than this are as good as this many. */
const MAX_SHARED = 24;
const BLANKS = /[ \t\r\n]+/g;
const FIRST_LINE = /^[ \t\r\n]*([^\n]*)/;
/** The last token of every program. */
const END = "<end>";

/**
 * Value of the linear model for the program that a rendered conversation ends with, coefficient included; 0 without
 * a program.
 * @param fragments texts between the control tokens of ChatML; the last that an assistant says is the program, what a
 *   user said last before it the problem
 */
export function ngramTerm(model: NgramModel, fragments: readonly string[]): number {
  const turn = fragments.findLastIndex((fragment) => fragment.startsWith(ASSISTANT));
  const program = fragments[turn]?.slice(ASSISTANT.length);
  if (program === undefined) return 0;
  const problem = fragments.slice(0, turn).findLast((fragment) => fragment.startsWith(USER));
  return model.coefficient * ngramValue(model, program, problem?.slice(USER.length));
}

const ASSISTANT = "assistant\n";
const USER = "user\n";

/** Σ weight × count over the n-grams of a program and what it shares with its problem. */
export function ngramValue({ weights, scale }: NgramModel, program: string, problem = ""): number {
  const counts = new Map<number, number>();
  const shift = 32 - Math.log2(weights.length);
  const spelled = programTokens(program);
  const count = (tokens: readonly string[], orders: readonly number[], stream: number): void => {
    const ids = tokens.map(tokenHash);
    for (const order of orders) {
      for (let start = 0; start + order <= ids.length; start++) {
        const bucket = gramHash(ids, start, order, stream) >>> shift;
        counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
      }
    }
  };
  count(spelled, SPELLED_ORDERS, 0);
  count(nameless(spelled), NAMELESS_ORDERS, 1);
  count(answers(problem, program), [1], 2);
  let sum = 0;
  for (const [bucket, count] of counts) sum += (weights[bucket] ?? 0) * Math.min(count, MOST);
  return sum * scale;
}

/** The lower-cased words of a text and of its names' parts, without common endings. */
function words(text: string): Set<string> {
  return new Set(
    Array.from(firstMatches(text, WORD_PART), ([part]) => part.toLowerCase())
      .filter((word) => word.length > 1)
      .map((word) => (word.length >= LONG ? word.replace(ENDING, "") : word)),
  );
}

/**
 * Words that problem and program share, their first three letters, how many those are, and how far the header is the
 * asked one.
 */
function answers(problem: string, program: string): string[] {
  if (problem === "") return [];
  const asked = words(problem);
  const said = words(program);
  const first = FIRST_LINE.exec(program)?.[1] ?? "";
  const header = withoutEnd(first.replace(BLANKS, ""), ":{");
  const whole = [...asked].filter((word) => said.has(word));
  const saidStarts = starts(said);
  const begun = [...starts(asked)].filter((start) => saidStarts.has(start));
  const unasked = (all: ReadonlySet<string>): number => [...all].filter((word) => !asked.has(word)).length;
  return [
    ...whole,
    ...begun,
    ...marks("#", whole.length),
    ...marks("*", begun.length),
    ...marks("~", unasked(said)),
    ...marks("-", unasked(words(first))),
    ...(header.includes("(") && problem.replace(BLANKS, "").includes(header) ? ["="] : []),
  ];
}

/** Without the given characters at its end; a pattern for this would try every long run of them from each of its places. */
function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

function starts(all: ReadonlySet<string>): Set<string> {
  return new Set([...all].filter((word) => word.length > 2).map((word) => `${word.slice(0, 3)}*`));
}

/** One entry for each step up to the count: what more of something is worth may change on the way. */
function marks(mark: string, count: number): string[] {
  return Array.from({ length: Math.min(count, MAX_SHARED) }, (_, index) => `${mark}${index + 1}`);
}

/** Tokens of a program; a line start says how the indentation changed, not what it is, and blank lines say nothing. */
function programTokens(program: string): string[] {
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

/** The tokens with each name replaced by how recently it was used: @0 the last one, @5 long ago, @new never. */
function nameless(spelled: readonly string[]): string[] {
  let recent: string[] = [];
  const seen = new Set<string>();
  return spelled.map((token) => {
    if (!WORD.test(token) || KEPT.has(token)) return token;
    const place = recent.indexOf(token);
    const name = place !== -1 ? `@${place}` : seen.has(token) ? `@${RECENT}` : "@new";
    seen.add(token);
    recent = [token, ...recent.filter((other) => other !== token)].slice(0, RECENT);
    return name;
  });
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
