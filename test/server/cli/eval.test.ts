/** `codescaler eval` as its users run it, with the embedded model on small judged sets. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BestOfNResult } from "../../../server/eval/best-of-n.ts";
import type { RmBenchResult } from "../../../server/eval/rm-bench.ts";
import { NGRAM_VERSION } from "../../../server/models/gguf/keys.ts";
import { ngramValue } from "../../../server/ranking/text-parts/ngram.ts";
import { codescaler } from "../../helpers/server-process.ts";

let folder: string;
const file = (name: string) => join(folder, name);

const right = "```python\ndef add(a, b):\n    return a + b\n```";
const broken = "```python\ndef add(a, b:\n    return a + b\n```";
const problems = [
  { id: "mixed", samples: [broken, right, "I can't."].map((text) => ({ text, passed: text === right })) },
  { id: "hopeless", samples: [broken, "I can't.", ""].map((text) => ({ text, passed: false })) },
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codescaler-eval-"));
  const lines = problems.map((problem) =>
    JSON.stringify({ ...problem, task: { question: "Add a and b." }, language: "python" }),
  );
  await writeFile(file("problems.jsonl"), `${lines.join("\n")}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

async function bestOfN(...more: string[]): Promise<BestOfNResult> {
  const { code, stdout, stderr } = await codescaler([
    "eval",
    "best-of-n",
    file("problems.jsonl"),
    "--json",
    ...more,
  ]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

test("best-of-n: the only program that parses is picked, and every figure follows", async () => {
  const result = await bestOfN("--plot", file("curve.svg"));
  expect(result).toMatchObject({ problems: 2, best_of_n: 0.5, oracle: 0.5, first: 0 });
  expect(result.mean).toBeCloseTo(1 / 6, 10);
  expect(result.items).toEqual([
    { id: "mixed", picked: 1, passed: true },
    { id: "hopeless", picked: 0, passed: false },
  ]);
  expect(result.curve.map((point) => point.n)).toEqual([1, 2, 3]);
  expect(result.curve[0]?.best_of_n).toBeCloseTo(result.mean, 10);
  expect(result.curve[2]?.best_of_n).toBeCloseTo(result.best_of_n, 10);
  expect(result.pairwise_accuracy).toBe(1);
  expect(result.intervals.pairwise_accuracy).toEqual({ value: 1, low: 1, high: 1 });
  expect(result.intervals.auc?.value).toBe(result.auc);
  expect(result.baselines_pairwise["valid_only"]?.value).toBe(1);
  expect(result.baselines["valid_only"]?.value).toBeCloseTo(0.5, 10);
  expect(await readFile(file("curve.svg"), "utf8")).toMatch(/^<svg[\s\S]*<\/svg>\s*$/);
});

test("best-of-n: the linear n-gram model stands beside the others, and picks what its weights say", async () => {
  const wrong = right.replace("a + b", "a - b");
  const line = {
    id: "two",
    task: { question: "Add a and b." },
    samples: [wrong, right].map((text) => ({ text, passed: text === right })),
  };
  await writeFile(file("two.jsonl"), JSON.stringify(line));
  const weights = Int8Array.from({ length: 2 ** 18 }, (_, bucket) => ((bucket * 7) % 201) - 100);
  const value = (text: string) =>
    ngramValue(
      { version: NGRAM_VERSION, weights, scale: 1, coefficient: 1 },
      text.split("\n").slice(1, -1).join("\n"),
      line.task.question,
    );
  expect(value(right)).not.toBe(value(wrong));
  for (const sign of [1, -1]) {
    const model = {
      version: NGRAM_VERSION,
      scale: sign,
      coefficient: 0,
      weights: Buffer.from(weights).toString("base64"),
    };
    await writeFile(file("ngram.json"), JSON.stringify(model));
    const { code, stdout, stderr } = await codescaler(
      ["eval", "best-of-n", "two.jsonl", "--ngram", "ngram.json", "--json"],
      { cwd: folder },
    );
    expect(code, stderr).toBe(0);
    const result: BestOfNResult = JSON.parse(stdout);
    expect(result.baselines["linear"]?.value).toBe(sign * value(right) > sign * value(wrong) ? 1 : 0);
  }
  const { code, stderr } = await codescaler(["eval", "best-of-n", "two.jsonl", "--ngram", "none.json"], {
    cwd: folder,
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/is not there, or has no n-gram model/);
});

test("a run that was cut off goes on from what it kept, and another run's file is refused", async () => {
  await bestOfN("--resume", file("kept.jsonl"), "--limit", "1");
  const kept = await readFile(file("kept.jsonl"), "utf8");
  await writeFile(file("kept.jsonl"), `${kept}{"run":"cut o`);
  const result = await bestOfN("--resume", file("kept.jsonl"));
  expect(result.items).toHaveLength(2);
  const whole = await readFile(file("kept.jsonl"), "utf8");
  expect((await bestOfN("--resume", file("kept.jsonl"))).items).toEqual(result.items);
  expect(await readFile(file("kept.jsonl"), "utf8")).toBe(whole);
  await writeFile(file("other.jsonl"), kept.replaceAll("best-of-n", "another"));
  const { code, stderr } = await codescaler([
    "eval",
    "best-of-n",
    file("problems.jsonl"),
    "--resume",
    file("other.jsonl"),
  ]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/another run/);
});

test("compare pairs two runs problem by problem", async () => {
  await writeFile(file("a.json"), JSON.stringify(await bestOfN()));
  const worse: BestOfNResult = JSON.parse(await readFile(file("a.json"), "utf8"));
  await writeFile(
    file("b.json"),
    JSON.stringify({
      ...worse,
      best_of_n: 0,
      items: worse.items.map((item) => ({ ...item, passed: false })),
    }),
  );
  const { code, stdout } = await codescaler(["eval", "compare", file("a.json"), file("b.json"), "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    problems: 2,
    difference: { value: -0.5 },
    only_a_right: 1,
    only_b_right: 0,
  });
});

test("rm-bench: broken replies lose every comparison; with --no-extract they are just texts", async () => {
  const item = {
    prompt: "Add a and b.",
    domain: "code",
    language: "python",
    chosen: [right, right, right],
    rejected: [broken, broken, broken],
  };
  await writeFile(
    file("rm-bench.json"),
    JSON.stringify([item, { ...item, chosen: item.rejected, rejected: item.chosen }]),
  );
  const { code, stdout, stderr } = await codescaler(["eval", "rm-bench", file("rm-bench.json"), "--json"]);
  expect(code, stderr).toBe(0);
  const result: RmBenchResult = JSON.parse(stdout);
  expect(result).toMatchObject({ easy: 0.5, normal: 0.5, hard: 0.5, average: 0.5, items: 2 });
  expect(result.languages["python"]?.items).toBe(2);
  expect(result.intervals.average).toMatchObject({ value: 0.5 });
  expect(result.baselines["longest"]?.value).toBe(0.5);
  const raw = await codescaler([
    "eval",
    "rm-bench",
    file("rm-bench.json"),
    "--no-extract",
    "--limit",
    "1",
    "--json",
  ]);
  expect([0, 1]).toContain(JSON.parse(raw.stdout).average);
});

test("latency runs the tests only when told that it may", async () => {
  const line = {
    id: "t",
    task: { question: "Add." },
    language: "python",
    samples: [{ text: right }],
    tests: ["assert add(1, 2) == 3"],
  };
  await writeFile(file("tested.jsonl"), JSON.stringify(line));
  const refused = await codescaler(["eval", "latency", file("tested.jsonl")]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/--tests/);
  const { code, stdout, stderr } = await codescaler([
    "eval",
    "latency",
    file("tested.jsonl"),
    "--tests",
    "--json",
  ]);
  if (/python3 was not found/.test(stderr)) return;
  expect(code, stderr).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ problems: 1, samples: 1 });
  expect(result.ratio).toBeCloseTo(result.test_seconds / result.reward_seconds, 6);
});

test.each([
  ["no set", ["eval", "best-of-n"], 2],
  ["an unknown kind", ["eval", "worst-of-n", "x"], 2],
  ["a file that is not there", ["eval", "best-of-n", "none.jsonl"], 1],
  ["an RM-Bench file where problems are wanted", ["eval", "best-of-n", "rm-bench.json"], 1],
])("refuses %s", async (_name, args, expected) => {
  const { code, stdout, stderr } = await codescaler(args, { cwd: folder });
  expect(code, stderr).toBe(expected);
  expect(stdout).toBe("");
  expect(stderr).not.toMatch(/\n\s+at /);
});
