/** A ranking as the compare panel shows it. */
import { beforeAll, expect, test, vi } from "vitest";
import type { SyntaxRuntime } from "../../../shared/syntax/parsing/parser.ts";
import { highlight } from "../../../src/panel/highlight.ts";
import type { CodeLine } from "../../../src/panel/panel-messages.ts";
import { codeIn, viewOf } from "../../../src/panel/view.ts";
import type { Ranking } from "../../../src/ranking/ranking.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { cursorIn } from "../extension/cursor.ts";
import { candidateOf, replyOf } from "../extension/reply.ts";

vi.mock("vscode", () => ({ l10n: { t: (template: string) => template } }));

let runtime: SyntaxRuntime;
beforeAll(async () => {
  runtime = await testRuntime();
  await runtime.load("python");
});

const LONG = "total_of_all_values_that_were_seen_so_far = sum(";

function rankingOf(codes: readonly string[]): Ranking {
  const ids = codes.map((_, index) => `c${index + 1}`);
  return {
    id: "r1",
    kind: "completion",
    cursor: cursorIn(`${LONG}█)\n`),
    candidates: ids.map((id, index) => candidateOf(id, codes[index])),
    reply: replyOf(ids.map((id, index) => ({ id, code: codes[index] ?? "" }))),
    complete: true,
    problems: [],
    shown: undefined,
    accepted: undefined,
    startedAt: 0,
    totalMs: 1,
  };
}

const view = (ranking: Ranking) =>
  viewOf(
    ranking,
    codeIn(ranking).map(({ text, context, language }) => highlight(text, context, language, runtime)),
  );
const textOf = (line: CodeLine | undefined) => line?.tokens.map(([text]) => text).join("");
const markedIn = (line: CodeLine | undefined) =>
  line?.tokens
    .slice(...(line.changed ?? [0, 0]))
    .map(([text]) => text)
    .join("");

test("what differs inside a long line is marked, in the code and in the differences", () => {
  const [, second] = view(rankingOf(["values[first:last]", "values[first:last + 1]"])).rows;
  expect(markedIn(second?.code[0])).toBe(" + 1");
  expect(second?.differences.map(({ change }) => change)).toEqual(["removed", "added"]);
  expect(second?.differences.map(markedIn)).toEqual(["", " + 1"]);
});

test("the line before the cursor is shortened: it is the same for all", () => {
  const [best] = view(rankingOf(["values"])).rows;
  expect(textOf(best?.code[0])).toBe(`…${LONG.slice(-24)}values`);
});

test("the best one has no marks, and equal candidates no differences", () => {
  const [best, second] = view(rankingOf(["a", "a"])).rows;
  expect(best?.code[0]?.changed).toBeNull();
  expect(best?.differences).toEqual([]);
  expect(second?.differences.map(({ change, changed }) => [change, changed])).toEqual([["same", null]]);
});
