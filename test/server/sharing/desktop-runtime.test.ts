/**
 * The server on a runtime like that of a desktop VS Code, whose Node allows no buffers of native memory. Linux with a C
 * compiler is needed to make one of the Node at hand.
 */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RankReply, ScoreReply } from "../../../shared/contract.ts";
import { compileLibrary, withoutCompiler } from "../../helpers/c-compiler.ts";
import { codescaler, type RunningServer, serve } from "../../helpers/server-process.ts";

const SCORE = {
  items: ["x = 1", "def add(a, b):\n    return a + b"].map((content) => ({
    messages: [
      { role: "user", content: "Return the sum of two integers a and b." },
      { role: "assistant", content },
    ],
  })),
};
const RANK = {
  task: { question: "Return the sum of two integers a and b.", language: "python" },
  candidates: [
    { id: "right", text: "```python\ndef add(a, b):\n    return a + b\n```" },
    { id: "wrong", text: "```python\ndef add(a, b):\n    return a - b\n```" },
    { id: "broken", text: "```python\ndef add(a, b:\n    return a + b\n```" },
  ],
};

async function rewards(
  server: RunningServer,
): Promise<{ rank: RankReply["candidates"]; score: ScoreReply["rewards"] }> {
  const ranked = await server.call("POST", "/v1/rank", RANK);
  expect(ranked.status, ranked.text).toBe(200);
  const scored = await server.call("POST", "/v1/score", SCORE);
  expect(scored.status, scored.text).toBe(200);
  const rank: RankReply = JSON.parse(ranked.text);
  const score: ScoreReply = JSON.parse(scored.text);
  return { rank: rank.candidates, score: score.rewards };
}

describe.skipIf(withoutCompiler)("without buffers of native memory (needs Linux and a C compiler)", () => {
  let desktop: NodeJS.ProcessEnv;
  let server: RunningServer;
  let plain: RunningServer;
  beforeAll(async () => {
    desktop = { LD_PRELOAD: compileLibrary("no-external-buffers.c") };
    plain = await serve();
    server = await serve([], desktop);
  });
  afterAll(() => Promise.all([server?.stop(), plain?.stop()]));

  test("a view of native memory ends the process, as it does on a desktop", () => {
    const script = "const k = require('koffi'); k.view(k.address(Buffer.alloc(16)), 16)";
    const env = { ...process.env, ...desktop };
    expect(spawnSync(process.execPath, ["-e", script]).status).toBe(0);
    expect(spawnSync(process.execPath, ["-e", script], { env }).signal).toBe("SIGABRT");
  });

  test("the server loads the model, ranks and scores, with the same rewards", async () => {
    expect(await rewards(server)).toEqual(await rewards(plain));
  });

  test("the command line ranks, and the doctor runs", async () => {
    const folder = await mkdtemp(join(tmpdir(), "codescaler-desktop-"));
    const file = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const task = await file("task.md", RANK.task.question);
    const candidates = await file("all.jsonl", RANK.candidates.map((one) => JSON.stringify(one)).join("\n"));
    const args = ["rank", "--json", "--task", task, "--candidates", candidates];
    const ranked = await codescaler(args, { env: desktop });
    expect(ranked.code, ranked.stderr).toBe(0);
    expect((await codescaler(["doctor", "--json"], { env: desktop })).code).toBe(0);
    await rm(folder, { recursive: true });
  });
});
