/** The engine on a real (tiny, random) model through libllama: what is decoded is counted at the decode call. */

import { getEventListeners } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Tokens } from "../../server/engine/engine.ts";
import type { LlamaEngine } from "../../server/engine/llama/llama-engine.ts";
import { INTERACTIVE_IN_A_ROW } from "../../server/engine/queue.ts";
import type { EngineSettings } from "../../server/engine/settings.ts";
import { tinyEngine, tinyModel } from "../helpers/tiny-model.ts";

const SETTINGS: EngineSettings = {
  // Two threads wait for each other at every layer: on a busy machine one is faster for a model this small.
  threads: 1,
  contextTokens: 1024,
  retainedTokens: 1024,
  batchTokens: 64,
  precision: "exact",
};

let folder: string;
let engine: LlamaEngine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codescaler-engine-"));
  engine = await tinyEngine(await tinyModel(folder), SETTINGS);
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => engine.forget());

let next = 1;
/** Deterministic ids of ordinary text. */
function ids(count: number): number[] {
  return Array.from({ length: count }, () => {
    next = (next * 1103515245 + 12345) % 2147483648;
    return next % 200;
  });
}
const tokens = (...parts: number[][]): Tokens => Int32Array.from(parts.flat());

/** Nodes of the token trie, counted the plain way: distinct prefixes. */
function distinctPrefixes(sequences: readonly Tokens[]): number {
  const seen = new Set<string>();
  for (const sequence of sequences) {
    let prefix = "";
    for (const token of sequence) {
      prefix += `${token},`;
      seen.add(prefix);
    }
  }
  return seen.size;
}
const score = (
  sequences: readonly Tokens[],
  priority: "interactive" | "bulk" = "interactive",
  signal?: AbortSignal,
) => engine.score(sequences, { priority, ...(signal && { signal }) });

async function oneByOne(sequences: readonly Tokens[]): Promise<number[]> {
  const rewards: number[] = [];
  for (const sequence of sequences) {
    await engine.forget();
    rewards.push((await score([sequence])).rewards[0] ?? Number.NaN);
  }
  await engine.forget();
  return rewards;
}

describe("the token trie", () => {
  test("gives the rewards of one-by-one scoring and decodes each shared token once", async () => {
    const question = ids(100);
    const start = ids(20);
    const texts = [
      ...Array.from({ length: 5 }, () => tokens(question, start, ids(30))),
      ...Array.from({ length: 3 }, () => tokens(question, ids(45))),
      tokens(ids(70)),
    ];
    const expected = await oneByOne(texts);
    const { rewards, decodedTokens } = await score(texts);
    expect(decodedTokens).toBe(distinctPrefixes(texts));
    for (const [index, reward] of rewards.entries())
      expect(reward).toBeCloseTo(expected[index] ?? Number.NaN, 4);
  });

  test("a later request with one more candidate decodes only that candidate's own tokens", async () => {
    const question = ids(90);
    const texts = Array.from({ length: 4 }, () => tokens(question, ids(25)));
    await score(texts);
    const own = ids(33);
    const added = tokens(question, own);
    const { decodedTokens } = await score([...texts, added]);
    expect(decodedTokens).toBe(distinctPrefixes([...texts, added]) - distinctPrefixes(texts));
    expect(decodedTokens).toBeGreaterThan(30);
  });

  test("a new candidate that begins like an old one decodes only what differs", async () => {
    const first = ids(80);
    await score([tokens(first, ids(20))]);
    const { decodedTokens } = await score([tokens(first, [201], ids(10))]);
    expect(decodedTokens).toBe(11);
  });

  test("the same texts again decode nothing, in any order", async () => {
    const texts = Array.from({ length: 4 }, () => tokens(ids(40)));
    const first = await score(texts);
    const second = await score([...texts].reverse());
    expect(second.decodedTokens).toBe(0);
    expect([...second.rewards].reverse()).toEqual([...first.rewards]);
  });

  test("one text that begins another is scored as if alone", async () => {
    const long = ids(50);
    const texts = [tokens(long), tokens(long.slice(0, 30)), tokens(long.slice(0, 1))];
    const expected = await oneByOne(texts);
    const { rewards } = await score(texts);
    for (const [index, reward] of rewards.entries())
      expect(reward).toBeCloseTo(expected[index] ?? Number.NaN, 4);
  });

  test("256 candidates that exceed the context several times are split, and none is lost", async () => {
    const question = ids(64);
    const texts = Array.from({ length: 256 }, () => tokens(question, ids(24)));
    const { rewards, decodedTokens } = await score(texts);
    expect(decodedTokens).toBe(distinctPrefixes(texts));
    const sample = [0, 100, 255].map((index) => texts[index] ?? new Int32Array());
    const expected = await oneByOne(sample);
    expect(rewards[0]).toBeCloseTo(expected[0] ?? Number.NaN, 4);
    expect(rewards[100]).toBeCloseTo(expected[1] ?? Number.NaN, 4);
    expect(rewards[255]).toBeCloseTo(expected[2] ?? Number.NaN, 4);
  });

  test("after many unrelated requests evicted it, a question is decoded anew and scored right", async () => {
    const question = ids(300);
    await score([tokens(question, ids(20))]);
    for (let request = 0; request < 8; request++) await score([tokens(ids(300)), tokens(ids(200))]);
    const text = tokens(question, ids(20));
    const { rewards, decodedTokens } = await score([text]);
    expect(decodedTokens).toBeGreaterThan(300);
    expect(rewards[0]).toBeCloseTo((await oneByOne([text]))[0] ?? Number.NaN, 4);
  });
});

describe("refusals", () => {
  test("an input longer than the context is refused with its length", async () => {
    await expect(score([tokens(ids(1100))])).rejects.toMatchObject({
      code: "too_long",
      message: /1100 tokens/,
    });
  });

  test("an empty input and an unknown token are refused before the native call", async () => {
    await expect(score([new Int32Array()])).rejects.toMatchObject({ code: "invalid_request" });
    await expect(score([Int32Array.of(5, 1_000_000)])).rejects.toMatchObject({ code: "invalid_request" });
    await expect(score([Int32Array.of(-1)])).rejects.toMatchObject({ code: "invalid_request" });
    expect((await score([tokens(ids(5))])).rewards).toHaveLength(1);
  });
});

describe("the queue", () => {
  test("interactive work overtakes bulk work that is already running", async () => {
    const finished: string[] = [];
    const bulk = score(
      Array.from({ length: 40 }, () => tokens(ids(150))),
      "bulk",
    ).then((result) => {
      finished.push("bulk");
      return result;
    });
    // Let the bulk job start its first batch.
    await new Promise((resolve) => setImmediate(resolve));
    const interactive = score([tokens(ids(20))]).then(() => finished.push("interactive"));
    const { rewards } = await bulk;
    await interactive;
    expect(finished).toEqual(["interactive", "bulk"]);
    expect(rewards.every(Number.isFinite)).toBe(true);
  });

  test("a cancelled request stops before it decoded everything, and the next one is right", async () => {
    const controller = new AbortController();
    const before = engine.decodedTotal;
    const work = score(
      Array.from({ length: 60 }, () => tokens(ids(150))),
      "bulk",
      controller.signal,
    );
    setTimeout(() => controller.abort(new Error("gone")), 5);
    await expect(work).rejects.toThrow("gone");
    const text = tokens(ids(30));
    const [reward] = (await score([text])).rewards;
    expect(engine.decodedTotal - before).toBeLessThan(60 * 150);
    expect(reward).toBeCloseTo((await oneByOne([text]))[0] ?? Number.NaN, 4);
  });

  test("an interactive request waits for no more than the batch that runs, whenever it comes", async () => {
    const bulk = score(
      Array.from({ length: 100 }, () => tokens(ids(120))),
      "bulk",
    );
    const waited: number[] = [];
    for (let request = 0; request < 8; request++) {
      // Let the bulk work run on for a number of batches, another one each time.
      const enough = engine.decodedTotal + 100 * request;
      while (engine.decodedTotal < enough) await new Promise((resolve) => setImmediate(resolve));
      const before = engine.decodedTotal;
      const { decodedTokens } = await score([tokens(ids(20))]);
      waited.push(engine.decodedTotal - before - decodedTokens);
    }
    expect(Math.max(...waited)).toBeLessThanOrEqual(SETTINGS.batchTokens);
    const { rewards, decodedTokens } = await bulk;
    expect(rewards.every(Number.isFinite)).toBe(true);
    // Interruptions cost the bulk work nothing that was not pushed out of the cache.
    expect(decodedTokens).toBeLessThan(100 * 120 * 1.2);
  });

  test("bulk work ends under interactive work without a pause, and has a turn after four of it", async () => {
    await engine.forget();
    let ended = false;
    const bulk = score(
      Array.from({ length: 12 }, () => tokens(ids(150))),
      "bulk",
    ).then((result) => {
      ended = true;
      return result;
    });
    let interactive = 0;
    const client = async () => {
      while (!ended) {
        await score([tokens(ids(60))]);
        interactive += 1;
      }
    };
    // One waits while another one is answered, so that there is always more urgent work.
    await Promise.all([client(), client(), client()]);
    const { rewards, decodedTokens } = await bulk;
    expect(rewards.every(Number.isFinite)).toBe(true);
    // Each turn decodes a batch, and what was pushed out of the cache between turns is decoded again.
    expect(interactive).toBeGreaterThan(4);
    expect(interactive).toBeLessThan(
      (INTERACTIVE_IN_A_ROW + 3) * (decodedTokens / SETTINGS.batchTokens) + 10,
    );
  });

  test("after a request is cancelled nothing more is decoded for it than the batch that runs", async () => {
    for (const batches of [0, 1, 5]) {
      const controller = new AbortController();
      const work = score(
        Array.from({ length: 60 }, () => tokens(ids(150))),
        "bulk",
        controller.signal,
      ).catch((error: unknown) => error);
      const enough = engine.decodedTotal + batches * SETTINGS.batchTokens;
      await new Promise((resolve) => setImmediate(resolve));
      while (engine.decodedTotal < enough) await new Promise((resolve) => setImmediate(resolve));
      const before = engine.decodedTotal;
      controller.abort(new Error("gone"));
      expect(await work).toMatchObject({ message: "gone" });
      // Forgetting waits for the worker, which may still be in its last batch.
      await engine.forget();
      expect(engine.decodedTotal - before).toBeLessThanOrEqual(SETTINGS.batchTokens);
    }
  });

  test("a request that waits is cancelled without waiting for the one before it", async () => {
    const controller = new AbortController();
    const first = score(Array.from({ length: 30 }, () => tokens(ids(150))));
    const second = score([tokens(ids(10))], "interactive", controller.signal);
    controller.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    await first;
  });

  test("requests beyond the queue's bound are told to come back", async () => {
    const work = Array.from({ length: 80 }, () => score([tokens(ids(40))]).catch((error: unknown) => error));
    const results = await Promise.all(work);
    const refused = results.filter((result) => result instanceof Error);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ code: "too_busy" });
    expect(results.length - refused.length).toBeGreaterThanOrEqual(64);
  });

  test("the same texts asked twice at once are decoded once", async () => {
    const texts = [tokens(ids(50)), tokens(ids(60))];
    const [first, second] = await Promise.all([score(texts), score(texts)]);
    expect(first.decodedTokens).toBe(distinctPrefixes(texts));
    expect(second.decodedTokens).toBe(0);
    expect([...second.rewards]).toEqual([...first.rewards]);
  });

  test("a signal that outlives its requests holds none of them", async () => {
    const controller = new AbortController();
    for (let request = 0; request < 5; request++) await score([tokens(ids(20))], "bulk", controller.signal);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("a flood of bulk requests does not turn away an interactive one", async () => {
    const flood = Array.from({ length: 80 }, () => score([tokens(ids(40))], "bulk").catch(() => undefined));
    await expect(score([tokens(ids(10))])).resolves.toBeDefined();
    await Promise.all(flood);
  });
});

describe("what is kept between requests", () => {
  let frugal: LlamaEngine;
  beforeAll(async () => {
    frugal = await tinyEngine(await tinyModel(folder), { ...SETTINGS, retainedTokens: 128 });
  });
  afterAll(() => frugal.close());
  beforeEach(() => frugal.forget());

  test("is as little where requests follow each other without a pause as where nothing follows", async () => {
    const long = ids(300);
    const requests = [tokens(long), tokens(ids(300)), tokens(long, ids(1))];
    const decoded = await Promise.all(
      requests.map(async (request) => (await frugal.score([request], { priority: "bulk" })).decodedTokens),
    );
    // The third finds nothing of the first: cells that are never given back would slow every request between.
    expect(decoded).toEqual([300, 300, 301]);
  });

  test("is also what an interrupted request decoded, however much that is", async () => {
    const bulk = frugal.score([tokens(ids(700))], { priority: "bulk" });
    const enough = frugal.decodedTotal + 600;
    let interruptions = 0;
    while (frugal.decodedTotal < enough) {
      await new Promise((resolve) => setImmediate(resolve));
      await frugal.score([tokens(ids(10))], { priority: "interactive" });
      interruptions++;
    }
    expect(interruptions).toBeGreaterThan(2);
    expect((await bulk).decodedTokens).toBe(700);
  });
});
