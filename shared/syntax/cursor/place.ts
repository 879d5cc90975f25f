/** Where on its line, and in which brackets, a cursor is: what decides how far a completion there may reach. */
import { type Language, SYNTAX } from "../languages/languages.ts";
import type { SyntaxTree } from "../parsing/parser.ts";
import type { BracketScan, LooseCloser, OpenBracket } from "./bracket-scan.ts";
import { scanBrackets } from "./scan-brackets.ts";

/** A cursor's place. */
export interface CursorPlace {
  /** Code of the same statement follows on the cursor's line, so that a completion stays on it. */
  readonly oneLine: boolean;
  /** The innermost open bracket holds an expression: its closer ends whatever is written in it. */
  readonly inExpression: boolean;
  /** Closers that the document lacks around the cursor, so that a completion may have that many. */
  readonly room: number;
}

/** What of a document decides the place of its cursor. */
export interface AroundCursor {
  readonly language: Language;
  /** Text before the cursor, from the offset 0 of `open` and of the tree. */
  readonly before: string;
  readonly after: string;
  /** What is open before the cursor, and closers after it without an opener. */
  readonly open: BracketScan;
  readonly looseAfter: readonly LooseCloser[];
  /** Parses the document without a completion; the tree is the caller's to delete. */
  readonly parse: () => SyntaxTree | null;
}

export function placeOf(around: AroundCursor): CursorPlace {
  const { before, after, open: scan, looseAfter, language } = around;
  const { open } = scan;
  if (scan.inside !== undefined) return { oneLine: false, inExpression: false, room: open.length };
  const rest = (/^[^\n]*/.exec(after)?.[0] ?? "").trim();
  const innermost = open.at(-1);
  const [next] = scanBrackets(rest, language).loose;
  const closesHere = next !== undefined && next.text === innermost?.close;
  const begun = before.slice(before.lastIndexOf("\n") + 1).trim() !== "";
  const oneLine = begun && rest !== "" && next === undefined && !/^(?:<|#|\/[/*])/.test(rest);
  if (innermost === undefined) return { oneLine, inExpression: false, room: 0 };
  const inExpression = isExpression(innermost, around);
  const room =
    inExpression || closesHere
      ? roomInStatement(open, looseAfter, language)
      : Math.max(0, open.length - looseAfter.length);
  return { oneLine, inExpression, room };
}

/** What precedes a brace that opens a block. */
const BEFORE_BLOCK = /(?:\)|=>|->|\b(?:else|try|do|finally|unsafe|loop|async|move|static))\s*$/;

/** Nodes whose braces hold the elements of an expression, rather than statements or members. */
const EXPRESSIONS =
  /^(?:object|object_pattern|dictionary|set|(?:dictionary|set)_comprehension|literal_value|initializer_list|field_initializer_list|(?:element_value_)?array_initializer|initializer_expression|anonymous_object_creation_expression|hash|template_substitution|interpolation|jsx_expression|use_list|named_imports|export_clause)$/;

function isExpression({ close, index }: OpenBracket, { before, language, parse }: AroundCursor): boolean {
  if (close !== "}") return close === ")" || close === "]";
  if (SYNTAX[language].programs.indented) return true;
  if (BEFORE_BLOCK.test(before.slice(Math.max(0, index - 20), index))) return false;
  const tree = parse();
  try {
    const parent = tree?.rootNode.descendantForIndex(index, index + 1)?.parent;
    return parent !== null && parent !== undefined && EXPRESSIONS.test(parent.type);
  } finally {
    tree?.delete();
  }
}

/** Of the brackets within the cursor's statement, those that nothing behind the cursor closes. */
function roomInStatement(
  open: readonly OpenBracket[],
  loose: readonly LooseCloser[],
  language: Language,
): number {
  const inner = open.toReversed().map(({ close }) => close);
  const outer = loose.map(({ text }) => text);
  const braces = SYNTAX[language].programs.indented ? Number.POSITIVE_INFINITY : inner[0] === "}" ? 1 : 0;
  return Math.max(0, runOf(inner, braces) - runOf(outer, braces));
}

/** How many closers come before the first that may be a block's: so many braces at the start are an expression's. */
function runOf(closers: readonly string[], braces: number): number {
  const end = closers.findIndex((one, at) => one !== ")" && one !== "]" && (one !== "}" || at >= braces));
  return end < 0 ? closers.length : end;
}

/** Words that go on with the statement whose block was closed before them. */
const CONTINUES = /^\s*(?:else|elif|elsif|catch|finally|except|rescue|ensure|when|while|until)\b/;

/**
 * The part of a completion that can be meant at a place: up to where it leaves the cursor's brackets, which the
 * document closes itself, or the statement's line.
 */
export function withinPlace(text: string, place: CursorPlace, scan: BracketScan): string {
  const leaving = scan.loose
    .slice(place.room)
    .find(
      ({ text: closer, index }) => place.inExpression || !CONTINUES.test(text.slice(index + closer.length)),
    );
  const inBrackets = leaving === undefined ? text : text.slice(0, leaving.index);
  if (!place.oneLine) return inBrackets;
  const lineEnd = scan.separators.find((one) => one.text === "\n" && one.depth === 0);
  return lineEnd === undefined ? inBrackets : inBrackets.slice(0, lineEnd.index);
}

/** Places in a completion up to which it has complete statements or elements, the last ones first. */
export function completeParts(text: string, place: CursorPlace, scan: BracketScan): string[] {
  const ends = place.inExpression ? [","] : ["\n", ";"];
  const outer = scan.separators.filter((one) => one.depth === 0 && ends.includes(one.text));
  return outer.toReversed().map(({ text: end, index }) => text.slice(0, end === ";" ? index + 1 : index));
}
