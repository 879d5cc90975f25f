import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  areaUnderCurve,
  bestOfN,
  bootstrap,
  bootstrapMean,
  type JudgedSample,
  mean,
  pairsOf,
  pairwiseAccuracy,
} from "../../../server/eval/statistics.ts";

const sample = fc.record({ score: fc.integer({ min: 0, max: 4 }), passed: fc.boolean() });
const samples = fc.array(sample, { minLength: 1, maxLength: 7 });

/** Expected outcome of the best of n by looking at every subset; ties are split evenly. */
function byEnumeration(all: readonly JudgedSample[], n: number): number {
  const outcomes: number[] = [];
  for (let mask = 0; mask < 2 ** all.length; mask++) {
    const subset = all.filter((_, index) => (mask >> index) & 1);
    if (subset.length !== n) continue;
    const top = Math.max(...subset.map((one) => one.score));
    outcomes.push(mean(subset.filter((one) => one.score === top).map((one) => Number(one.passed))));
  }
  return mean(outcomes);
}

describe("best of N", () => {
  test("is exact where scores differ: the same as looking at every subset", () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 1, max: 7 }), (all, wanted) => {
        const n = Math.min(wanted, all.length);
        const distinct = all.map((one, index) => ({ ...one, score: one.score * 10 + index }));
        expect(bestOfN(distinct, n)).toBeCloseTo(byEnumeration(distinct, n), 10);
      }),
    );
  });
  test("of one is a random sample, of all with equal scores too", () => {
    fc.assert(
      fc.property(samples, (all) => {
        const random = mean(all.map((one) => Number(one.passed)));
        expect(bestOfN(all, 1)).toBeCloseTo(random, 10);
        expect(
          bestOfN(
            all.map(({ passed }) => ({ passed, score: 1 })),
            all.length,
          ),
        ).toBeCloseTo(random, 10);
      }),
    );
  });
});

describe("pairs and curves", () => {
  test("a perfect score has accuracy and area 1, its reverse 0, a constant one a half", () => {
    const outcomes = [true, false, true, false, false];
    const judged = (score: (passed: boolean) => number) =>
      outcomes.map((passed) => ({ passed, score: score(passed) }));
    for (const [score, expected] of [
      [(passed: boolean) => Number(passed), 1],
      [(passed: boolean) => -Number(passed), 0],
      [() => 3, 0.5],
    ] as const) {
      expect(pairwiseAccuracy([pairsOf(judged(score))])).toBe(expected);
      expect(areaUnderCurve(judged(score))).toBe(expected);
    }
  });
  test("within one group both are the same", () => {
    fc.assert(
      fc.property(samples, (all) => {
        const [pairs, area] = [pairwiseAccuracy([pairsOf(all)]), areaUnderCurve(all)];
        if (Number.isNaN(pairs)) expect(area).toBeNaN();
        else expect(area).toBeCloseTo(pairs, 10);
      }),
    );
  });
  test("pairs are made within problems only", () => {
    const right = [{ passed: true, score: 0 }];
    const wrong = [{ passed: false, score: 1 }];
    expect(pairwiseAccuracy([right, wrong].map(pairsOf))).toBeNaN();
  });
});

test("the bootstrap interval holds the mean, is the same every time, and narrows with more problems", () => {
  const few = Array.from({ length: 40 }, (_, index) => index % 2);
  const many = Array.from({ length: 4000 }, (_, index) => index % 2);
  const [a, b] = [bootstrapMean(few), bootstrapMean(many)];
  expect(a.low).toBeLessThan(0.5);
  expect(a.high).toBeGreaterThan(0.5);
  expect(b.high - b.low).toBeLessThan((a.high - a.low) / 5);
  expect(bootstrapMean(few)).toEqual(a);
});

test("the interval of any statistic of problems is that of the mean where it is the mean, and has no value without one", () => {
  const values = Array.from({ length: 60 }, (_, index) => (index * 7) % 11);
  const [general, special] = [bootstrap(values, mean), bootstrapMean(values)];
  expect(general.value).toBe(special.value);
  expect(general.low).toBeCloseTo(special.low, 10);
  expect(general.high).toBeCloseTo(special.high, 10);
  expect(bootstrap([{ won: 0, pairs: 0 }], pairwiseAccuracy).value).toBeNaN();
});
