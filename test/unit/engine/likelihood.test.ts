import { describe, expect, test } from "vitest";
import { LikelihoodMemory, PendingLikelihood } from "../../../server/engine/likelihood.ts";

const TEXT = Int32Array.of(7, 3, 5, 9, 2);

describe("likelihoods of a span", () => {
  test("are wanted until they are given, from the first one on", () => {
    const pending = new PendingLikelihood(TEXT, { from: 2, to: 4 }, new LikelihoodMemory());
    expect([1, 2, 3, 4].filter((position) => pending.wants(position))).toEqual([2, 3]);
    pending.give(2, { logprob: -1, gap: -0.5 });
    expect(pending.firstUnknown).toBe(3);
    pending.give(3, { logprob: -2, gap: 0 });
    expect(pending.firstUnknown).toBeUndefined();
    expect(pending.part({ from: 2, to: 4 })).toEqual({
      logprobs: Float32Array.of(-1, -2),
      gaps: Float32Array.of(-0.5, 0),
    });
  });

  test("are known to every later text that goes the same way, as far as it does", () => {
    const memory = new LikelihoodMemory();
    const first = new PendingLikelihood(TEXT, { from: 1, to: 5 }, memory);
    for (const position of [1, 2, 3, 4]) first.give(position, { logprob: -position, gap: 0 });
    const other = new PendingLikelihood(Int32Array.of(7, 3, 5, 8, 2), { from: 1, to: 5 }, memory);
    expect(other.firstUnknown).toBe(3);
    expect([...other.part({ from: 1, to: 3 }).logprobs]).toEqual([-1, -2]);
    // The same token after another text is another one.
    expect(other.wants(4)).toBe(true);
  });

  test("of a text with another beginning are not taken for known", () => {
    const memory = new LikelihoodMemory();
    new PendingLikelihood(TEXT, { from: 4, to: 5 }, memory).give(4, { logprob: -1, gap: 0 });
    const other = new PendingLikelihood(Int32Array.of(8, 3, 5, 9, 2), { from: 4, to: 5 }, memory);
    expect(other.firstUnknown).toBe(4);
  });

  test("that another request found meanwhile are recalled", () => {
    const memory = new LikelihoodMemory();
    const waiting = new PendingLikelihood(TEXT, { from: 4, to: 5 }, memory);
    new PendingLikelihood(TEXT, { from: 4, to: 5 }, memory).give(4, { logprob: -1, gap: 0 });
    expect(waiting.firstUnknown).toBe(4);
    waiting.recall();
    expect(waiting.firstUnknown).toBeUndefined();
  });
});
