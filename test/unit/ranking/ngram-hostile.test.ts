/** A candidate of many thousand characters must not hold up the server: whatever it repeats, reading it ends (within the time limit of a test). */
import { expect, test } from "vitest";
import { MATCHING_VERSION, NGRAM_VERSION } from "../../../server/models/gguf/keys.ts";
import { matchingValue } from "../../../server/ranking/text-parts/matching.ts";
import { ngramValue } from "../../../server/ranking/text-parts/ngram.ts";

const model = { version: NGRAM_VERSION, weights: new Int8Array(2 ** 18).fill(1), scale: 1, coefficient: 1 };
const table = new Int8Array(2 ** 15 * 64).fill(1);
const matching = {
  version: MATCHING_VERSION,
  dimensions: 64,
  problem: table,
  program: table,
  coefficient: 1,
};
const LENGTH = 400_000;

test.each([" ", "\n", ":", ": {", "a", "aS", "x\n "])("%j again and again", (part) => {
  const run = part.repeat(LENGTH / part.length);
  for (const program of [run, `def f(${run}x`, `${run}x\n`]) {
    expect(Number.isFinite(ngramValue(model, program, "Write f."))).toBe(true);
    expect(Number.isFinite(ngramValue(model, "def f(): pass", program))).toBe(true);
    expect(Number.isFinite(matchingValue(matching, "Write f.", program))).toBe(true);
    expect(Number.isFinite(matchingValue(matching, program, "def f(): pass"))).toBe(true);
  }
});
