/** How the syntax thread answers. */
import { assemble, documentOf } from "../../shared/syntax/cursor/assemble.ts";
import { stopOf } from "../../shared/syntax/cursor/sample-stop.ts";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import { problemAt } from "../../shared/syntax/units/problem.ts";
import type { Step } from "../../shared/threads/step.ts";
import { highlight } from "../panel/highlight.ts";
import { functionAt, functionsIn } from "../scoring/functions.ts";
import type { Answer, Answers, ParsedCursor, Question } from "./questions.ts";

export async function answerQuestion(
  question: Question,
  runtime: SyntaxRuntime,
  step: Step,
): Promise<Answer> {
  switch (question.kind) {
    case "check": {
      const { cursor, text } = question;
      const request = { ...place(cursor), completion: text };
      const { insert, valid, reason } = await step(undefined, () => assemble(request, runtime));
      return { insert, valid, reason };
    }
    case "reading":
      return readingOf(question.cursor, question.completions, runtime, step);
    case "functionAt": {
      const { text, offset, language } = question;
      await runtime.load(language);
      return step(undefined, () => functionAt(text, offset, language, runtime));
    }
    case "functionsIn": {
      const { text, language } = question;
      await runtime.load(language);
      return step(undefined, () => functionsIn(text, language, runtime));
    }
    case "highlight": {
      const shown: Answers["highlight"][number][] = [];
      for (const { text, context, language } of question.pieces) {
        await runtime.load(language);
        shown.push(await step(undefined, () => highlight(text, context, language, runtime)));
      }
      return shown;
    }
    case "hasEnded": {
      const { cursor, text } = question;
      await runtime.load(cursor.language);
      return step(undefined, () => stopOf(documentOf(place(cursor), runtime), text) !== undefined);
    }
    default:
      return question satisfies never;
  }
}

/** Where the completion goes, without what only a model reads. */
function place({ prefix, suffix, language }: ParsedCursor): Omit<ParsedCursor, "path"> {
  return { prefix, suffix, language };
}

async function readingOf(
  cursor: ParsedCursor,
  completions: readonly string[],
  runtime: SyntaxRuntime,
  step: Step,
): Promise<Answers["reading"]> {
  const units: (string | null)[] = [];
  for (const completion of completions) {
    const { unit, valid } = await step(undefined, () => assemble({ ...cursor, completion }, runtime));
    units.push(valid ? unit : null);
  }
  return { problem: await step(undefined, () => problemAt(cursor, runtime)), units };
}
