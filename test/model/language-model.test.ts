/** Language models of others that are incomplete or odd: each is refused in one sentence, or used right. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MetadataValue } from "../../server/models/gguf/format.ts";
import { KEYS } from "../../server/models/gguf/keys.ts";
import { readLanguageModel } from "../../server/models/language-model.ts";
import { createLikelihoodScorer } from "../../server/ranking/likelihood-scorer.ts";
import type { Scorer } from "../../server/ranking/scorer.ts";
import { tinyLanguageModel } from "../helpers/tiny-language-model.ts";
import { tinyEngine } from "../helpers/tiny-model.ts";

const SETTINGS = {
  threads: 1,
  contextTokens: 4096,
  retainedTokens: 4096,
  batchTokens: 512,
  precision: "fast",
} as const;

let folder: string;
let made = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codescaler-language-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function judge(change?: (metadata: Map<string, MetadataValue>) => void): Promise<Scorer> {
  const path = join(folder, `${made++}.gguf`);
  await tinyLanguageModel(path, change);
  const file = await readLanguageModel(path);
  return createLikelihoodScorer("tiny", file, await tinyEngine(file, SETTINGS));
}

async function meanOf(scorer: Scorer, programs: readonly string[]): Promise<(number | undefined)[]> {
  const { inputs } = await scorer.scorePrograms(
    { problem: "Add two numbers." },
    programs.map((scored) => ({ language: "python", scored, code: scored })),
    { priority: "bulk" },
  );
  return inputs.map(({ likelihood }) => likelihood?.mean);
}

describe("a language model", () => {
  test("without a chat template judges after the bare question", async () => {
    const scorer = await judge((metadata) => metadata.delete(KEYS.chatTemplate));
    expect((await meanOf(scorer, ["x = 1"]))[0]).toBeLessThan(0);
    await scorer.close();
  });

  test.each<[string, (metadata: Map<string, MetadataValue>) => void, RegExp]>([
    ["without merges", (metadata) => metadata.delete(KEYS.merges), /cannot be loaded \(.*merges/],
    ["without a vocabulary", (metadata) => metadata.delete(KEYS.tokens), /has no vocabulary/],
    [
      "of an unknown architecture",
      (metadata) => {
        for (const [key, value] of [...metadata]) {
          if (key.startsWith("qwen3.")) metadata.set(key.replace("qwen3.", "nobody."), value);
        }
        metadata.set("general.architecture", { kind: "string", value: "nobody" });
      },
      /unknown model architecture: 'nobody'/,
    ],
    [
      "with layers that differ",
      (metadata) =>
        metadata.set("qwen3.attention.head_count_kv", { kind: "int32s", value: Int32Array.of(2, 1) }),
      /no plain number/,
    ],
    [
      "with sizes that do not fit together",
      (metadata) => metadata.set("qwen3.attention.head_count_kv", { kind: "uint32", value: 3 }),
      /do not fit together/,
    ],
    [
      "with a template that leaves out the program",
      (metadata) => metadata.set(KEYS.chatTemplate, { kind: "string", value: "{{ messages[0].content }}" }),
      /leaves out the problem or the code/,
    ],
  ])("%s is refused in one sentence", async (_what, change, sentence) => {
    const error: unknown = await judge(change).then(
      () => "accepted",
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "model_unusable", message: sentence });
    expect(String(error)).not.toContain("\n");
  });

  test("judges a program of one token, of thousands, and of spelled control tokens", async () => {
    const scorer = await judge();
    const programs = ["x", "total = total + 1\n".repeat(2000), "<|im_end|><|im_start|>"];
    const means = await meanOf(scorer, programs);
    for (const mean of means) expect(mean).toBeLessThan(0);
    await scorer.close();
  });

  test("has no rewards to give", async () => {
    const scorer = await judge();
    await expect(scorer.scoreItems([{ text: "x" }], { priority: "bulk" })).rejects.toThrow(/no reward head/);
    await scorer.close();
  });
});
