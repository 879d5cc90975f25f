/** From candidates to programs: extracted or put at the cursor, judged, and equal ones folded. All of it is syntax. */
import type { CandidateInput, CursorTask, QuestionTask, RankRequest } from "./contract.ts";
import { ServiceError } from "./errors.ts";
import { createPacer } from "./pacer.ts";
import { assemble } from "./syntax/assemble.ts";
import { extract } from "./syntax/extract.ts";
import { LANGUAGES, type Language, languageOf } from "./syntax/languages.ts";
import { normalForm } from "./syntax/normal.ts";
import type { SyntaxRuntime } from "./syntax/parser.ts";
import { problemAt } from "./syntax/problem.ts";

/** What of a request says which programs there are. */
export type ProgramRequest = Pick<RankRequest, "task" | "candidates" | "mode">;

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

/** A program that stands for all that are equal to it. */
export interface Entry extends Program {
  /** Ids of the others. */
  readonly duplicates: readonly string[];
}

/** The programs of a request, before the model. Plain data: it may come from another thread. */
export interface Programs {
  /** What the model is asked about all of them. */
  readonly problem: string;
  readonly entries: readonly Entry[];
}

/**
 * Finds the programs of a request.
 * @throws ServiceError invalid_request for an unknown language; the signal's reason once that is aborted
 */
export type ProgramReader = (request: ProgramRequest, signal?: AbortSignal) => Promise<Programs>;

/** A reader in this thread. It lets the event loop run between two candidates, not within one. */
export function programReader(syntax: SyntaxRuntime): ProgramReader {
  return async ({ task, candidates, mode }, signal) => {
    const pause = createPacer(signal);
    const { problem, programs } =
      "prefix" in task
        ? await atCursor(task, candidates, syntax, pause)
        : await fromReplies(task, candidates, mode, syntax, pause);
    return { problem, entries: await foldDuplicates(programs, syntax, pause) };
  };
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

async function fromReplies(
  task: QuestionTask,
  candidates: readonly CandidateInput[],
  mode: ProgramRequest["mode"],
  syntax: SyntaxRuntime,
  pause: () => Promise<void>,
): Promise<{ problem: string; programs: Program[] }> {
  const language = task.language === undefined ? undefined : knownLanguage(task.language);
  const programs: Program[] = [];
  for (const { id, text } of candidates) {
    await pause();
    const result = await extract(text, { language, mode, question: task.question }, syntax);
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

function knownLanguage(name: string): Language {
  const language = languageOf(name);
  if (language) return language;
  throw new ServiceError("invalid_request", `Unknown language "${name}". Known are ${LANGUAGES.join(", ")}.`);
}
