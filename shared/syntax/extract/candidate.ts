/** One piece of code of a reply, read in the language it is most likely in. */
import { type Language, SYNTAX } from "../languages/languages.ts";
import type { SyntaxRuntime } from "../parsing/parser.ts";
import { tokensOf } from "../programs/normal-form.ts";
import { type Outline, outlineOf } from "../programs/outline.ts";
import { check, type Verdict } from "../programs/validity.ts";
import type { Tag } from "../replies/fence-tags.ts";
import { startsCode } from "../replies/line-starts.ts";
import { dedent, isBlank, type Line, textOf, trimBlank } from "../replies/lines.ts";
import { SURE, weigh } from "../replies/prose.ts";
import { decoded, readingsOf } from "./clean.ts";
import { type Evidence, evidenceIn } from "./evidence.ts";
import { codeRegions } from "./regions.ts";

/** A piece of a reply that may be code. */
export interface Piece {
  readonly lines: readonly Line[];
  readonly tag: Tag;
  /** The prose directly before it, which says what it is. */
  readonly before: readonly Line[];
  /** False when the reply ended before the block did. */
  readonly closed: boolean;
  readonly origin: "fence" | "text";
  /** It comes from HTML, where entities are characters. */
  readonly encoded: boolean;
}

/** A piece as code of a language. */
export interface Candidate {
  readonly piece: Piece;
  readonly language: Language;
  /** What is left of the piece without marks. */
  readonly lines: readonly Line[];
  readonly code: string;
  readonly verdict: Verdict;
  /** What it defines and uses; undefined where it does not parse. */
  readonly outline: Outline | undefined;
  /** Its tokens in normal form; undefined where it is not valid. */
  readonly tokens: string | undefined;
  /** The language that it really is in, where that is not the one asked for. */
  readonly really: Language | undefined;
}

/** Evidence for another language that outweighs a parse without errors: grammars accept much. */
const OUTWEIGHS = 3;

/** Languages that are parsed to find the one of a piece that nothing names. */
const MAX_GUESSES = 4;

/** Languages in which to try a piece that shows no sign of any, in the order of how strict their grammars are. */
const UNSIGNED: readonly Language[] = ["python", "javascript", "c", "ruby"];

/** Reads a piece in the language that was asked for. */
export async function candidateIn(
  piece: Piece,
  language: Language,
  runtime: SyntaxRuntime,
): Promise<Candidate> {
  await runtime.load(language);
  const candidate = readAs(piece, language, runtime);
  const named = piece.tag.language;
  if (named === language && candidate.verdict.state === "valid") return candidate;
  const really = await otherLanguage(candidate, named, runtime);
  return really === undefined ? candidate : { ...candidate, really };
}

/**
 * Reads a piece in the language that its tag names, or that it shows, or else in the one that the reply as a whole
 * is likely in.
 */
export async function candidateOf(
  piece: Piece,
  likely: Language | undefined,
  runtime: SyntaxRuntime,
): Promise<Candidate> {
  const named = piece.tag.language;
  if (named !== undefined) {
    await runtime.load(named);
    const candidate = readAs(piece, named, runtime);
    if (candidate.verdict.state !== "invalid") return candidate;
    const other = await otherLanguage(candidate, named, runtime);
    return other === undefined ? candidate : readAs(piece, other, runtime);
  }
  let first: Candidate | undefined;
  for (const language of guesses(evidenceIn(textOf(piece.lines)), likely)) {
    await runtime.load(language);
    const candidate = readAs(piece, language, runtime);
    if (candidate.verdict.state === "valid" || candidate.verdict.state === "too large") return candidate;
    first ??= candidate;
  }
  if (first === undefined) throw new Error("No language to read the piece in.");
  return first;
}

/** Languages to try, the likeliest first; never empty. */
function guesses(evidence: readonly Evidence[], likely: Language | undefined): readonly Language[] {
  const signed = evidence.slice(0, MAX_GUESSES);
  const weight = evidence.find((each) => each.language === likely)?.weight ?? 0;
  // What the whole reply says decides between languages that are close in the piece.
  const first = likely !== undefined && weight + OUTWEIGHS > (signed[0]?.weight ?? 0) ? [likely] : [];
  // C++ without a sign of its own looks like C until C's grammar refuses it.
  const likeliest = [...first, ...signed.map((each) => each.language)];
  const found = [...new Set(likeliest.flatMap((each) => (each === "c" ? (["c", "cpp"] as const) : [each])))];
  return found.length > 0 ? found : UNSIGNED;
}

/** The language that a candidate is in although it was read in another one; undefined when there is no such. */
async function otherLanguage(
  candidate: Candidate,
  named: Language | undefined,
  runtime: SyntaxRuntime,
): Promise<Language | undefined> {
  const { language, code, verdict } = candidate;
  const parses = verdict.state === "valid";
  const evidence = evidenceIn(code);
  const own = evidence.find((each) => each.language === language)?.weight ?? 0;
  for (const { language: other, weight } of evidence.slice(0, MAX_GUESSES)) {
    if (other === language) {
      if (parses) return undefined;
      continue;
    }
    if (parses && SYNTAX[language].guess.relatives?.includes(other)) continue;
    const needed = parses ? own + (other === named ? 1 : OUTWEIGHS) : Math.max(2, own - OUTWEIGHS);
    if (weight < needed) continue;
    await runtime.load(other);
    const { tree, verdict: there } = check(code, other, runtime);
    tree?.delete();
    if (there.state === "valid") return other;
  }
  return undefined;
}

/** Reads a piece in a language: as it is, or without the marks around it when only that parses. */
export function readAs(piece: Piece, language: Language, runtime: SyntaxRuntime): Candidate {
  const given = piece.encoded ? piece.lines.map(decoded) : piece.lines;
  const whole = dedented(given, language);
  const readings = readingsOf(whole, piece.tag.name, language);
  const sure = readings.filter((reading) => reading.sure).map((reading) => reading.lines);
  const unsure = readings.filter((reading) => !reading.sure).map((reading) => reading.lines);
  if (!piece.closed || piece.origin === "text") unsure.push(...withoutProse(whole, language));
  let first: Candidate | undefined;
  for (const lines of [...sure, whole, ...unsure]) {
    const candidate = judged(piece, dedented(lines, language), language, runtime);
    if (candidate.verdict.state === "valid") return candidate;
    first ??= candidate;
  }
  return first ?? judged(piece, whole, language, runtime);
}

/** Indentation that all lines share is an error where indentation makes blocks, and nothing elsewhere. */
function dedented(lines: readonly Line[], language: Language): readonly Line[] {
  return SYNTAX[language].programs.indented ? dedent(lines) : lines;
}

function judged(piece: Piece, lines: readonly Line[], language: Language, runtime: SyntaxRuntime): Candidate {
  const code = textOf(lines);
  return { piece, language, lines, code, ...judgementOf(code, language, runtime), really: undefined };
}

type Judgement = Pick<Candidate, "verdict" | "outline" | "tokens">;

/** What was judged last: the one block of a reply is read again with everything else when it alone is not right. */
const judgements = new WeakMap<SyntaxRuntime, Map<string, Judgement>>();

/** As many readings as one piece has in one language. */
const MAX_JUDGEMENTS = 8;

function judgementOf(code: string, language: Language, runtime: SyntaxRuntime): Judgement {
  const known = judgements.get(runtime) ?? new Map<string, Judgement>();
  judgements.set(runtime, known);
  const key = `${language}:${code}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const { tree, verdict } = check(code, language, runtime);
  const parses = verdict.state === "valid" || verdict.state === "nothing";
  const outline = tree !== null && parses ? outlineOf(tree.rootNode, code, language) : undefined;
  const tokens =
    tree !== null && verdict.state === "valid" ? tokensOf(tree.rootNode, code, language) : undefined;
  tree?.delete();
  const judgement = { verdict, outline, tokens };
  known.set(key, judgement);
  const oldest = known.keys().next();
  if (known.size > MAX_JUDGEMENTS && !oldest.done) known.delete(oldest.value);
  return judgement;
}

/** Readings without prose at either end, for pieces whose ends nothing marks. */
function withoutProse(lines: readonly Line[], language: Language): (readonly Line[])[] {
  const [region] = codeRegions(lines, language);
  const readings: (readonly Line[])[] = [];
  if (region !== undefined && region.lines.length < lines.length) readings.push(region.lines);
  const paragraphs = paragraphsOf(region?.lines ?? lines);
  const sure = paragraphs.map((paragraph) => paragraph.some((line) => weigh(line.text, language) >= SURE));
  const first = sure.indexOf(true);
  const last = sure.lastIndexOf(true);
  if (first >= 0 && (first > 0 || last < paragraphs.length - 1)) {
    readings.push(trimBlank(paragraphs.slice(first, last + 1).flat()));
  }
  readings.push(...withoutTail(region?.lines ?? lines, language));
  return readings;
}

/** Lines of prose with formulas in them, `f(3) = 6`, that may follow code directly. */
const MAX_TAIL = 2;

/** The lines without the last, or the last two, at the margin that do not start like code. */
function withoutTail(lines: readonly Line[], language: Language): (readonly Line[])[] {
  const readings: (readonly Line[])[] = [];
  let end = lines.length;
  for (let taken = 0; taken < MAX_TAIL && end > 1; taken++) {
    const line = lines[end - 1];
    if (line === undefined || !/^[\w$"']/.test(line.text) || startsCode(line.text, language)) break;
    end -= 1;
    while (end > 0 && lines[end - 1]?.text.trim() === "") end -= 1;
    if (end > 0) readings.push(lines.slice(0, end));
  }
  return readings;
}

/** The lines in groups, each with the blank lines behind it. */
function paragraphsOf(lines: readonly Line[]): Line[][] {
  const paragraphs: Line[][] = [];
  let blank = true;
  for (const line of lines) {
    if (blank && !isBlank(line)) paragraphs.push([]);
    blank = isBlank(line);
    paragraphs.at(-1)?.push(line);
  }
  return paragraphs;
}
