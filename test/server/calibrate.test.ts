/** `models calibrate` as its users run it: fitted with the embedded model, kept, used in replies, forgotten. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RankReply } from "../../shared/contract.ts";
import { codescaler } from "./process.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codescaler-calibrate-"));
});
afterAll(() => rm(folder, { recursive: true }));

const file = (name: string) => join(folder, name);
const run = (args: readonly string[]) =>
  codescaler(args, { cwd: folder, env: { CODESCALER_HOME: join(folder, "home") } });

/** Problems with one right program, and a stub of it that does nothing. */
async function judged(name: string, problems: number, rightHalf: boolean): Promise<void> {
  const lines = Array.from({ length: problems }, (_, index) => {
    const program = `def add_${index}(value):\n    return value + ${index}\n`;
    const stub = `def add_${index}(value):\n    pass\n`;
    return JSON.stringify({
      id: index,
      task: { question: `Write a function add_${index} that adds ${index} to a number.` },
      language: "python",
      samples: [program, stub].map((text) => ({ text, passed: (text === program) === rightHalf })),
    });
  });
  await writeFile(file(name), `${lines.join("\n")}\n`);
}

test("a fitted probability is kept for the model, used, measured, drawn, and forgotten", async () => {
  await judged("labels.jsonl", 60, true);
  const fitted = await run(["models", "calibrate", "nano", "labels.jsonl", "--json"]);
  expect(fitted.code, fitted.stderr).toBe(0);
  const { slope, intercept, ...result } = JSON.parse(fitted.stdout);
  expect(result).toMatchObject({ id: "nano", problems: 60, samples: 120, right: 60 });
  expect(result.before.samples).toBe(120);
  expect(result.held_out.samples).toBe(120);
  expect(slope).toBeGreaterThan(0);
  expect(result.held_out.brier).toBeLessThan(0.25);

  await writeFile(file("task.md"), "Write a function add_7 that adds 7 to a number.");
  await writeFile(file("candidate.py"), "def add_7(value):\n    return value + 7\n");
  const rank = async () => {
    const { stdout } = await run(["rank", "--task", "task.md", "candidate.py", "--model", "nano", "--json"]);
    const reply: RankReply = JSON.parse(stdout);
    return reply.candidates[0];
  };
  const candidate = await rank();
  const expected = 1 / (1 + Math.exp(-(slope * (candidate?.reward ?? Number.NaN) + intercept)));
  expect(candidate?.probability).toBeCloseTo(expected, 10);

  const measured = await run([
    "eval",
    "calibration",
    "labels.jsonl",
    "--model",
    "nano",
    "--limit",
    "10",
    "--plot",
    "reliability.svg",
    "--json",
  ]);
  expect(measured.code, measured.stderr).toBe(0);
  expect(JSON.parse(measured.stdout)).toMatchObject({ problems: 10, samples: 20, right: 10, unscored: 0 });
  expect(await readdir(folder)).toContain("reliability.svg");

  expect((await run(["models", "calibrate", "nano", "--forget"])).code).toBe(0);
  expect((await rank())?.probability).not.toBeCloseTo(expected, 10);
});

test.each([
  ["too few labels", 10, true, /10 right and 10 wrong.*at least 50/],
  ["labels that say the contrary of the rewards", 60, false, /not right more often/],
])("%s are refused in a sentence, and nothing is kept", async (_name, problems, rightHalf, sentence) => {
  await judged("bad.jsonl", problems, rightHalf);
  const { code, stdout, stderr } = await run(["models", "calibrate", "nano", "bad.jsonl", "--json"]);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(sentence);
});

test("wrong usage is said", async () => {
  expect((await run(["models", "calibrate", "nano"])).code).toBe(2);
  expect((await run(["models", "calibrate", "nano", "labels.jsonl", "--forget"])).code).toBe(2);
});
