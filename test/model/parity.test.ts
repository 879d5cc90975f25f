/**
 * Our whole path from a Hugging Face folder to a reward (convert, render, tokenize, decode, head) against what Hugging
 * Face's own stack recorded for the same folder. CODESCALER_PARITY_DIR names another set of fixtures.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LlamaEngine } from "../../server/engine/llama/llama-engine.ts";
import type { EngineSettings } from "../../server/engine/settings.ts";
import { convert } from "../../server/models/convert/convert-checkpoint.ts";
import { readRewardModel } from "../../server/models/read-model.ts";
import { createRenderer, type Renderer } from "../../server/rendering/renderer.ts";
import { parityFixtures } from "../helpers/parity-fixtures.ts";
import { tinyEngine } from "../helpers/tiny-model.ts";

/**
 * The largest difference that a correct forward pass may show: float32 sums in another order on a CPU, and on a GPU
 * matrix products with factors in float16, for which 8.5e-3 were measured.
 */
const TOLERANCE = (process.env["CODESCALER_TEST_BACKEND"] ?? "cpu") === "cpu" ? 1e-4 : 2e-2;
const PRIORITY = { priority: "bulk" } as const;
const SETTINGS: EngineSettings = {
  threads: 1,
  // Eight of the longest inputs: they share tokens, and the rest comes in further groups.
  contextTokens: 2048,
  retainedTokens: 2048,
  batchTokens: 512,
  precision: "exact",
};

describe.each(parityFixtures())("parity with Hugging Face: $name", (fixture) => {
  const records = fixture.records.filter((record) => record.refused === undefined);
  const inputs = records.map((record) => Int32Array.from(record.ids));
  let folder: string;
  let engine: LlamaEngine;
  let renderer: Renderer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "codescaler-parity-"));
    const path = join(folder, `${fixture.name}.gguf`);
    await convert(fixture.folder, path, { type: "f32", maxTokens: fixture.limit });
    const file = await readRewardModel(path);
    expect(file.family).toBe(fixture.family);
    engine = await tinyEngine(file, SETTINGS);
    renderer = createRenderer(file, engine.tokenizer);
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  test.each(records)("text and token ids: $name", ({ messages, criterion, text, ids, truncated }) => {
    const rendered = renderer.render(messages, { criterion });
    expect(rendered.text).toBe(text);
    expect([...rendered.tokens]).toEqual(ids);
    expect(rendered.truncated).toBe(truncated);
  });

  test("refuses what the reference refuses", () => {
    for (const { messages, criterion, refused } of fixture.records) {
      if (refused !== undefined) expect(() => renderer.render(messages, { criterion }), refused).toThrow();
    }
  });

  test("a rendered text that spells no control token in its contents encodes to the same ids", () => {
    const spellings = [...engine.tokenizer.added.keys()];
    const plain = records.filter(
      ({ messages, truncated }) =>
        !truncated &&
        !messages.some(({ content }) => spellings.some((spelling) => content.includes(spelling))),
    );
    expect(plain.length).toBeGreaterThan(0);
    for (const { text, ids } of plain) expect([...renderer.encodeRendered(text)]).toEqual(ids);
  });

  test("rewards, each input alone in an empty cache", async () => {
    const differences = new Map<string, number>();
    for (const [index, tokens] of inputs.entries()) {
      await engine.forget();
      const { rewards } = await engine.score([tokens], PRIORITY);
      const record = records[index];
      if (record) differences.set(record.name, Math.abs((rewards[0] ?? Number.NaN) - record.reward));
    }
    expect(tooLarge(differences)).toEqual([]);
  });

  test("rewards, all inputs together over one token trie", async () => {
    await engine.forget();
    const { rewards } = await engine.score(inputs, PRIORITY);
    const differences = new Map(
      records.map((record, index) => [record.name, Math.abs((rewards[index] ?? Number.NaN) - record.reward)]),
    );
    expect(tooLarge(differences)).toEqual([]);
  });
});

/** What differs by more than the tolerance; NaN does. */
function tooLarge(differences: ReadonlyMap<string, number>): [string, number][] {
  return [...differences].filter(([, difference]) => !(difference <= TOLERANCE));
}
