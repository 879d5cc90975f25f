/** The command line as its users run it: results, refusals in one sentence, exit codes. */
import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { copyFile, mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mediaFolder, serverScript } from "../../../server/files/package-files.ts";
import type { RankReply } from "../../../shared/contract.ts";
import { codescaler } from "../../helpers/server-process.ts";

let folder: string;
const file = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codescaler-cli-"));
  await writeFile(file("task.md"), "Return the sum of two integers a and b.\n");
  await writeFile(file("right.md"), "```python\ndef add(a, b):\n    return a + b\n```\n");
  await writeFile(file("broken.md"), "```python\ndef add(a, b:\n    return a + b\n```\n");
  await writeFile(file("empty.md"), "");
});
afterAll(() => rm(folder, { recursive: true }));

/** One sentence on stderr, no stack trace. */
function expectSentence(stderr: string): void {
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(stderr.trim().split("\n").at(-1)).toMatch(/^\S.*[.)]$/);
}

describe("codescaler rank", () => {
  test("prints a table best first, and says which model did it and where", async () => {
    const { code, stdout } = await codescaler([
      "rank",
      "--task",
      file("task.md"),
      file("broken.md"),
      file("right.md"),
    ]);
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    expect(lines[1]).toMatch(/^1 .*right\.md/);
    expect(lines[2]).toMatch(/^2 .*broken\.md .*–/);
    expect(stdout).toMatch(/Predicted by nano .* on CPU/);
  });

  test("--json prints one JSON document and nothing else; candidates may be JSON lines", async () => {
    await writeFile(
      file("candidates.jsonl"),
      `${JSON.stringify({ id: "one", text: "x = 1" })}\n\n${JSON.stringify({ id: "two", text: "x = = 1" })}\n`,
    );
    const { code, stdout } = await codescaler(
      ["rank", "--task", "-", "--candidates", file("candidates.jsonl"), "--json"],
      {
        input: "Set x to one.",
      },
    );
    expect(code).toBe(0);
    const reply: RankReply = JSON.parse(stdout);
    expect(reply.candidates.map((candidate) => [candidate.id, candidate.valid])).toEqual([
      ["one", true],
      ["two", false],
    ]);
  });

  test("ranks completions between a prefix and a suffix", async () => {
    await writeFile(file("prefix.txt"), "def add(a, b):\n    ");
    await writeFile(file("suffix.txt"), "\n\nprint(add(1, 2))\n");
    await writeFile(file("completion.txt"), "return a + b");
    const { code, stdout } = await codescaler([
      "rank",
      "--prefix",
      file("prefix.txt"),
      "--suffix",
      file("suffix.txt"),
      "--language",
      "py",
      "--json",
      file("completion.txt"),
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).candidates[0]).toMatchObject({ valid: true, code: "return a + b" });
  });

  test("an empty candidate is a result, not a failure", async () => {
    const { code, stdout } = await codescaler([
      "rank",
      "--task",
      file("task.md"),
      "--json",
      file("empty.md"),
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).candidates[0]).toMatchObject({ valid: false, reward: null, shaped: 0 });
  });

  test.each([
    ["no task", ["rank", "x.md"], 2],
    ["no candidates", ["rank", "--task", "task.md"], 2],
    ["an unknown option", ["rank", "--tusk", "task.md"], 2],
    ["an unknown mode", ["rank", "--task", "task.md", "--mode", "loose", "right.md"], 2],
    ["threads that are no number", ["rank", "--task", "task.md", "--threads", "many", "right.md"], 2],
    ["a file that is not there", ["rank", "--task", "missing.md", "right.md"], 1],
    ["an unknown model", ["rank", "--task", "task.md", "--model", "no-such", "right.md"], 1],
    [
      "a model file that is not there",
      ["rank", "--task", "task.md", "--model", "./none.gguf", "right.md"],
      1,
    ],
    ["an unknown command", ["rnak"], 2],
    ["a command that is a name of every object", ["toString"], 2],
    ["an unknown language", ["rank", "--task", "task.md", "--language", "klingon", "right.md"], 2],
  ])("refuses %s with one sentence", async (_name, args, expected) => {
    const { code, stdout, stderr } = await codescaler(args, { cwd: folder });
    expect(code, stderr).toBe(expected);
    expect(stdout).toBe("");
    expectSentence(stderr);
  });

  test("refuses a candidate that is not text", async () => {
    await writeFile(file("binary.md"), Buffer.from([0x66, 0xff, 0xfe, 0x00]));
    const { code, stderr } = await codescaler(["rank", "--task", file("task.md"), file("binary.md")]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/not UTF-8/);
  });
});

describe("model files", () => {
  test("a truncated one, and one that is no GGUF, are refused with the reason", async () => {
    const nano = join(mediaFolder, "nano.gguf");
    await copyFile(nano, file("truncated.gguf"));
    const handle = await open(nano);
    const { size } = await handle.stat();
    await handle.close();
    await truncate(file("truncated.gguf"), Math.floor(size / 2));
    await writeFile(file("html.gguf"), "<!DOCTYPE html><html><body>Not found</body></html>");
    for (const [name, reason] of [
      ["truncated.gguf", /truncated|shorter|incomplete|ends/i],
      ["html.gguf", /GGUF/],
    ] as const) {
      const { code, stderr } = await codescaler([
        "rank",
        "--task",
        file("task.md"),
        "--model",
        file(name),
        file("right.md"),
      ]);
      expect(code, stderr).toBe(1);
      expect(stderr).toMatch(reason);
      expectSentence(stderr);
    }
  });

  test("one without a reward head is a language model: it judges by likelihood, and says so", async () => {
    const headless = await readFile(join(mediaFolder, "nano.gguf"));
    headless.write("codescaler.tail.weight", headless.indexOf("codescaler.head.weight"));
    await writeFile(file("headless.gguf"), headless);
    const { code, stdout, stderr } = await codescaler([
      ...["rank", "--task", file("task.md"), "--model", file("headless.gguf"), file("right.md"), "--json"],
    ]);
    expect(code, stderr).toBe(0);
    const { order, candidates } = JSON.parse(stdout);
    expect(order.by).toBe("likelihood");
    expect(candidates[0]).toMatchObject({ reward: null, signals: { likelihood: expect.any(Number) } });
  });

  test("models list shows the embedded model", async () => {
    const { code, stdout } = await codescaler(["models", "list", "--json"], {
      env: { CODESCALER_HOME: folder },
    });
    expect(code).toBe(0);
    expect(stdout).toContain('"nano"');
  });
});

describe("codescaler extract", () => {
  test("prints the program; the verdict goes to stderr", async () => {
    const { code, stdout, stderr } = await codescaler(["extract", file("right.md")]);
    expect([code, stdout]).toEqual([0, "def add(a, b):\n    return a + b\n"]);
    expect(stderr).toMatch(/python, valid, from fence/);
  });

  test("a batch gives a line for each line, in order", async () => {
    const lines = Array.from({ length: 50 }, (_, id) =>
      JSON.stringify({ id, text: `x = ${id}`, language: "python" }),
    );
    const { code, stdout } = await codescaler(["extract", "--jsonl", "-"], { input: lines.join("\n") });
    expect(code).toBe(0);
    const results: { id: number; code: string; valid: boolean }[] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(results.map((result) => result.id)).toEqual(lines.map((_, id) => id));
    expect(results.every((result) => result.valid && result.code.includes(`x = ${result.id}`))).toBe(true);
  });

  test("a batch: bad lines are named; a byte order mark is no part of the first", async () => {
    const line = (more: object) => JSON.stringify({ id: 1, text: "x = 1", ...more });
    const fine = await codescaler(["extract", "--jsonl", "-"], { input: `\ufeff${line({})}\r\n${line({})}` });
    expect(fine.stdout.trim().split("\n")).toHaveLength(2);
    for (const [input, reason] of [
      [`${line({})}\n${line({ language: "klingon" })}`, /^Line 2 names the unknown language "klingon"/],
      [`${line({})}\n{`, /^Line 2 is not JSON/],
      [Buffer.from([0x7b, 0xff, 0x7d]), /not UTF-8/],
    ] as const) {
      const { code, stderr } = await codescaler(["extract", "--jsonl", "-"], { input });
      expect(code).toBe(1);
      expect(stderr).toMatch(reason);
    }
  });

  test.skipIf(process.platform !== "linux")(
    "an output that cannot be written is named, in one sentence",
    async () => {
      const full = openSync("/dev/full", "w");
      const { status, stderr } = spawnSync(process.execPath, [serverScript, "extract", file("right.md")], {
        stdio: ["ignore", full, "pipe"],
        encoding: "utf8",
      });
      closeSync(full);
      expect(status).toBe(1);
      expect(stderr).toMatch(/cannot be written \(the disk is full\)/);
      expectSentence(stderr);
    },
  );

  test("a reader that stops early is no failure", async () => {
    const lines = Array.from({ length: 3000 }, (_, id) => JSON.stringify({ id, text: `x = ${id}` })).join(
      "\n",
    );
    await writeFile(file("many.jsonl"), lines);
    const { code } = await codescaler(["extract", "--jsonl", file("many.jsonl")]);
    expect(code).toBe(0);
  });
});

describe("help", () => {
  test("every command explains itself", async () => {
    for (const command of ["rank", "extract", "serve", "models", "eval", "bench"]) {
      const { code, stdout } = await codescaler([command, "--help"]);
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: codescaler ${command}`));
    }
  });
});
