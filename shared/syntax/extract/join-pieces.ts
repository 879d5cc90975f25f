/** From the pieces of a reply to candidates: which pieces are one program, and how each reads. */
import { type Language, SYNTAX } from "../languages/languages.ts";
import type { SyntaxRuntime } from "../parsing/parser.ts";
import { check } from "../programs/validity.ts";
import { type Line, textOf } from "../replies/lines.ts";
import { type Weight, weigh } from "../replies/prose.ts";
import { type Candidate, candidateIn, candidateOf, type Piece } from "./candidate.ts";
import { evidenceIn } from "./evidence.ts";

/** Lines between two regions that may be code after all. */
const MAX_BETWEEN = 3;

/**
 * Puts regions of unfenced code together where they parse with what is between them: that was code as well,
 * though it did not look so. A program must not lose a line from its middle.
 */
export async function mergedOf(
  pieces: readonly Piece[],
  asked: Language | undefined,
  runtime: SyntaxRuntime,
): Promise<Piece[]> {
  const language = asked ?? likelyIn(pieces);
  const merged: Piece[] = [];
  for (const piece of pieces) {
    const last = merged.at(-1);
    const between = piece.before.filter((line) => line.text.trim() !== "").length;
    if (
      last === undefined ||
      language === undefined ||
      piece.origin !== "text" ||
      between > MAX_BETWEEN ||
      (SYNTAX[language].guess.acceptsProse && !(isScript(merged) && piece.before.every(isCommand)))
    ) {
      merged.push(piece);
      continue;
    }
    const lines = [...last.lines, ...piece.before, ...piece.lines];
    await runtime.load(language);
    const { tree, verdict } = check(textOf(lines), language, runtime);
    tree?.delete();
    if (verdict.state === "valid") merged[merged.length - 1] = { ...last, lines };
    else merged.push(piece);
  }
  return merged;
}

/** The reply starts with a script that says so, which is seldom interrupted by words. */
function isScript([first]: readonly Piece[]): boolean {
  return first !== undefined && first.before.length === 0 && /^#!/.test(first.lines[0]?.text ?? "");
}

/** Calls of programs look like two or three words of prose; sentences are longer. */
const SHORT_WORDS: Weight = -2;

function isCommand(line: Line): boolean {
  return weigh(line.text, "bash") >= SHORT_WORDS && !/^[A-Z]|[.:!?]\s*$/.test(line.text);
}

/**
 * How each piece reads as a program.
 * @param language the only one that counts; undefined: that which most speaks for, and what is no code is left out
 */
export async function candidatesOf(
  pieces: readonly Piece[],
  language: Language | undefined,
  runtime: SyntaxRuntime,
): Promise<Candidate[]> {
  const likely = language ?? likelyIn(pieces);
  const candidates: Candidate[] = [];
  for (const piece of pieces) {
    if (language === undefined && isOutput(piece)) continue;
    const read =
      language === undefined ? candidateOf(piece, likely, runtime) : candidateIn(piece, language, runtime);
    candidates.push(await read);
  }
  return candidates;
}

/** Nothing in it looks like code of any language: output, or words. */
function isOutput({ lines, tag }: Piece): boolean {
  if (tag.language !== undefined || evidenceIn(textOf(lines)).length > 0) return false;
  return tag.notCode || lines.every((line) => weigh(line.text, undefined) <= 0);
}

/** The language that most speaks for in all pieces that no tag says something else about. */
function likelyIn(pieces: readonly Piece[]): Language | undefined {
  const untold = pieces.filter(({ tag }) => tag.language === undefined && !tag.notCode);
  if (untold.length === 0) return undefined;
  return evidenceIn(untold.map((piece) => textOf(piece.lines)).join("\n"))[0]?.language;
}
