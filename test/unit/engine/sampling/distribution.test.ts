import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LogitRow } from "../../../../server/engine/logit-row.ts";
import { Distribution, type Sampling } from "../../../../server/engine/sampling/distribution.ts";
import { randomNumbers } from "../../../../server/engine/sampling/random.ts";

const NONE: ReadonlySet<number> = new Set();
const PLAIN: Sampling = { temperature: 1, topP: 1, minP: 0 };

function rowOf(logits: readonly number[]): LogitRow {
  const row = new LogitRow(logits.length);
  row.values.set(logits);
  return row;
}

/** Probabilities at a temperature in float64, the plain way. */
function softmax(logits: ArrayLike<number>, temperature = 1): number[] {
  const all = Array.from(logits, (logit) => Math.exp(logit / temperature));
  const sum = all.reduce((total, one) => total + one, 0);
  return all.map((one) => one / sum);
}

/** How often each token comes, of many evenly spread numbers. */
function shares(distribution: Distribution, size: number, banned = NONE): number[] {
  const draws = 4000;
  const counts = Array.from({ length: size }, () => 0);
  for (let index = 0; index < draws; index++) {
    const { token } = distribution.draw((index + 0.5) / draws, banned);
    counts[token] = (counts[token] ?? 0) + 1 / draws;
  }
  return counts;
}

function expectShares(found: readonly number[], expected: readonly number[]): void {
  found.forEach((share, token) => {
    expect(Math.abs(share - (expected[token] ?? 0))).toBeLessThan(2e-3);
  });
}

const LOGITS = [2, 1, 0, -1, -3, 1.5, -40];

describe("drawing the next token", () => {
  test.each([0.3, 0.8, 1, 2])("follows the softmax at temperature %s", (temperature) => {
    const distribution = new Distribution(rowOf(LOGITS), { ...PLAIN, temperature });
    expectShares(shares(distribution, LOGITS.length), softmax(LOGITS, temperature));
  });

  test("takes the likeliest at temperature 0, the first where several are", () => {
    const distribution = new Distribution(rowOf([1, 3, 3, 2]), { ...PLAIN, temperature: 0 });
    expect(distribution.draw(0.99, NONE)).toMatchObject({ token: 1, share: 1 });
    expect(distribution.draw(0.99, new Set([1])).token).toBe(2);
  });

  test("keeps to the nucleus: the fewest tokens with the wanted probability", () => {
    const probabilities = softmax(LOGITS);
    const kept = [0, 5, 1];
    const mass = kept.reduce((sum, token) => sum + (probabilities[token] ?? 0), 0);
    const distribution = new Distribution(rowOf(LOGITS), { ...PLAIN, topP: mass - 1e-3 });
    expectShares(
      shares(distribution, LOGITS.length),
      probabilities.map((one, token) => (kept.includes(token) ? one / mass : 0)),
    );
  });

  test("leaves out what is far less likely than the likeliest", () => {
    const probabilities = softmax(LOGITS);
    const distribution = new Distribution(rowOf(LOGITS), { ...PLAIN, minP: 0.3 });
    const kept = [0, 1, 5];
    const mass = kept.reduce((sum, token) => sum + (probabilities[token] ?? 0), 0);
    expectShares(
      shares(distribution, LOGITS.length),
      probabilities.map((one, token) => (kept.includes(token) ? one / mass : 0)),
    );
  });

  test("shares the probability of what is banned among the rest", () => {
    for (const sampling of [PLAIN, { ...PLAIN, topP: 0.9 }]) {
      const distribution = new Distribution(rowOf([2, 1.9, -30, -30]), sampling);
      expectShares(shares(distribution, 4, new Set([0])), [0, 1, 0, 0]);
    }
  });

  test("where all of the nucleus is banned takes the likeliest of the others", () => {
    const distribution = new Distribution(rowOf([9, 1, 2, -5]), { ...PLAIN, topP: 0.5 });
    expect(distribution.draw(0.5, new Set([0])).token).toBe(2);
  });

  test("says the model's own log-probability, whatever the temperature and the bans", () => {
    fc.assert(
      fc.property(
        fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 2, maxLength: 200 }),
        fc.constantFrom(0, 0.5, 1.3),
        fc.constantFrom(0.5, 0.95, 1),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (logits, temperature, topP, random) => {
          const row = rowOf(logits);
          const banned = new Set([row.above(row.max())[0] ?? 0]);
          const { token, logprob, share } = new Distribution(row, { temperature, topP, minP: 0 }).draw(
            random,
            banned,
          );
          expect(banned.has(token)).toBe(false);
          expect(logprob).toBeCloseTo(Math.log(softmax(row.values)[token] ?? 0), 4);
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1 + 1e-6);
        },
      ),
    );
  });
});

describe("random numbers", () => {
  test("are the same for a seed and a stream, others for another", () => {
    const take = (seed: number, stream: number) => {
      const next = randomNumbers(seed, stream);
      return Array.from({ length: 5 }, next);
    };
    expect(take(7, 1)).toEqual(take(7, 1));
    const firsts = [take(7, 1), take(7, 2), take(8, 1), take(7 + 2 ** 32, 1)].map(([first]) => first);
    expect(new Set(firsts).size).toBe(4);
  });

  test("are spread evenly, also the first ones of neighbouring streams", () => {
    const firsts = Array.from({ length: 2000 }, (_, stream) => randomNumbers(1, stream)());
    const mean = firsts.reduce((sum, one) => sum + one, 0) / firsts.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.03);
    expect(Math.min(...firsts)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...firsts)).toBeLessThan(1);
  });
});
