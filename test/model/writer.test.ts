/** Writing on a real (tiny, random) model: one reading of the prompt, samples that the judge finds as likely as they say. */
import { getEventListeners } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { LlamaEngine } from "../../server/engine/llama/llama-engine.ts";
import type { LlamaWriter } from "../../server/engine/llama/llama-writer.ts";
import { Turns } from "../../server/engine/turns.ts";
import type { Sample, SampleRequest } from "../../server/engine/writer.ts";
import { type LanguageModelFile, readLanguageModel } from "../../server/models/language-model.ts";
import { tinyEngine, tinyModel, tinyWriter } from "../helpers/tiny-model.ts";

const SETTINGS = {
  threads: 1,
  contextTokens: 1024,
  retainedTokens: 1024,
  batchTokens: 64,
  precision: "exact",
  turns: new Turns(),
} as const;

let folder: string;
let file: LanguageModelFile;
let writer: LlamaWriter;
/** Judges with the same weights. */
let judge: LlamaEngine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codescaler-writer-"));
  file = await readLanguageModel((await tinyModel(folder)).path);
  writer = await tinyWriter(file, SETTINGS);
  judge = await tinyEngine(file, SETTINGS);
});
afterAll(async () => {
  await writer.close();
  await judge.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  writer.forget();
});

const prompt = (seed: number, length = 100) =>
  Int32Array.from({ length }, (_, index) => (index * 31 + seed * 7) % 200);

const request = (change: Partial<SampleRequest> = {}): SampleRequest => ({
  prompt: prompt(1),
  count: 8,
  maxTokens: 12,
  sampling: { temperature: 0.8, topP: 0.95, minP: 0 },
  seed: 1,
  stops: [],
  priority: "interactive",
  ...change,
});
const texts = (samples: readonly Sample[]) => samples.map(({ text }) => text);

describe("samples", () => {
  test("are as many as wanted, all different, and end at the limit", async () => {
    const { samples } = await writer.sample(request());
    expect(samples.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(texts(samples)).size).toBe(8);
    for (const { finish, tokens } of samples) {
      expect(["stop", "length"]).toContain(finish);
      expect(tokens).toBeLessThanOrEqual(12);
    }
  });

  test("are the same for the same seed, with a prompt that is read anew or reused", async () => {
    const cold = await writer.sample(request());
    const warm = await writer.sample(request());
    expect(warm.cachedTokens).toBe(99);
    expect(warm.samples).toEqual(cold.samples);
    expect(texts((await writer.sample(request({ seed: 2 }))).samples)).not.toEqual(texts(cold.samples));
  });

  test("are as likely as the judge finds them", async () => {
    const { tokenizer } = writer;
    const { samples } = await writer.sample(
      request({ sampling: { temperature: 0, topP: 1, minP: 0 }, count: 1 }),
    );
    const [sample] = samples;
    // Greedy: the tokens are known by what the judge says is the likeliest.
    let text = prompt(1);
    let sum = 0;
    for (let index = 0; index < (sample?.tokens ?? 0); index++) {
      const continued = Array.from({ length: 512 }, (_, token) => Int32Array.of(...text, token));
      const { likelihoods } = await judge.score(continued, {
        priority: "bulk",
        spans: continued.map(({ length }) => ({ from: length - 1, to: length })),
      });
      const best = likelihoods.findIndex(({ gaps }) => gaps[0] === 0);
      sum += likelihoods[best]?.logprobs[0] ?? Number.NaN;
      text = Int32Array.of(...text, best);
    }
    expect(sample?.logprob).toBeCloseTo(sum, 3);
    const bytes = Buffer.concat(Array.from(text.subarray(100), (token) => tokenizer.bytesOf(token)));
    expect(new TextDecoder().decode(bytes).startsWith(sample?.text ?? "?")).toBe(true);
  });

  test("cost one step a token, however many they are", async () => {
    const one = await writer.sample(request({ count: 1 }));
    writer.forget();
    const eight = await writer.sample(request({ count: 8 }));
    // The prompt takes two calls: one less than its tokens in batches of 64.
    expect(one.decodeCalls).toBe(2 + 12);
    expect(eight.decodeCalls).toBeLessThanOrEqual(2 + 12 + 16);
  });

  test("of a longer prompt read only what is new of it", async () => {
    await writer.sample(request({ prompt: prompt(1, 80) }));
    expect((await writer.sample(request({ prompt: prompt(1, 100) }))).cachedTokens).toBe(79);
    // What was written is not taken for a part of the prompt.
    expect((await writer.sample(request({ prompt: prompt(2, 100) }))).cachedTokens).toBe(0);
    expect((await writer.sample(request({ prompt: prompt(1, 100) }))).cachedTokens).toBe(99);
  });

  test("of many prompts fit the context: what was used longest ago goes", async () => {
    for (let seed = 0; seed < 12; seed++) {
      const { samples } = await writer.sample(request({ prompt: prompt(seed, 400), maxTokens: 30 }));
      expect(samples.length).toBe(8);
    }
  });

  test("end where the text is complete", async () => {
    const { samples } = await writer.sample(
      request({ completeAt: async (texts) => texts.map((text) => (text.length >= 3 ? 3 : undefined)) }),
    );
    const complete = samples.filter(({ finish }) => finish === "syntax");
    expect(complete.length).toBeGreaterThan(4);
    expect(complete.every(({ text }) => text.length === 3)).toBe(true);
    expect(new Set(texts(samples)).size).toBe(8);
  });

  test("are told one by one, before the last one ends", async () => {
    const told: Sample[] = [];
    const { samples } = await writer.sample(request({ onSample: (sample) => told.push(sample) }));
    expect([...told].sort((a, b) => a.index - b.index)).toEqual(samples);
  });

  test("end when their time is up", async () => {
    const { samples } = await writer.sample(request({ maxTokens: 100, budgetMs: 0 }));
    expect(samples).toEqual([]);
  });
});

describe("requests", () => {
  test("that do not fit the context are refused with the numbers", async () => {
    await expect(writer.sample(request({ count: 32, maxTokens: 100 }))).rejects.toMatchObject({
      code: "too_long",
      message: /100 tokens and 32 completions of 100 .* context of 992/,
    });
  });

  test.each([{ count: 0 }, { count: 33 }, { maxTokens: 0 }, { prompt: new Int32Array() }])(
    "%o are refused in words",
    async (change) => {
      await expect(writer.sample(request(change))).rejects.toMatchObject({ code: "invalid_request" });
    },
  );

  test("with an id that is none are refused by name", async () => {
    await expect(writer.sample(request({ prompt: Int32Array.of(1, 99_999) }))).rejects.toThrow(/99999/);
  });

  test("that are cancelled end within a step, and leave nothing behind", async () => {
    const controller = new AbortController();
    let steps = 0;
    const running = writer.sample(
      request({
        maxTokens: 60,
        signal: controller.signal,
        completeAt: async (texts) => {
          if (++steps === 3) controller.abort(new Error("enough"));
          return texts.map(() => undefined);
        },
      }),
    );
    await expect(running).rejects.toThrow("enough");
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
    expect((await writer.sample(request())).samples.length).toBe(8);
  });

  test("wait for each other, and one that is given up meanwhile never begins", async () => {
    const controller = new AbortController();
    const first = writer.sample(request({ seed: 1 }));
    const second = writer.sample(request({ seed: 2, signal: controller.signal }));
    const third = writer.sample(request({ seed: 3 }));
    controller.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    expect((await first).samples.length).toBe(8);
    expect((await third).samples.length).toBe(8);
  });

  test("to judge take turns with those to write", async () => {
    const writing = writer.sample(request({ maxTokens: 60 }));
    const text = prompt(5, 300);
    await judge.score([text], { priority: "interactive", spans: [{ from: 1, to: 300 }] });
    const judged = performance.now();
    await writing;
    expect(performance.now()).toBeGreaterThan(judged);
  });
});

test("weights that are used twice are there until the last one is done", async () => {
  const other = await tinyWriter(file, SETTINGS);
  await writer.sample(request());
  await other.close();
  expect((await writer.sample(request())).samples.length).toBe(8);
  await expect(other.sample(request())).rejects.toMatchObject({ code: "restarting" });
});
