/** From candidates to programs: extracted or put at the cursor, judged, and equal ones folded. All of it is syntax. */
import type { CandidateInput, CursorTask, QuestionTask, RankRequest } from "../../shared/contract.ts";
import { assemble } from "../../shared/syntax/cursor/assemble.ts";
import { extractProgram } from "../../shared/syntax/extract/extract.ts";
import { LANGUAGES, type Language, languageOf } from "../../shared/syntax/languages/languages.ts";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import { normalForm, tokenForm } from "../../shared/syntax/programs/normal-form.ts";
import { problemAt } from "../../shared/syntax/units/problem.ts";
import { type Step, stepsHere } from "../../shared/threads/step.ts";
import { ServiceError } from "../errors.ts";

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

/** What is known of a program before equal ones are folded. */
interface UnfoldedProgram extends Program {
  /** Its tokens in normal form; undefined where they are still to be found. */
  readonly tokens: string | undefined;
}

/** One program for all that are equal to it. */
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
  return (request, signal) => readPrograms(request, syntax, stepsHere(signal));
}

/** Finds the programs of a request, each in a step about the candidate's id; a step about nothing is the problem's. */
export async function readPrograms(
  { task, candidates, mode }: ProgramRequest,
  syntax: SyntaxRuntime,
  step: Step,
): Promise<Programs> {
  const { problem, programs } =
    "prefix" in task
      ? await atCursor(task, candidates, syntax, step)
      : await fromReplies(task, candidates, mode, syntax, step);
  return { problem, entries: await foldDuplicates(programs, syntax, step) };
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
  step: Step,
): Promise<{ problem: string; programs: UnfoldedProgram[] }> {
  const language = task.language === undefined ? undefined : knownLanguage(task.language);
  const programs: UnfoldedProgram[] = [];
  for (const { id, text } of candidates) {
    const options = { language, mode, question: task.question };
    const result = await step(id, () => extractProgram(text, options, syntax));
    programs.push({ id, ...result, scored: result.code });
  }
  return { problem: task.question, programs };
}

async function atCursor(
  task: CursorTask,
  candidates: readonly CandidateInput[],
  syntax: SyntaxRuntime,
  step: Step,
): Promise<{ problem: string; programs: UnfoldedProgram[] }> {
  const cursor = { ...task, language: knownLanguage(task.language) };
  const programs: UnfoldedProgram[] = [];
  for (const { id, text } of candidates) {
    const result = await step(id, () => assemble({ ...cursor, completion: text }, syntax));
    programs.push({
      id,
      language: cursor.language,
      code: result.insert,
      scored: result.unit,
      valid: result.valid,
      reason: result.reason,
      // What was parsed is the document, and not the unit in it.
      tokens: undefined,
    });
  }
  return { problem: await step(undefined, () => problemAt(cursor, syntax)), programs };
}

/**
 * Programs that are equal up to comments and layout become one entry, so that each is scored once.
 * The smallest by code point order represents them, whatever order they came in.
 */
async function foldDuplicates(
  programs: readonly UnfoldedProgram[],
  syntax: SyntaxRuntime,
  step: Step,
): Promise<Entry[]> {
  const keyOf = async ({ id, language: name, scored, valid, tokens }: UnfoldedProgram) => {
    const language = valid ? languageOf(name) : undefined;
    return language
      ? `${language}:${tokens ?? (await tokenForm(scored, language, syntax))}`
      : `invalid:${id}`;
  };
  const formOf = async ({ language: name, scored }: UnfoldedProgram) => {
    const language = languageOf(name);
    return language ? await normalForm(scored, language, syntax) : scored;
  };
  const groups: UnfoldedProgram[][] = [];
  for (const alike of await grouped(programs, keyOf, step)) {
    // Most programs are alone with their tokens, and no more need be known of them.
    if (alike.every(({ scored }) => scored === alike[0]?.scored)) groups.push(alike);
    else groups.push(...(await grouped(alike, formOf, step)));
  }
  return groups.flatMap((group) => {
    const [first, ...others] = group.sort(
      (a, b) => compareCodePoints(a.code, b.code) || compareCodePoints(a.id, b.id),
    );
    if (!first) return [];
    const { id, language, code, scored, valid, reason } = first;
    return [{ id, language, code, scored, valid, reason, duplicates: others.map((other) => other.id) }];
  });
}

/** Groups by key, in the order in which the keys come first. */
async function grouped<T extends { readonly id: string }>(
  items: readonly T[],
  keyOf: (item: T) => Promise<string>,
  step: Step,
): Promise<T[][]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = await step(item.id, () => keyOf(item));
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}

function knownLanguage(name: string): Language {
  const language = languageOf(name);
  if (language) return language;
  throw new ServiceError("invalid_request", `Unknown language "${name}". Known are ${LANGUAGES.join(", ")}.`);
}
