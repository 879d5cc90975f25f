/** Agreement and the writer's own likelihood, from the samples of a request. */
import { expect, test } from "vitest";
import type { Entry } from "../../../server/ranking/programs.ts";
import { sampleSignals } from "../../../server/ranking/signals.ts";

const entry = (id: string, duplicates: string[] = []): Entry => ({
  id,
  duplicates,
  language: "python",
  code: id,
  scored: id,
  valid: true,
  reason: null,
});

test("agreement is the share of all samples that are the same program", () => {
  const samples = ["a", "b", "c", "d"].map((id) => ({ id, text: "" }));
  expect(sampleSignals(entry("a", ["c", "d"]), samples)).toEqual({ agreement: 0.75 });
  expect(sampleSignals(entry("b"), samples)).toEqual({ agreement: 0.25 });
});

test("the writer's likelihood is a mean over the tokens of all samples of the program", () => {
  const samples = [
    { id: "a", text: "", logprobs: { sum: -2, tokens: 4 } },
    { id: "b", text: "", logprobs: { sum: -4, tokens: 2 } },
  ];
  expect(sampleSignals(entry("a", ["b"]), samples).writer_logprob).toBe(-1);
  expect(sampleSignals(entry("a"), samples).writer_logprob).toBe(-0.5);
});

test("a program of which some samples have no likelihood has none", () => {
  const samples = [
    { id: "a", text: "", logprobs: { sum: -2, tokens: 4 } },
    { id: "b", text: "" },
  ];
  expect(sampleSignals(entry("a", ["b"]), samples)).toEqual({ agreement: 1 });
});
