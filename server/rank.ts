/** The only pipeline: extract or assemble → fold duplicates → render → score → shape → sort. */
import type {
  CandidateInput,
  CursorTask,
  Message,
  QuestionTask,
  RankedCandidate,
  RankReply,
  RankRequest,
} from "./contract.ts";
import { ServiceError } from "./errors.ts";
import { createPacer } from "./pacer.ts";
import type { Scorer } from "./scorer.ts";
import { assemble } from "./syntax/assemble.ts";
import { extract } from "./syntax/extract.ts";
import { LANGUAGES, type Language, languageOf } from "./syntax/languages.ts";
import { normalForm } from "./syntax/normal.ts";
import type { SyntaxRuntime } from "./syntax/parser.ts";
import { problemAt } from "./syntax/problem.ts";

/** One candidate after syntax, before the model. */
interface Program {
  readonly id: string;
  readonly language: string;
  /** What a caller uses: the extracted program, or the text to insert at the cursor. */
  readonly code: string;
  /** What the model reads: the program, or the enclosing unit with the completion in it. */
  readonly scored: string;
  readonly valid: boolean;
  readonly reason: string | null;
}

interface Entry extends Program {
  readonly duplicates: readonly string[];
}

/**
 * Ranks candidates for a task, best first.
 * @param signal aborting stops the work before the next batch
 * @throws ServiceError for an unknown language, and whatever the scorer throws
 */
export async function rank(
  request: RankRequest,
  scorer: Scorer,
  syntax: SyntaxRuntime,
  signal?: AbortSignal,
): Promise<RankReply> {
  const started = performance.now();
  const pause = createPacer(signal);
  const { problem, programs } = await readCandidates(request, syntax, pause);
  const entries = await foldDuplicates(programs, syntax, pause);
  const extracted = performance.now();

  const valid = entries.filter((entry) => entry.valid);
  const scored = await scorer.scoreMessages(
    valid.map((entry): Message[] => [
      { role: "user", content: problem },
      { role: "assistant", content: entry.scored },
    ]),
    { priority: request.priority, criterion: request.criterion, signal },
  );

  const ranked = valid
    .map((entry, index) => {
      const input = scored.inputs[index];
      if (!input) throw new Error("a valid program was not scored");
      return { entry, input };
    })
    .sort((a, b) => b.input.reward - a.input.reward || compareCodePoints(a.entry.code, b.entry.code))
    .map(({ entry, input }) => ({
      ...publicPart(entry),
      reward: input.reward,
      shaped: softplus(input.reward),
      probability: scorer.probability(input.reward),
      tokens: input.tokens,
      truncated: input.truncated,
    }));
  const rejected = entries
    .filter((entry) => !entry.valid)
    // What holds code is likelier to be worth a look than what holds none.
    .sort((a, b) => Number(a.code === "") - Number(b.code === "") || compareCodePoints(a.id, b.id))
    .map((entry) => ({
      ...publicPart(entry),
      reward: null,
      shaped: 0,
      probability: null,
      tokens: 0,
      truncated: false,
    }));
  const candidates = [...ranked, ...rejected].map(
    (candidate, index): RankedCandidate => ({ ...candidate, rank: index + 1 }),
  );
  return {
    model: scorer.identity,
    candidates,
    timings: {
      extract_ms: milliseconds(extracted - started),
      tokenize_ms: milliseconds(scored.tokenizeMs),
      score_ms: milliseconds(scored.scoreMs),
      total_ms: milliseconds(performance.now() - started),
    },
    usage: { unique_tokens: scored.decodedTokens, total_tokens: scored.totalTokens },
  };
}

/** Validity-preserving shaping, `ln(1 + e^reward)`, in the form that neither overflows nor rounds to 0 early. */
export function softplus(reward: number): number {
  return Math.max(reward, 0) + Math.log1p(Math.exp(-Math.abs(reward)));
}

/** Order of code points, which differs from JavaScript's order of UTF-16 units above U+FFFF. */
export function compareCodePoints(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  for (let index = 0; index < limit; index++) {
    if (a.charCodeAt(index) === b.charCodeAt(index)) continue;
    return (a.codePointAt(index) ?? 0) - (b.codePointAt(index) ?? 0);
  }
  return a.length - b.length;
}

async function readCandidates(
  request: RankRequest,
  syntax: SyntaxRuntime,
  pause: () => Promise<void>,
): Promise<{ problem: string; programs: Program[] }> {
  return "prefix" in request.task
    ? atCursor(request.task, request.candidates, syntax, pause)
    : fromReplies(request.task, request, syntax, pause);
}

async function fromReplies(
  task: QuestionTask,
  request: RankRequest,
  syntax: SyntaxRuntime,
  pause: () => Promise<void>,
): Promise<{ problem: string; programs: Program[] }> {
  const language = task.language === undefined ? undefined : knownLanguage(task.language);
  const programs: Program[] = [];
  for (const { id, text } of request.candidates) {
    await pause();
    const result = await extract(text, { language, mode: request.mode, question: task.question }, syntax);
    programs.push({ id, ...result, scored: result.code });
  }
  return { problem: task.question, programs };
}

async function atCursor(
  task: CursorTask,
  candidates: readonly CandidateInput[],
  syntax: SyntaxRuntime,
  pause: () => Promise<void>,
): Promise<{ problem: string; programs: Program[] }> {
  const cursor = { ...task, language: knownLanguage(task.language) };
  const programs: Program[] = [];
  for (const { id, text } of candidates) {
    await pause();
    const result = await assemble({ ...cursor, completion: text }, syntax);
    programs.push({
      id,
      language: cursor.language,
      code: result.insert,
      scored: result.unit,
      valid: result.valid,
      reason: result.reason,
    });
  }
  return { problem: await problemAt(cursor, syntax), programs };
}

/**
 * Programs that are equal up to comments and layout become one entry, so that each is scored once.
 * The smallest by code point order represents them, whatever order they came in.
 */
async function foldDuplicates(
  programs: readonly Program[],
  syntax: SyntaxRuntime,
  pause: () => Promise<void>,
): Promise<Entry[]> {
  const groups = new Map<string, Program[]>();
  for (const program of programs) {
    await pause();
    const language = program.valid ? languageOf(program.language) : undefined;
    const key = language
      ? `${language}:${await normalForm(program.scored, language, syntax)}`
      : `invalid:${program.id}`;
    const group = groups.get(key);
    if (group) group.push(program);
    else groups.set(key, [program]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group.sort(
      (a, b) => compareCodePoints(a.code, b.code) || compareCodePoints(a.id, b.id),
    );
    return first ? [{ ...first, duplicates: others.map((other) => other.id) }] : [];
  });
}

function publicPart(
  entry: Entry,
): Pick<RankedCandidate, "id" | "valid" | "reason" | "code" | "language" | "duplicates"> {
  const { id, valid, reason, code, language, duplicates } = entry;
  return { id, valid, reason, code, language, duplicates };
}

function knownLanguage(name: string): Language {
  const language = languageOf(name);
  if (language) return language;
  throw new ServiceError("invalid_request", `Unknown language "${name}". Known are ${LANGUAGES.join(", ")}.`);
}

function milliseconds(value: number): number {
  return Math.round(value * 100) / 100;
}
