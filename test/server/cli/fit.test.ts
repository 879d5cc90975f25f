/** `models fit` as its users run it: fitted with the embedded model, kept, used in replies, measured, forgotten. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RankReply } from "../../../shared/contract.ts";
import { codescaler } from "../../helpers/server-process.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codescaler-fit-"));
});
afterAll(() => rm(folder, { recursive: true }));

const file = (name: string) => join(folder, name);
const run = (args: readonly string[]) =>
  codescaler(args, { cwd: folder, env: { CODESCALER_HOME: join(folder, "home") } });

/** Problems whose writer was sure of the right program and unsure of the wrong ones, which are alike in length. */
async function judged(name: string, problems: number, sure = -1, unsure = -40): Promise<void> {
  const lines = Array.from({ length: problems }, (_, index) => {
    const programs = ["+", "-", "*"].map(
      (sign) => `def change_${index}(value):\n    return value ${sign} ${index}\n`,
    );
    return JSON.stringify({
      id: index,
      task: { question: `Write a function change_${index} that adds ${index} to a number.` },
      language: "python",
      samples: programs.map((text, place) => ({
        text,
        passed: place === 0,
        logprobs: { sum: place === 0 ? sure : unsure, tokens: 10 },
      })),
    });
  });
  await writeFile(file(name), `${lines.join("\n")}\n`);
}

const candidates = [
  { id: "unsure", text: "def f(x):\n    return x + 1\n", logprobs: { sum: -40, tokens: 10 } },
  { id: "sure", text: "def f(x):\n    return x - 1\n", logprobs: { sum: -1, tokens: 10 } },
];

async function rank(): Promise<RankReply> {
  await writeFile(file("candidates.jsonl"), candidates.map((one) => JSON.stringify(one)).join("\n"));
  await writeFile(file("task.md"), "Write a function f that adds 1 to a number.");
  const { stdout, stderr, code } = await run([
    ...["rank", "--task", "task.md", "--candidates", "candidates.jsonl", "--model", "nano", "--json"],
  ]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

test("a fit is kept for the model, decides and says so, is measured, and forgotten", async () => {
  await judged("samples.jsonl", 60);
  const fitted = await run(["models", "fit", "nano", "samples.jsonl", "--json"]);
  expect(fitted.code, fitted.stderr).toBe(0);
  const { fit, reports } = JSON.parse(fitted.stdout);
  expect(fit.question.weights.writer_logprob).toBeGreaterThan(0);
  expect(fit.question).toMatchObject({ problems: 60, samples: 180 });
  expect(reports.question.combined.value).toBe(1);
  expect(reports.question.random.value).toBeCloseTo(1 / 3, 5);

  const reply = await rank();
  expect(reply.candidates.map(({ id }) => id)).toEqual(["sure", "unsure"]);
  expect(reply.order).toEqual({
    by: "combined",
    why: expect.stringMatching(/180 judged samples.*writer logprob/),
  });
  const { probability } = reports.question.why_no_probability === null ? fit.question : { probability: null };
  if (probability === null) expect(reply.candidates[0]?.probability).toBeNull();
  else expect(reply.candidates[0]?.probability).toBeGreaterThan(reply.candidates[1]?.probability ?? 1);

  const measured = await run(["eval", "best-of-n", "samples.jsonl", "--model", "nano", "--json"]);
  expect(JSON.parse(measured.stdout)).toMatchObject({ best_of_n: 1, problems: 60 });
  expect(JSON.parse(measured.stdout).baselines.writer_likelihood.value).toBe(1);

  expect((await run(["models", "fit", "nano", "--forget"])).code).toBe(0);
  expect((await rank()).order.why).not.toContain("180");
});

test("two judges are measured side by side, with their paired difference", async () => {
  await judged("few.jsonl", 5);
  const { stdout, stderr } = await run([
    ...["eval", "best-of-n", "few.jsonl", "--model", "nano", "--model", "nano", "--json"],
  ]);
  expect(stderr).not.toMatch(/went wrong/);
  const { judges, differences } = JSON.parse(stdout);
  expect(judges.nano.problems).toBe(5);
  expect(differences).toMatchObject([{ judge: "nano", against: "nano", difference: { value: 0 } }]);
});

test("too few judged problems are refused in a sentence, and nothing is kept", async () => {
  await judged("small.jsonl", 10);
  const { code, stdout, stderr } = await run(["models", "fit", "nano", "small.jsonl", "--json"]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/10 questions with right and wrong valid programs; a fit needs at least 30/);
  expect(await readdir(join(folder, "home", "models", ".fits")).catch(() => [])).toEqual([]);
});

test("wrong usage is said", async () => {
  expect((await run(["models", "fit", "nano"])).code).toBe(2);
  expect((await run(["models", "fit", "nano", "samples.jsonl", "--forget"])).code).toBe(2);
});
