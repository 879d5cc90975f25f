/** Kept rewards: what is found again, and that they do not grow for ever. */
import { describe, expect, test } from "vitest";
import { GENERATION, RewardCache } from "../../../server/engine/reward-cache.ts";

describe("kept rewards", () => {
  test.each([10, GENERATION, 2 * GENERATION + 1, 4 * GENERATION - 1])(
    "of %i the last ones are all there, and never more than two generations in memory",
    (rewards) => {
      const cache = new RewardCache();
      let most = 0;
      for (let index = 0; index < rewards; index++) {
        cache.set(`key ${index}`, index);
        most = Math.max(most, cache.size);
      }
      expect(most).toBeLessThanOrEqual(2 * GENERATION);
      for (let index = rewards - 1; index >= Math.max(0, rewards - GENERATION); index--) {
        if (cache.get(`key ${index}`) !== index) expect.unreachable(`${index} of ${rewards} is gone`);
      }
    },
  );

  test("what is used again and again stays", () => {
    const cache = new RewardCache();
    cache.set("used", 0.5);
    for (let index = 0; index < 5 * GENERATION; index++) {
      cache.set(`key ${index}`, index);
      if (index % 1000 === 0) expect(cache.get("used")).toBe(0.5);
    }
  });

  test("equal sequences are one question, and a reward of 0 is one", () => {
    const cache = new RewardCache();
    const [a, b] = [Int32Array.of(1, 2), Int32Array.of(1, 2, 3)];
    const first = cache.lookUp([a, b, Int32Array.of(1, 2)]);
    expect(first.pending.size).toBe(2);
    expect(first.keys[2]).toBe(first.keys[0]);
    for (const key of first.keys) cache.set(key, 0);
    expect(cache.lookUp([a, b])).toMatchObject({ pending: new Map() });
    cache.clear();
    expect(cache.lookUp([a, b]).pending.size).toBe(2);
  });
});
