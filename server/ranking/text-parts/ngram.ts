/**
 * The linear part of the embedded model's reward: weights of hashed token n-grams of the program, and of what it
 * has in common with its problem.
 *
 * The features are those of training/train/text_parts/ngrams.py, number by number: ASCII classes only, 32-bit integers only, so that
 * Python and JavaScript cannot differ. docs/rendering.md defines them. A change is a new NGRAM_VERSION.
 */
import type { NgramModel } from "../../models/gguf/keys.ts";
import { askedProgram, firstLine, grams, programTokens, wordsInOrder } from "./program-tokens.ts";

/** Numbers of neighbouring tokens that are counted together: as they are spelled, and with names taken out. */
const SPELLED_ORDERS = [1, 2, 3, 4] as const;
const NAMELESS_ORDERS = [2, 3, 4] as const;
/** An n-gram counts at most this often: a program is not better for repeating itself. */
const MOST = 2;
/** Names that are distinguished by their order of use; older ones are one class. */
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
/** More words in common, or said unasked, than this are as good as this many. */
const MAX_SHARED = 24;
const BLANKS = /[ \t\r\n]+/g;
/**
 * Value of the linear model for the program that a rendered conversation ends with, coefficient included; 0 without
 * a program.
 * @param fragments texts between the control tokens of ChatML, as `askedProgram` takes them
 */
export function ngramTerm(model: NgramModel, fragments: readonly string[]): number {
  const asked = askedProgram(fragments);
  return asked ? model.coefficient * ngramValue(model, asked.program, asked.problem) : 0;
}

/** Σ weight × count over the n-grams of a program and what it shares with its problem. */
export function ngramValue({ weights, scale }: NgramModel, program: string, problem = ""): number {
  const counts = new Map<number, number>();
  const bits = Math.log2(weights.length);
  const spelled = programTokens(program);
  const count = (view: readonly string[], orders: readonly number[], stream: number): void => {
    for (const bucket of grams(view, orders, stream, bits)) {
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    }
  };
  count(spelled, SPELLED_ORDERS, 0);
  count(nameless(spelled), NAMELESS_ORDERS, 1);
  count(answers(problem, program), [1], 2);
  let sum = 0;
  for (const [bucket, count] of counts) sum += (weights[bucket] ?? 0) * Math.min(count, MOST);
  return sum * scale;
}

function words(text: string): Set<string> {
  return new Set(wordsInOrder(text));
}

/**
 * Words that problem and program share, their first three letters, how many those are, and how far the header is the
 * asked one.
 */
function answers(problem: string, program: string): string[] {
  if (problem === "") return [];
  const asked = words(problem);
  const said = words(program);
  const first = firstLine(program);
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
