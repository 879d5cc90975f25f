/** What the parser's thread is asked: to read programs, and whether samples that are being written are complete. */
import { type Stop, stopsAt } from "../../shared/syntax/cursor/sample-stop.ts";
import type { Language } from "../../shared/syntax/languages/languages.ts";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import type { Step } from "../../shared/threads/step.ts";
import { type ProgramRequest, type Programs, readPrograms } from "./programs.ts";

/** Samples that are being written at one cursor. */
export interface StopRequest {
  readonly prefix: string;
  readonly suffix: string;
  readonly language: Language;
  readonly path?: string | undefined;
  /** What each has so far. */
  readonly texts: readonly string[];
}

/** Where each text ends, in their order; undefined: it has to go on. */
export type Stops = readonly (Stop | undefined)[];

/** Both ways through the thread, by the name of what is asked. */
export type SyntaxRequest =
  | { readonly programs: ProgramRequest; readonly stops?: never }
  | { readonly programs?: never; readonly stops: StopRequest };
export type SyntaxReply =
  | { readonly programs: Programs; readonly stops?: never }
  | { readonly programs?: never; readonly stops: Stops };

/** Answers one request. */
export async function answerSyntax(
  request: SyntaxRequest,
  syntax: SyntaxRuntime,
  step: Step,
): Promise<SyntaxReply> {
  if (request.programs !== undefined) return { programs: await readPrograms(request.programs, syntax, step) };
  const { texts, ...place } = request.stops;
  return { stops: await step(undefined, () => stopsAt(place, texts, syntax)) };
}
