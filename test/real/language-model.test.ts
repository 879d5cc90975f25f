/** A real language model as judge and as writer: SmolLM2-135M-Instruct. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LanguageModelFile, readLanguageModel } from "../../server/models/language-model.ts";
import { createLikelihoodScorer } from "../../server/ranking/likelihood-scorer.ts";
import { createTextWriter } from "../../server/writing/text-writer.ts";
import { tinyEngine, tinyWriter } from "../helpers/tiny-model.ts";
import { dequantise } from "./dequantise.ts";
import { nameOf, realModel, SMOLLM2 } from "./models.ts";

interface Recorded {
  readonly ids: readonly number[];
  /** Of each token but the first, by transformers on the dequantised weights. */
  readonly logprobs: readonly number[];
}

const recorded: Recorded[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/likelihood/smollm2-135m.json"), "utf8"),
);
const texts = recorded.map(({ ids }) => Int32Array.from(ids));
const SETTINGS = {
  threads: 1,
  contextTokens: 1024,
  retainedTokens: 1024,
  batchTokens: 512,
} as const;

const path = await realModel(SMOLLM2);

describe.skipIf(path === undefined)(nameOf(SMOLLM2), () => {
  let file: LanguageModelFile;
  let folder: string;

  beforeAll(async () => {
    file = await readLanguageModel(path ?? "");
    folder = await mkdtemp(join(tmpdir(), "codescaler-real-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** What the engine gives every token but the first, and how far that is from what was recorded. */
  async function differences(model: LanguageModelFile, precision: "exact" | "fast"): Promise<number[]> {
    const engine = await tinyEngine(model, { ...SETTINGS, precision });
    try {
      const { likelihoods } = await engine.score(texts, {
        priority: "bulk",
        spans: texts.map(({ length }) => ({ from: 1, to: length })),
      });
      return likelihoods.flatMap(({ logprobs }, index) =>
        (recorded[index]?.logprobs ?? []).map((value, place) => (logprobs[place] ?? Number.NaN) - value),
      );
    } finally {
      await engine.close();
    }
  }
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const largest = (values: readonly number[]) => Math.max(...values.map(Math.abs));

  test("in float32 gives every token the log-probability that transformers gives it", {
    timeout: 600_000,
  }, async () => {
    const exact = join(folder, "f32.gguf");
    await dequantise(path ?? "", exact);
    const model = await readLanguageModel(exact);
    expect(largest(await differences(model, "exact"))).toBeLessThan(1e-3);
    // Flash attention, and keys and values in float16.
    expect(largest(await differences(model, "fast"))).toBeLessThan(0.05);
  });

  test("as it is differs by what llama.cpp rounds activations to, and little in the mean", async () => {
    const all = await differences(file, "fast");
    // 0.08 and 0.02 were measured.
    expect(mean(all.map(Math.abs))).toBeLessThan(0.15);
    expect(Math.abs(mean(all))).toBeLessThan(0.05);
  });

  test("finds a right program likelier than the same one with a bug", async () => {
    const engine = await tinyEngine(file, { ...SETTINGS, precision: "fast" });
    const judge = createLikelihoodScorer("smollm2", file, engine);
    const programs = ["n % 2 == 0", "n % 2 == 1"].map((condition) => {
      const scored = `def sum_even(numbers):\n    return sum(n for n in numbers if ${condition})\n`;
      return { language: "python", scored, code: scored };
    });
    const problem = "Write a Python function that returns the sum of the even numbers in a list.";
    const { inputs } = await judge.scorePrograms({ problem }, programs, { priority: "bulk" });
    const [right, wrong] = inputs.map(({ likelihood }) => likelihood?.mean ?? Number.NaN);
    expect(right).toBeGreaterThan(wrong ?? Number.NaN);
    await judge.close();
  });

  test("writes different answers to a question, and says how likely they are", async () => {
    const engine = await tinyWriter(file, { ...SETTINGS, precision: "fast" });
    const writer = createTextWriter("smollm2", file, engine);
    const request = {
      prompt: {
        messages: [{ role: "user" as const, content: "Write a Python function that adds two numbers." }],
      },
      count: 4,
      maxTokens: 24,
      sampling: { temperature: 0.8, topP: 0.95, minP: 0 },
      seed: 1,
      stops: [],
      priority: "bulk" as const,
    };
    const first = await writer.write(request);
    const again = await writer.write(request);
    expect(new Set(first.samples.map(({ text }) => text)).size).toBe(4);
    expect(again.samples).toEqual(first.samples);
    expect(again.cachedTokens).toBe(again.promptTokens - 1);
    for (const { logprob, tokens } of first.samples) expect(logprob / tokens).toBeGreaterThan(-3);
    await writer.close();
  });
});
