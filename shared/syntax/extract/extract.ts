/** From a chat model's reply to the program in it, whatever is around it: reasoning, tags, several blocks, or none. */
import type { Language } from "../languages/languages.ts";
import type { SyntaxRuntime } from "../parsing/parser.ts";
import { check, type ProgramFault } from "../programs/validity.ts";
import { tagOf } from "../replies/fence-tags.ts";
import { type Fence, fencesIn, readFences } from "../replies/fences.ts";
import { type Line, linesOf, textOf, trimBlank } from "../replies/lines.ts";
import { mentionsReasoning, withoutReasoning } from "../replies/reasoning.ts";
import { withAllowance } from "./allowance.ts";
import type { Candidate } from "./candidate.ts";
import { choose } from "./choose.ts";
import { candidatesOf, mergedOf } from "./join-pieces.ts";
import { opensInside, pieceOf, piecesIn } from "./pieces.ts";
import { emptyReason, invalidReason } from "./reasons.ts";

/** `strict`: exactly one fenced block that parses, else nothing. `lenient`: the best program in the reply. */
export type ExtractionMode = "lenient" | "strict";

/** A place of the reply, lines and columns from 1, columns in UTF-16 units. */
export interface Diagnostic {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The program in a reply, or why there is none. */
export interface Extraction {
  /** The language asked for, or else the one found; empty when there is no code, or no sign of its language. */
  readonly language: Language | "";
  readonly mode: ExtractionMode;
  /** The program with LF line ends, without a line end behind it; empty when nothing was found. */
  readonly code: string;
  readonly valid: boolean;
  readonly origin: "fence" | "text" | "none";
  /** Fenced blocks of the answer. */
  readonly blocks: number;
  /** Why there is no code, or no valid one; null when it is valid. */
  readonly reason: string | null;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ExtractOptions {
  /** Binding when given; guessed otherwise. */
  readonly language?: Language | undefined;
  readonly mode?: ExtractionMode | undefined;
  /** The problem's text: what it names is looked for among several blocks. */
  readonly question?: string | undefined;
}

/** Longest reply that is looked at, in UTF-16 units: reasoning alone can be long. */
const MAX_REPLY_LENGTH = 4 * 1024 * 1024;

/** Longest answer that is read, without reasoning: 32,000 tokens of code, twice what any reward model reads. */
const MAX_ANSWER_LENGTH = 128 * 1024;

/** Longest answer without fences that is searched for code, which weighs every line. */
const MAX_UNFENCED_LENGTH = 64 * 1024;

const TOO_LARGE = "The reply is too large to read.";

/** An extraction for whoever compares programs. */
export interface ExtractedProgram extends Extraction {
  /** Its tokens in normal form (`tokenForm`), where it was parsed. */
  readonly tokens: string | undefined;
}

/** Extracts the program from a reply. Never throws for any text. */
export async function extract(
  reply: string,
  options: ExtractOptions,
  runtime: SyntaxRuntime,
): Promise<Extraction> {
  const { tokens: _, ...extraction } = await extractProgram(reply, options, runtime);
  return extraction;
}

/** The same, with the tokens of the program. */
export async function extractProgram(
  reply: string,
  options: ExtractOptions,
  unlimited: SyntaxRuntime,
): Promise<ExtractedProgram> {
  const runtime = withAllowance(unlimited);
  const mode = options.mode ?? "lenient";
  const base = {
    language: options.language ?? "",
    mode,
    code: "",
    valid: false,
    origin: "none",
    blocks: 0,
    reason: null,
    diagnostics: [],
    tokens: undefined,
  } as const;
  if (reply.length > MAX_REPLY_LENGTH) return { ...base, reason: TOO_LARGE };
  if (reply.length > MAX_ANSWER_LENGTH && !mentionsReasoning(reply)) return { ...base, reason: TOO_LARGE };
  const answer = withoutReasoning(linesOf(reply));
  const length = lengthOf(answer.lines);
  if (length > MAX_ANSWER_LENGTH) return { ...base, reason: TOO_LARGE };
  const fences = fencesIn(readFences(answer.lines));
  const blocks = fences.length;
  if (mode === "strict") return strict({ ...base, blocks }, fences, options, runtime);
  if (blocks === 0 && length > MAX_UNFENCED_LENGTH) {
    return { ...base, reason: "The answer is too large to search for code, and has no fenced block." };
  }
  const plain = await plainly(answer.lines, fences, options.language, runtime);
  if (plain !== undefined) return { ...base, blocks, ...(await result(plain, [plain], runtime)) };
  const pieces = piecesIn(answer.lines, options.language);
  const merged = await mergedOf(pieces, options.language, runtime);
  const candidates = await candidatesOf(merged, options.language, runtime);
  const choice = choose(inOneLanguage(candidates, options.language), options.question);
  if (choice === undefined) return { ...base, blocks, reason: emptyReason(answer, pieces) };
  return { ...base, blocks, ...(await result(choice.main, choice.parts, runtime)) };
}

function lengthOf(lines: readonly Line[]): number {
  let length = 0;
  for (const line of lines) length += line.text.length + 1;
  return length;
}

/**
 * The program where nothing needs to be chosen: the one block, which is what strict mode finds, or a reply that is
 * code from its first line on, with what looks like a block in a comment or string of it.
 */
async function plainly(
  lines: readonly Line[],
  fences: readonly Fence[],
  language: Language | undefined,
  runtime: SyntaxRuntime,
): Promise<Candidate | undefined> {
  const [fence] = fences;
  if (fence === undefined) return undefined;
  const at = lines.findIndex((line) => /^\s*(?:```|~~~)/.test(line.text));
  if (at > 0 && opensInside(lines.slice(0, at), language)) {
    const whole = {
      lines: trimBlank(lines),
      tag: tagOf(""),
      before: [],
      closed: true,
      origin: "text",
      encoded: false,
    } as const;
    const [candidate] = await candidatesOf([whole], language, runtime);
    if (candidate?.lines.length === whole.lines.length && isRight(candidate)) return candidate;
  }
  if (fences.length > 1) return undefined;
  const [candidate] = await candidatesOf([pieceOf(fence, [])], language, runtime);
  return candidate !== undefined && isRight(candidate) ? candidate : undefined;
}

function isRight(candidate: Candidate): boolean {
  return candidate.verdict.state === "valid" && candidate.really === undefined;
}

type Found = Pick<
  ExtractedProgram,
  "language" | "code" | "valid" | "origin" | "reason" | "diagnostics" | "tokens"
>;

/** The published policy: exactly one fenced block, and it parses. */
async function strict(
  base: ExtractedProgram,
  fences: readonly Fence[],
  options: ExtractOptions,
  runtime: SyntaxRuntime,
): Promise<ExtractedProgram> {
  const [fence, ...others] = fences;
  if (fence === undefined) return { ...base, reason: "The reply has no fenced code block." };
  if (others.length > 0) {
    return {
      ...base,
      reason: `The reply has ${fences.length} fenced code blocks; strict mode wants exactly one.`,
    };
  }
  const [candidate] = await candidatesOf([pieceOf(fence, [])], options.language, runtime);
  if (candidate === undefined) return { ...base, reason: "The block has no code." };
  const found = await result(candidate, [candidate], runtime);
  return { ...base, ...found, code: found.valid ? found.code : "" };
}

/** When no language was asked for, the blocks of the language in which most of the code is. */
function inOneLanguage(candidates: readonly Candidate[], asked: Language | undefined): readonly Candidate[] {
  if (asked !== undefined || candidates.length < 2) return candidates;
  const weights = new Map<Language, number>();
  for (const { language, lines, verdict, outline, piece } of candidates) {
    if (verdict.state === "nothing" || piece.tag.notCode) continue;
    const kind = outline?.kind === "definitions" ? 10 : 1;
    weights.set(
      language,
      (weights.get(language) ?? 0) + lines.length * (verdict.state === "valid" ? kind : 0.5),
    );
  }
  const [most] = [...weights].sort((a, b) => b[1] - a[1]);
  return most === undefined ? candidates : candidates.filter((candidate) => candidate.language === most[0]);
}

async function result(main: Candidate, parts: readonly Candidate[], runtime: SyntaxRuntime): Promise<Found> {
  const { language, piece } = main;
  const origin = piece.origin;
  if (parts.length > 1) {
    const joined = parts.map((part) => textOf(trimBlank(part.lines))).join("\n\n");
    const { tree, verdict } = check(joined, language, runtime);
    tree?.delete();
    if (verdict.state === "valid")
      return {
        language,
        code: joined,
        valid: true,
        origin,
        reason: null,
        diagnostics: [],
        tokens: undefined,
      };
  }
  const code = textOf(main.lines);
  const valid = isRight(main);
  const faults = main.verdict.state === "invalid" ? main.verdict.faults : [];
  return {
    language,
    code,
    valid,
    origin,
    reason: valid ? null : invalidReason(main),
    diagnostics: valid ? [] : faults.map((fault) => diagnosticOf(fault, main.lines)),
    tokens: valid ? main.tokens : undefined,
  };
}

/** A place of the program as a place of the reply. */
function diagnosticOf(fault: ProgramFault, lines: readonly Line[]): Diagnostic {
  const line = lines[fault.at.row] ?? lines.at(-1);
  if (line === undefined) return { line: 1, column: 1, message: fault.message };
  return { line: line.number + 1, column: line.column + fault.at.column + 1, message: fault.message };
}
