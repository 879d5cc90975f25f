import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  balanced,
  fitCalibration,
  heldOutPredictions,
  type LabelledReward,
  probabilityOf,
  reliabilityOf,
  sigmoid,
} from "../../../server/eval/fit-calibration.ts";
import { plotReliability } from "../../../server/eval/plot-reliability.ts";
import { seeded } from "../../../server/eval/statistics.ts";

/** Samples whose chance of being right is sigmoid(slope · reward + intercept). */
function drawn(count: number, slope: number, intercept: number): LabelledReward[] {
  const random = seeded(7);
  return Array.from({ length: count }, (_, index) => {
    const reward = 6 * random() - 1;
    return { problem: index >> 2, reward, passed: random() < sigmoid(slope * reward + intercept), weight: 1 };
  });
}

describe("the fit", () => {
  test("finds the curve that the outcomes were drawn from", () => {
    const { slope, intercept } = fitCalibration(drawn(20_000, 0.8, -1.5));
    expect(slope).toBeCloseTo(0.8, 1);
    expect(intercept).toBeCloseTo(-1.5, 1);
  });

  test("has the share that is right as its mean prediction", () => {
    const samples = drawn(400, 1.2, -3);
    const calibration = fitCalibration(samples);
    const predicted = samples.reduce((sum, { reward }) => sum + probabilityOf(calibration, reward), 0);
    expect(predicted).toBeCloseTo(samples.filter((sample) => sample.passed).length, 4);
  });

  test("says the same of rewards in another unit", () => {
    const samples = drawn(300, 1, 0);
    const scaled = samples.map((sample) => ({ ...sample, reward: 1000 * sample.reward + 5000 }));
    expect(probabilityOf(fitCalibration(scaled), 7000)).toBeCloseTo(
      probabilityOf(fitCalibration(samples), 2),
      6,
    );
  });

  test("stays finite whatever the samples are", () => {
    const sample = fc.record({
      problem: fc.nat(5),
      reward: fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
      passed: fc.boolean(),
      weight: fc.constantFrom(0.5, 1, 3),
    });
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 40 }), (samples) => {
        const { slope, intercept } = fitCalibration(samples);
        expect(Number.isFinite(slope) && Number.isFinite(intercept)).toBe(true);
        for (const { probability } of heldOutPredictions(samples)) {
          expect(probability).toBeGreaterThanOrEqual(0);
          expect(probability).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  test("balanced, one right among many wrong has a chance of a half before it is read", () => {
    const samples = Array.from({ length: 60 }, (_, index) => ({
      problem: Math.floor(index / 6),
      reward: 1,
      passed: index % 6 === 0,
    }));
    const alone = { problem: 99, reward: 1, passed: false };
    const weighted = balanced([...samples, alone]);
    expect(weighted).toHaveLength(60);
    expect(probabilityOf(fitCalibration(weighted), 1)).toBeCloseTo(0.5, 10);
    const one = reliabilityOf(weighted.map((sample) => ({ ...sample, probability: 0.5 })));
    expect(one.expected_calibration_error).toBeCloseTo(0, 10);
    const plain = samples.map((sample) => ({ ...sample, weight: 1 }));
    expect(probabilityOf(fitCalibration(plain), 1)).toBeCloseTo(1 / 6, 1);
  });

  test("held-out predictions are one a sample, by fits that have not seen its problem", () => {
    const samples = drawn(400, 2, -2);
    const predictions = heldOutPredictions(samples);
    expect(predictions).toHaveLength(samples.length);
    expect(predictions.filter((one) => one.passed)).toHaveLength(samples.filter((one) => one.passed).length);
    expect(reliabilityOf(predictions).expected_calibration_error).toBeLessThan(0.1);
    // Labels that know nothing of the rewards: a fit that saw them could not help but say otherwise.
    const random = seeded(3);
    const noise = Array.from({ length: 40 }, (_, problem) => ({
      problem,
      reward: random(),
      passed: random() < 0.5,
      weight: 1,
    }));
    expect(reliabilityOf(heldOutPredictions(noise)).brier).toBeGreaterThan(0.25);
  });
});

describe("reliability", () => {
  test("is the distance of predicted and right, by the share of the samples", () => {
    const predictions = [
      ...Array.from({ length: 8 }, (_, index) => ({ probability: 0.25, passed: index < 4, weight: 1 })),
      ...Array.from({ length: 2 }, () => ({ probability: 1, passed: true, weight: 1 })),
    ];
    const reliability = reliabilityOf(predictions);
    expect(reliability.expected_calibration_error).toBeCloseTo(0.8 * 0.25, 12);
    expect(reliability.brier).toBeCloseTo((4 * 0.75 ** 2 + 4 * 0.25 ** 2) / 10, 12);
    expect(reliability.bins[2]).toEqual({ from: 0.2, to: 0.3, samples: 8, predicted: 0.25, right: 0.5 });
    expect(reliability.bins[9]).toMatchObject({ samples: 2, predicted: 1, right: 1 });
    expect(reliability.bins[0]).toMatchObject({ samples: 0, predicted: null, right: null });
  });

  test("is drawn as an SVG, with the title as text", () => {
    const svg = plotReliability(
      reliabilityOf([{ probability: 0.5, passed: true, weight: 1 }]),
      "<nano & co>",
    );
    expect(svg).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
    expect(svg).toContain("&#60;nano &#38; co&#62;");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});
