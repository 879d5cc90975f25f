/** Fits find the signals that help, leave out those that do not, and give chances only where these hold. */
import { describe, expect, test } from "vitest";
import { type FitProblem, fitCombination } from "../../../server/eval/fit.ts";
import { fitLogistic } from "../../../server/eval/logistic.ts";
import { seeded } from "../../../server/eval/statistics.ts";
import {
  combinedScore,
  describeWeights,
  featuresOf,
  fittedProbability,
} from "../../../server/ranking/fit.ts";

/** Problems in which a candidate is right with the chance that `chanceOf` gives. */
function problemsOf(
  count: number,
  chanceOf: (likelihood: number, agreement: number, level: number) => number,
): FitProblem[] {
  const random = seeded(7);
  return Array.from({ length: count }, () => {
    const level = random();
    return {
      invalid: 1,
      candidates: Array.from({ length: 8 }, () => {
        const likelihood = -2 * random();
        const agreement = Math.log(1 + Math.floor(3 * random()));
        const passed = random() < chanceOf(likelihood, agreement, level);
        return { features: { likelihood, agreement, length: -random() }, passed, samples: 1 };
      }),
    };
  });
}
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

describe("fitting", () => {
  test("finds the signals that decide, and gives the others no weight", () => {
    const { fit, random, combined, oracle } = fitCombination(
      problemsOf(400, (likelihood, agreement) => sigmoid(3 * (likelihood + 1) + 2 * (agreement - 0.6))),
    );
    expect(Object.keys(fit.weights).sort()).toEqual(["agreement", "likelihood"]);
    expect(fit.weights.likelihood).toBeGreaterThan(2);
    expect(fit.weights.likelihood).toBeLessThan(4);
    expect(fit.weights.agreement).toBeGreaterThan(1.2);
    expect(combined.low).toBeGreaterThan(random.high);
    expect(combined.value).toBeLessThanOrEqual(oracle.value);
  });
  test("weighs nothing where nothing helps, and then picks like chance", () => {
    const { fit, random, combined } = fitCombination(problemsOf(300, () => 0.3));
    expect(fit.weights).toEqual({});
    // An invalid sample is never picked while there is a valid one.
    expect(combined.value).toBeCloseTo((random.value * 9) / 8, 5);
  });
  test("gives a chance that comes true on problems it has not seen", () => {
    const { fit, reliability, why_no_probability } = fitCombination(
      problemsOf(600, (likelihood) => 0.7 * sigmoid(6 * (likelihood + 1))),
    );
    expect(why_no_probability).toBeNull();
    expect(reliability.expected_calibration_error).toBeLessThan(0.05);
    const best = fittedProbability(fit, combinedScore(fit, { likelihood: 0 })) ?? Number.NaN;
    expect(best).toBeGreaterThan(0.55);
    expect(best).toBeLessThan(0.85);
  });
});

describe("features", () => {
  test("what is known of some candidates only is not used", () => {
    const signals = [
      { agreement: 0.5, likelihood: -1, writer_logprob: -1 },
      { agreement: 0.25, likelihood: -2 },
    ];
    expect(featuresOf(signals, [10, 10])).toEqual([
      { likelihood: -1, agreement: 0.5, length: -0 },
      { likelihood: -2, agreement: 0.25, length: -0 },
    ]);
  });
  test("a token that a model holds for impossible does not outweigh everything", () => {
    const [one] = featuresOf([{ agreement: 1, likelihood: Number.NEGATIVE_INFINITY }], [3]);
    expect(one?.likelihood).toBe(-20);
  });
  test("weights are said in words", () => {
    expect(describeWeights({ weights: { likelihood: 1.2, writer_logprob: 0.5 } })).toBe(
      "likelihood 1.20, writer logprob 0.50",
    );
    expect(describeWeights({ weights: {} })).toBe("nothing but validity");
  });
});

test("logistic regression finds the coefficients that made the data", () => {
  const random = seeded(3);
  const rows = Array.from({ length: 4000 }, () => {
    const x = [random() * 2 - 1, 1];
    return { x, y: Number(random() < sigmoid(2 * (x[0] ?? 0) - 0.5)), weight: 1 };
  });
  const [slope, intercept] = fitLogistic(rows, [1e-3, 1e-3]);
  expect(slope).toBeCloseTo(2, 0);
  expect(intercept).toBeCloseTo(-0.5, 0);
});
