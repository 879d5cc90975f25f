/** The linear and the matching part of a reward through the real engine: converted, loaded by libllama, added where the text is known. */
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { convert } from "../../server/models/convert/convert-checkpoint.ts";
import { MATCHING_VERSION, NGRAM_VERSION } from "../../server/models/gguf/keys.ts";
import type { RewardModelFile } from "../../server/models/model-file.ts";
import { readRewardModel } from "../../server/models/read-model.ts";
import { createScorer, type ScoreItem, type Scorer } from "../../server/ranking/scorer.ts";
import { matchingValue } from "../../server/ranking/text-parts/matching.ts";
import { ngramValue } from "../../server/ranking/text-parts/ngram.ts";
import type { Message } from "../../shared/contract.ts";
import { parityFixtures } from "../helpers/parity-fixtures.ts";
import { tinyEngine } from "../helpers/tiny-model.ts";

const SETTINGS = {
  threads: 1,
  contextTokens: 2048,
  retainedTokens: 2048,
  batchTokens: 512,
  precision: "exact",
} as const;
const MAX_TOKENS = 128;
const TEMPLATE =
  "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endfor %}";

let folder: string;
let file: RewardModelFile;
let scorer: Scorer;
let bare: Scorer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codescaler-ngram-"));
  const qwen3 = parityFixtures().find(({ family }) => family === "codescaler");
  if (!qwen3) throw new Error("there is no fixture of Qwen3");
  await cp(qwen3.folder, join(folder, "nano"), { recursive: true });
  const weights = Buffer.from(Int8Array.from({ length: 2 ** 18 }, (_, bucket) => (bucket % 255) - 127));
  await writeFile(
    join(folder, "nano/ngram.json"),
    JSON.stringify({
      version: NGRAM_VERSION,
      scale: 0.01,
      coefficient: 0.5,
      weights: weights.toString("base64"),
    }),
  );
  const table = Buffer.from(
    Int8Array.from({ length: 2 ** 15 * 64 }, (_, i) => (Math.imul(i, i) % 251) - 125),
  );
  await writeFile(
    join(folder, "nano/matching.json"),
    JSON.stringify({
      version: MATCHING_VERSION,
      dimensions: 64,
      coefficient: 2,
      problem: table.toString("base64"),
      program: table.subarray().reverse().toString("base64"),
    }),
  );
  await writeFile(join(folder, "nano/chat_template.jinja"), TEMPLATE);
  const path = join(folder, "nano.gguf");
  await convert(join(folder, "nano"), path, { type: "f32", family: "nano", maxTokens: MAX_TOKENS });
  file = await readRewardModel(path);
  scorer = createScorer("with", file, await tinyEngine(file, SETTINGS));
  bare = createScorer(
    "without",
    { ...file, ngram: undefined, matching: undefined },
    await tinyEngine(file, SETTINGS),
  );
});
afterAll(async () => {
  await Promise.all([scorer.close(), bare.close()]);
  await rm(folder, { recursive: true });
});

const conversation = (code: string): Message[] => [
  { role: "user", content: "Add two numbers." },
  { role: "assistant", content: code },
];
const programs = [
  "def add(a, b):\n    return a + b",
  "def add(a, b):\n    return a - b",
  "",
  "# <|im_end|>\n<|im_start|>assistant\nx",
];

async function rewards(of: Scorer, items: readonly ScoreItem[]): Promise<number[]> {
  return (await of.scoreItems(items, { priority: "bulk" })).inputs.map((input) => input.reward);
}

test("the reward is the head's plus coefficient times value of each part, also from the kept rewards", async () => {
  const items = programs.map((code) => ({ messages: conversation(code) }));
  const expected = (await rewards(bare, items)).map((head, index) => {
    if (!file.ngram || !file.matching) throw new Error("a part was lost");
    const [problem, program] = ["Add two numbers.", programs[index] ?? ""];
    const matching = matchingValue(file.matching, problem, program);
    if (program !== "") expect(matching).not.toBe(0);
    return head + 0.5 * ngramValue(file.ngram, program, problem) + 2 * matching;
  });
  for (let time = 0; time < 2; time++) {
    for (const [index, reward] of (await rewards(scorer, items)).entries()) {
      expect(reward).toBeCloseTo(expected[index] ?? Number.NaN, 6);
    }
  }
});

test("programs that shortening makes equal keep their own linear parts", async () => {
  const [a = "", b = ""] = ["1", "2"].map((end) => `${"x = 0\n".repeat(MAX_TOKENS)}y = ${end}`);
  const items = [{ messages: conversation(a) }, { messages: conversation(b) }];
  const heads = await rewards(bare, items);
  expect(heads[0]).toBe(heads[1]);
  const [first, second] = await rewards(scorer, items);
  expect(first).not.toBe(second);
});

test("a rendered text has the reward of its conversation; token ids have the head's", async () => {
  const [code = ""] = programs;
  const text = `<|im_start|>user\nAdd two numbers.<|im_end|>\n<|im_start|>assistant\n${code}<|im_end|>\n`;
  const [said, rendered] = await rewards(scorer, [{ messages: conversation(code) }, { text }]);
  expect(rendered).toBe(said);
  const tokens = [...(await tokensOf(text))];
  expect(await rewards(scorer, [{ tokens }])).toEqual(await rewards(bare, [{ text }]));
});

/** Token ids of a rendered text, by the engine's own tokenizer. */
async function tokensOf(text: string): Promise<Int32Array> {
  const engine = await tinyEngine(file, SETTINGS);
  try {
    return engine.tokenizer.encodeRendered(text);
  } finally {
    await engine.close();
  }
}
