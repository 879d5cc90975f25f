/**
 * Log-probabilities of the engine against those of Hugging Face transformers, on a tiny checkpoint of each architecture
 * (training/parity/record_likelihood.py). On real weights: test/real/likelihood.test.ts.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LlamaEngine } from "../../server/engine/llama/llama-engine.ts";
import { convert } from "../../server/models/convert/convert-checkpoint.ts";
import { readLanguageModel } from "../../server/models/language-model.ts";
import { parityFixtures } from "../helpers/parity-fixtures.ts";
import { tinyEngine } from "../helpers/tiny-model.ts";

interface Recorded {
  readonly name: string;
  /** Of each token but the first: float64, from the library's own backbone in float32. */
  readonly logprobs: readonly number[];
}

/** Sums of float32 in another order; what is asked for is 1e-3. */
const TOLERANCE = (process.env["CODESCALER_TEST_BACKEND"] ?? "cpu") === "cpu" ? 1e-4 : 2e-2;
const SETTINGS = {
  threads: 1,
  contextTokens: 2048,
  retainedTokens: 2048,
  batchTokens: 512,
  precision: "exact",
} as const;

const fixtures = parityFixtures().filter(({ folder }) => existsSync(join(folder, "..", "likelihood.json")));

test("each architecture has a fixture", () => {
  expect(fixtures.map(({ name }) => name)).toEqual(["acecode", "qwen3-tied", "skywork-llama"]);
});

describe.each(fixtures)("likelihoods as transformers has them: $name", (fixture) => {
  const recorded: Recorded[] = JSON.parse(
    readFileSync(join(fixture.folder, "..", "likelihood.json"), "utf8"),
  );
  const texts = recorded.map(({ name }) => {
    const record = fixture.records.find((one) => one.name === name);
    if (!record) throw new Error(`${name} was not recorded`);
    return Int32Array.from(record.ids);
  });
  let folder: string;
  let engine: LlamaEngine;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "codescaler-likelihood-parity-"));
    const path = join(folder, "model.gguf");
    await convert(fixture.folder, path, { type: "f32", maxTokens: fixture.limit });
    engine = await tinyEngine(await readLanguageModel(path), SETTINGS);
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  test("every token of every text, together over one token trie", async () => {
    const { likelihoods } = await engine.score(texts, {
      priority: "bulk",
      spans: texts.map(({ length }) => ({ from: 1, to: length })),
    });
    likelihoods.forEach(({ logprobs }, index) => {
      const expected = recorded[index]?.logprobs ?? [];
      expect(logprobs.length).toBe(expected.length);
      const differences = expected.map((value, place) => Math.abs(value - (logprobs[place] ?? Number.NaN)));
      expect(Math.max(...differences)).toBeLessThan(TOLERANCE);
    });
  });
});
