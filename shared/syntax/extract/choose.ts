/** Which of several pieces of code is the program that the model meant, and which others belong to it. */
import type { Line } from "../replies/lines.ts";
import type { Candidate } from "./candidate.ts";

/** What the prose before a block says about it. */
type Cue = "example" | "alternative" | "wrong" | "final" | "none";

const CUES: readonly (readonly [Cue, RegExp])[] = [
  [
    "wrong",
    /\b(?:buggy|incorrect|wrong|broken|original|your code|problematic|instead of|before|fails?|naive)\b/i,
  ],
  [
    "final",
    /\b(?:final|complete|full|putting (?:it|everything) (?:all )?together|corrected|fixed|improved|optimi[sz]ed|revised|updated|refactored|here(?:'s| is) the (?:solution|code|implementation))\b/i,
  ],
  [
    "example",
    /\b(?:usage|examples?|test(?:s|ing|ed)?|output|outputs|prints?|run(?:ning)?|try it|call(?:ed|ing)?|invoke|verify|demo|expected|how to use|you can use (?:it|this|the)|install)\b/i,
  ],
  [
    "alternative",
    /\b(?:alternative(?:ly)?|another (?:way|approach|option|version)|also|or you (?:can|could)|if you prefer|one-liner|shorter|variation|bonus)\b/i,
  ],
];

/** The chosen program: one candidate, and those it needs, in the order of the reply. */
export interface ChosenProgram {
  readonly main: Candidate;
  readonly parts: readonly Candidate[];
}

/** Chooses among candidates in one language. `question` is the problem's text, which may name what it wants. */
export function choose(
  candidates: readonly Candidate[],
  question: string | undefined,
): ChosenProgram | undefined {
  const [first, ...others] = candidates;
  if (first === undefined) return undefined;
  if (others.length === 0) return { main: first, parts: [first] };
  const asked = question === undefined ? new Set<string>() : namesIn(question);
  const scores = new Map(candidates.map((candidate) => [candidate, scoreOf(candidate, candidates, asked)]));
  let main = first;
  for (const candidate of others) {
    // An excerpt is not the program, whatever it looks like.
    if (contains(main, candidate)) continue;
    if (contains(candidate, main)) {
      main = candidate;
      continue;
    }
    const mine = scores.get(candidate) ?? 0;
    const best = scores.get(main) ?? 0;
    // A later version of the same thing replaces the earlier one.
    if (mine > best || (mine >= best - REVISION && revises(candidate, main))) main = candidate;
  }
  return { main, parts: partsOf(main, candidates, asked) };
}

/** How much worse a later version of the same definitions may look and still be the one that is meant. */
const REVISION = 12;

function revises(later: Candidate, earlier: Candidate): boolean {
  const before = earlier.outline?.top;
  const after = later.outline?.top;
  if (before === undefined || after === undefined || before.size === 0) return false;
  return cueOf(later.piece.before) !== "alternative" && [...before].every((name) => after.has(name));
}

/** The first is a program that defines all that the second does, and more. */
function contains(whole: Candidate, excerpt: Candidate): boolean {
  const all = whole.outline?.top;
  const some = excerpt.outline?.top;
  if (all === undefined || some === undefined || some.size === 0 || all.size <= some.size) return false;
  const cue = cueOf(whole.piece.before);
  return (
    cue !== "example" && cue !== "wrong" && cue !== "alternative" && [...some].every((name) => all.has(name))
  );
}

function scoreOf(candidate: Candidate, all: readonly Candidate[], asked: ReadonlySet<string>): number {
  const { outline, verdict, piece } = candidate;
  let score = 0;
  switch (verdict.state) {
    case "valid":
      score += 100;
      break;
    case "too large":
      score += 50;
      break;
    case "invalid":
      score += 10;
      break;
    case "nothing":
      return -100;
    default:
      verdict satisfies never;
  }
  if (candidate.really !== undefined) score -= 200;
  if (piece.tag.notCode) score -= 60;
  else if (piece.tag.language !== undefined) score += 5;
  score += CUE_SCORES[cueOf(piece.before)];
  score += Math.min(10, candidate.lines.length / 4);
  if (outline === undefined) return score;
  if (outline.kind === "definitions") score += 30;
  if (outline.kind === "imports") score -= 30;
  if (outline.tests) score -= 50;
  if ([...asked].some((name) => outline.defines.has(name))) score += 60;
  const needs = all.some((other) => other !== candidate && needsFrom(candidate, other));
  if (needs && outline.kind === "definitions" && !isDriver(candidate)) score += 15;
  if (needs && isDriver(candidate)) score -= 40;
  if (outline.kind === "statements" && !outline.reads) score -= needs ? 30 : 5;
  return score;
}

const CUE_SCORES: Readonly<Record<Cue, number>> = {
  example: -35,
  alternative: -15,
  wrong: -45,
  final: 15,
  none: 0,
};

/** Looks at the last lines before a block: its lead-in, not the paragraphs before that. */
function cueOf(before: readonly Line[]): Cue {
  const lead = before
    .filter((line) => line.text.trim() !== "")
    .slice(-1)
    .map((line) => line.text)
    .join(" ");
  // The sentence that leads in is the last one.
  const sentence = lead.split(/(?<=[.!?])\s+/).at(-1) ?? "";
  return CUES.find(([, words]) => words.test(sentence))?.[0] ?? "none";
}

/** An entry point that shows how to call what is elsewhere, rather than one that reads the problem's input. */
function isDriver(candidate: Candidate): boolean {
  const { outline } = candidate;
  if (outline === undefined || outline.reads) return false;
  return outline.entry && [...outline.top].every((name) => /^(?:main|Main|Program)$/.test(name));
}

/** The first uses a name that the second defines, and does not define it itself. */
function needsFrom(user: Candidate, definer: Candidate): boolean {
  const words = user.outline?.words;
  const own = user.outline?.top;
  const names = definer.outline?.top;
  if (words === undefined || own === undefined || names === undefined) return false;
  for (const name of names)
    if (words.has(name) && !own.has(name) && !user.outline?.defines.has(name)) return true;
  return false;
}

/** The candidates that the main one needs, directly or not, and itself, in order. */
function partsOf(main: Candidate, all: readonly Candidate[], asked: ReadonlySet<string>): Candidate[] {
  const taken = new Set([main]);
  const at = all.indexOf(main);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [index, candidate] of all.entries()) {
      if (taken.has(candidate) || !isPart(candidate, index < at)) continue;
      if ([...taken].some((each) => belongs(each, candidate, index < at)) && !redefines(candidate, taken)) {
        taken.add(candidate);
        grown = true;
      }
    }
  }
  for (const [index, candidate] of all.entries()) {
    const { outline } = candidate;
    // The part of a program that reads its input and calls what is above.
    if (
      index > at &&
      outline?.kind === "statements" &&
      outline.reads &&
      asked.size === 0 &&
      needsFrom(candidate, main)
    ) {
      if (cueOf(candidate.piece.before) !== "example") taken.add(candidate);
    }
  }
  return all.filter((candidate) => taken.has(candidate));
}

function isPart(candidate: Candidate, before: boolean): boolean {
  const { outline, verdict } = candidate;
  // A package clause alone is nothing, and belongs to what follows.
  const usable = verdict.state === "valid" || (verdict.state === "nothing" && outline?.kind === "imports");
  if (!usable || outline === undefined || outline.tests || candidate.really !== undefined) return false;
  if (isDriver(candidate) || candidate.piece.tag.notCode) return false;
  const cue = cueOf(candidate.piece.before);
  if (cue === "wrong" || cue === "alternative") return false;
  return outline.kind === "definitions" || (before && outline.kind !== "nothing" && cue !== "example");
}

function belongs(user: Candidate, part: Candidate, before: boolean): boolean {
  if (part.outline?.kind === "imports") return importsFor(user, part);
  // What uses the program rather than serves it is an example.
  if (part.outline?.kind === "statements" && (needsFrom(part, user) || !before)) return false;
  return needsFrom(user, part);
}

/** Imports belong to what follows them, unless it has its own. */
function importsFor(user: Candidate, part: Candidate): boolean {
  return !user.lines.some((line) => line.text !== "" && part.lines.some((other) => other.text === line.text));
}

function redefines(candidate: Candidate, taken: ReadonlySet<Candidate>): boolean {
  const names = candidate.outline?.top ?? new Set<string>();
  return [...taken].some((each) => [...names].some((name) => each.outline?.top.has(name)));
}

/** Words before a bracket or in backticks of a question that name nothing it wants. */
const NOT_NAMES = new Set([
  "if",
  "for",
  "while",
  "print",
  "return",
  "int",
  "list",
  "len",
  "range",
  "input",
  "str",
  "main",
  "O",
  "n",
  "i",
]);

/** Names of functions and types that a question asks for. */
export function namesIn(question: string): Set<string> {
  const names = new Set<string>();
  const patterns = [
    /\b(?:function|method|class|struct|def|fn|func|fun|interface|routine|procedure)\s+(?:(?:called|named)\s+)?[`"']?([A-Za-z_]\w+)/g,
    /\b(?:called|named|signature)\s*(?::\s*)?[`"']([A-Za-z_]\w*)/g,
    /\b([A-Za-z_]\w+)\((?=[^()\n]*[()])/g,
    /`([A-Za-z_]\w+)`/g,
  ];
  for (const pattern of patterns) {
    for (const match of question.slice(0, LONGEST_QUESTION).matchAll(pattern)) {
      const name = match[1];
      if (
        name !== undefined &&
        !NOT_NAMES.has(name) &&
        !/^(?:that|which|to|is|the|with|for|and|in|of|should|must|will|takes?|returns?)$/i.test(name)
      )
        names.add(name);
    }
  }
  return names;
}

/** A question names what it wants early, and again at its end in the starter code; this reads all usual ones. */
const LONGEST_QUESTION = 20_000;
