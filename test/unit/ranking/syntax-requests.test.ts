import { expect, test } from "vitest";
import type { ProgramRequest } from "../../../server/ranking/programs.ts";
import { answerSyntax } from "../../../server/ranking/syntax-requests.ts";
import { stepsHere } from "../../../shared/threads/step.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";

test("samples at one cursor are told where they end, each by itself", async () => {
  const texts = ["return a + b\n\n\ndef other(", "if a:\n        return b\n"];
  const place = { prefix: "def add(a, b):\n    ", suffix: "\n", language: "python", texts } as const;
  const { stops } = await answerSyntax({ stops: place }, await testRuntime(), stepsHere());
  expect(stops).toEqual([{ cut: "return a + b".length, because: "unit" }, undefined]);
});

test("programs are read through the same way", async () => {
  const task = { prefix: "def add(a, b):\n    ", suffix: "\n", language: "python" };
  const request: ProgramRequest = { task, candidates: [{ id: "a", text: "return a + b" }], mode: "lenient" };
  const { programs } = await answerSyntax({ programs: request }, await testRuntime(), stepsHere());
  expect(programs?.entries.map(({ id, valid }) => [id, valid])).toEqual([["a", true]]);
});
