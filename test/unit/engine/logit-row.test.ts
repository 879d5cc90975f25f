import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LogitRow } from "../../../server/engine/logit-row.ts";

const logits = fc.array(fc.float({ min: -40, max: 40, noNaN: true }), { minLength: 1, maxLength: 700 });

/** The same in float64, the plain way. */
function logSum(values: readonly number[], temperature: number): number {
  const best = values.reduce((one, other) => Math.max(one, other)) / temperature;
  return best + Math.log(values.reduce((sum, value) => sum + Math.exp(value / temperature - best), 0));
}

function rowOf(values: readonly number[]): LogitRow {
  const row = new LogitRow(values.length);
  row.values.set(values);
  return row;
}

describe("a row of logits", () => {
  test("has the maximum and the logarithm of the sum that float64 gives, whatever its length", () => {
    fc.assert(
      fc.property(logits, fc.constantFrom(1, 0.2, 0.8, 2), (values, temperature) => {
        const row = rowOf(values);
        expect(row.max()).toBe(Math.max(...row.values));
        expect(row.logSum(row.max(), temperature)).toBeCloseTo(logSum([...row.values], temperature), 5);
      }),
    );
  });

  test("of a whole vocabulary has log-probabilities within 1e-6 of float64", () => {
    const values = Array.from({ length: 151_936 }, (_, index) => Math.sin(index * 12.9898) * 11);
    const row = rowOf(values);
    expect(Math.abs(row.logSum(row.max()) - logSum([...row.values], 1))).toBeLessThan(1e-6);
  });

  test("shows a number that is none", () => {
    const row = rowOf([1, 2, Number.NaN, 3, 4, 5]);
    expect(row.logSum(row.max())).toBeNaN();
  });

  test("takes tokens that are forbidden as impossible", () => {
    const row = rowOf([1, 2, 3, 4, 5]);
    row.values[4] = Number.NEGATIVE_INFINITY;
    expect(row.logSum(row.max())).toBeCloseTo(logSum([1, 2, 3, 4], 1), 6);
  });

  test("names all tokens from a limit on, in order", () => {
    fc.assert(
      fc.property(logits, fc.float({ min: -40, max: 40, noNaN: true }), (values, limit) => {
        const row = rowOf(values);
        const expected = [...row.values.keys()].filter((index) => (row.values[index] ?? 0) >= limit);
        expect([...row.above(limit)]).toEqual(expected);
      }),
    );
  });
});
