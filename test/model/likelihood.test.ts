/** Log-probabilities from the engine on a real (tiny, random) model: complete, shared, and the same in any company. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Tokens } from "../../server/engine/engine.ts";
import type { Span } from "../../server/engine/likelihood.ts";
import type { LlamaEngine } from "../../server/engine/llama/llama-engine.ts";
import { readLanguageModel } from "../../server/models/language-model.ts";
import { tinyEngine, tinyModel } from "../helpers/tiny-model.ts";

const SETTINGS = {
  threads: 1,
  contextTokens: 1024,
  retainedTokens: 1024,
  batchTokens: 128,
  precision: "exact",
} as const;
const VOCABULARY = 512;

let folder: string;
/** The same weights as a language model, and with their reward head. */
let engine: LlamaEngine;
let both: LlamaEngine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codescaler-likelihood-"));
  const reward = await tinyModel(folder);
  engine = await tinyEngine(await readLanguageModel(reward.path), SETTINGS);
  both = await tinyEngine(reward, SETTINGS);
});
afterAll(async () => {
  await engine.close();
  await both.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await engine.forget();
  await both.forget();
});

let next = 1;
function ids(count: number): number[] {
  return Array.from({ length: count }, () => {
    next = (next * 1103515245 + 12345) % 2147483648;
    return next % 200;
  });
}
const tokens = (...parts: number[][]): Tokens => Int32Array.from(parts.flat());
const endOf =
  (from: number) =>
  (text: Tokens): Span => ({ from, to: text.length });

async function score(texts: readonly Tokens[], spanOf: (text: Tokens) => Span) {
  return engine.score(texts, { priority: "bulk", spans: texts.map(spanOf) });
}

async function oneByOne(texts: readonly Tokens[], spanOf: (text: Tokens) => Span): Promise<number[][]> {
  const all: number[][] = [];
  for (const text of texts) {
    await engine.forget();
    const { likelihoods } = await score([text], spanOf);
    all.push([...(likelihoods[0]?.logprobs ?? [])]);
  }
  await engine.forget();
  return all;
}

function expectClose(found: ArrayLike<number> | undefined, expected: readonly number[] | undefined): void {
  expect(found?.length).toBe(expected?.length);
  expected?.forEach((value, index) => {
    expect(found?.[index]).toBeCloseTo(value, 4);
  });
}

describe("log-probabilities", () => {
  test("of all tokens that could come next sum to one, and the best of them has no gap", async () => {
    const start = ids(20);
    const texts = Array.from({ length: VOCABULARY }, (_, token) => tokens(start, [token]));
    const { likelihoods, decodedTokens } = await score(texts, endOf(start.length));
    const logprobs = likelihoods.map((one) => one.logprobs[0] ?? Number.NaN);
    expect(logprobs.reduce((sum, logprob) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 5);
    const gaps = likelihoods.map((one) => one.gaps[0] ?? Number.NaN);
    expect(Math.max(...gaps)).toBe(0);
    expect(gaps.indexOf(0)).toBe(logprobs.indexOf(Math.max(...logprobs)));
    // One position is all that had to be decoded, in each of the groups: the rest came from the cache.
    expect(decodedTokens).toBeLessThan(start.length + VOCABULARY / 16);
  });

  test("over a trie are those of one text at a time, with each shared token decoded once", async () => {
    const question = ids(90);
    const begun = ids(12);
    const texts = [
      ...Array.from({ length: 5 }, () => tokens(question, begun, ids(30))),
      ...Array.from({ length: 3 }, () => tokens(question, ids(45))),
    ];
    const expected = await oneByOne(texts, endOf(question.length));
    const { likelihoods, decodedTokens } = await score(texts, endOf(question.length));
    // The last token of each is asked for, and nothing after it.
    expect(decodedTokens).toBe(90 + 12 + 5 * 29 + 3 * 44);
    likelihoods.forEach(({ logprobs }, index) => {
      expectClose(logprobs, expected[index]);
    });
  });

  test("of more tokens than one call may give are complete", async () => {
    const texts = Array.from({ length: 3 }, () => tokens(ids(300)));
    const expected = await oneByOne(texts, endOf(1));
    const { likelihoods } = await score(texts, endOf(1));
    likelihoods.forEach(({ logprobs }, index) => {
      expect(logprobs.length).toBe(299);
      expectClose(logprobs, expected[index]);
    });
  });

  test("that are known are not computed again, in whatever company they are asked for", async () => {
    const question = ids(50);
    const texts = Array.from({ length: 4 }, () => tokens(question, ids(20)));
    const first = await score(texts, endOf(50));
    const second = await score([...texts].reverse(), endOf(50));
    expect(second.decodedTokens).toBe(0);
    expect([...second.likelihoods].reverse()).toEqual(first.likelihoods);
  });

  test("of a candidate that begins like an old one cost what differs, and the token before it", async () => {
    const question = ids(50);
    const begun = ids(30);
    await score([tokens(question, begun, ids(10))], endOf(50));
    const added = tokens(question, begun, [201], ids(9));
    const { likelihoods, decodedTokens } = await score([added], endOf(50));
    expect(decodedTokens).toBe(10);
    expectClose(likelihoods[0]?.logprobs, (await oneByOne([added], endOf(50)))[0]);
  });

  test("of a part of a text are those of the whole", async () => {
    const text = tokens(ids(60));
    const [whole] = await oneByOne([text], endOf(1));
    const { likelihoods } = await score([text], () => ({ from: 20, to: 40 }));
    expectClose(likelihoods[0]?.logprobs, whole?.slice(19, 39));
    // What stands before and behind it was decoded, but nobody had asked for its value.
    const { likelihoods: rest } = await score([text], endOf(1));
    expectClose(rest[0]?.logprobs, whole);
  });

  test("come with the reward in one pass, where the model has a head", async () => {
    const question = ids(60);
    const texts = Array.from({ length: 3 }, () => tokens(question, ids(25)));
    const expected = await oneByOne(texts, endOf(60));
    const alone = await both.score(texts, { priority: "bulk" });
    await both.forget();
    const spans = texts.map(endOf(60));
    const { rewards, likelihoods, decodedTokens } = await both.score(texts, { priority: "bulk", spans });
    expect(decodedTokens).toBe(alone.decodedTokens);
    rewards.forEach((reward, index) => {
      expect(reward).toBeCloseTo(alone.rewards[index] ?? Number.NaN, 4);
    });
    likelihoods.forEach(({ logprobs }, index) => {
      expectClose(logprobs, expected[index]);
    });
  });

  test("asked for after the reward are right, and the cache holds no more than it may", async () => {
    const texts = Array.from({ length: 6 }, () => tokens(ids(150)));
    const expected = await oneByOne(texts, endOf(1));
    await both.score(texts, { priority: "bulk" });
    const { likelihoods } = await both.score(texts, { priority: "bulk", spans: texts.map(endOf(1)) });
    likelihoods.forEach(({ logprobs }, index) => {
      expectClose(logprobs, expected[index]);
    });
  });

  test("of a span without tokens are none, and cost nothing", async () => {
    const { likelihoods, decodedTokens } = await score([tokens(ids(5))], () => ({ from: 3, to: 3 }));
    expect(likelihoods[0]?.logprobs.length).toBe(0);
    expect(decodedTokens).toBe(0);
  });

  test("of the first token of all, or of tokens that are not there, are refused in words", async () => {
    for (const span of [
      { from: 0, to: 3 },
      { from: 2, to: 9 },
    ]) {
      await expect(score([tokens(ids(5))], () => span)).rejects.toMatchObject({
        code: "invalid_request",
        message: /cannot be judged/,
      });
    }
  });
});

test("a language model has no rewards", async () => {
  expect((await engine.score([tokens(ids(5))], { priority: "bulk" })).rewards.length).toBe(0);
});
