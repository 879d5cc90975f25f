/** Writing through a real server process and the command line, with a tiny model that is installed by name. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CompleteReply, CompletionLine } from "../../../shared/completion-contract.ts";
import { codescaler, type RunningServer, serve, TOKEN } from "../../helpers/server-process.ts";
import { tinyLanguageModel } from "../../helpers/tiny-language-model.ts";

let home: string;
let env: NodeJS.ProcessEnv;
let server: RunningServer;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "codescaler-complete-"));
  await mkdir(join(home, "models"));
  await tinyLanguageModel(join(home, "models", "tiny.gguf"));
  // Nothing of this machine's own.
  env = { CODESCALER_HOME: home, HOME: home, CODESCALER_WRITER: "" };
  server = await serve([], env);
});
afterAll(async () => {
  await server.stop();
  await rm(home, { recursive: true });
});

const cursor = { prefix: "def add(a, b):\n    ", suffix: "\n\nprint(add(1, 2))\n", language: "python" };
const body = { task: { question: "Add two numbers.", language: "python" }, n: 3, max_tokens: 8, seed: 5 };

async function complete(change: object = {}): Promise<CompleteReply> {
  const { status, text } = await server.call("POST", "/v1/complete", { ...body, ...change });
  expect(status, text).toBe(200);
  return JSON.parse(text);
}

/** The lines of a stream, as they came. */
function stream(change: object): Promise<{ readonly lines: CompletionLine[]; readonly type: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL("/v1/complete", server.ready.url),
      {
        method: "POST",
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("end", () =>
          resolve({
            type: String(response.headers["content-type"]),
            lines: text
              .trim()
              .split("\n")
              .map((line) => JSON.parse(line)),
          }),
        );
      },
    );
    sent.on("error", reject);
    sent.end(JSON.stringify({ ...body, ...change, stream: true }));
  });
}

describe("POST /v1/complete", () => {
  test("gives as many completions as wanted, and says what they took", async () => {
    const reply = await complete();
    expect(reply.writer).toMatchObject({ id: "tiny", type: "f32", device: "CPU, 1 thread" });
    expect(reply.completions.map(({ id }) => id)).toEqual(["c1", "c2", "c3"]);
    expect(new Set(reply.completions.map(({ text }) => text)).size).toBe(3);
    for (const { tokens, logprob, finish } of reply.completions) {
      expect(tokens).toBeLessThanOrEqual(8);
      expect(logprob).toBeLessThan(0);
      expect(["stop", "length"]).toContain(finish);
    }
    expect(reply).not.toHaveProperty("ranking");
    expect(reply.seed).toBe(5);
    expect(reply.usage.prompt_tokens).toBeGreaterThan(10);
    expect(reply.usage.completion_tokens).toBe(
      reply.completions.reduce((sum, { tokens }) => sum + tokens, 0),
    );
  });

  test("gives the same for the same seed, with the prompt read once", async () => {
    const first = await complete();
    const second = await complete();
    expect(second.completions).toEqual(first.completions);
    expect(second.usage.cached_tokens).toBe(second.usage.prompt_tokens - 1);
    expect(second.usage.decode_calls).toBeLessThanOrEqual(first.usage.decode_calls);
    expect((await complete({ seed: 6 })).completions).not.toEqual(first.completions);
  });

  test("ranks them on demand, by the signals of writer and judge", async () => {
    const { ranking, completions } = await complete({ rank: true });
    const ids = ranking?.candidates.flatMap(({ id, duplicates }) => [id, ...duplicates]);
    expect(ids?.sort()).toEqual(completions.map(({ id }) => id));
    // The writer that is installed is the default judge too.
    expect(ranking).toMatchObject({ model: { id: "tiny" }, order: { by: "likelihood" } });
  });

  test("writes and judges with one model, each in its own way", async () => {
    const { ranking } = await complete({ rank: true, model: "tiny", task: cursor });
    expect(ranking?.model.id).toBe("tiny");
    expect(ranking?.order.by).toBe("likelihood");
  });

  test("streams each completion as it ends, then everything else", async () => {
    const whole = await complete();
    const { lines, type } = await stream({});
    expect(type).toBe("application/x-ndjson");
    const streamed = lines.flatMap((line) => ("completion" in line ? [line.completion] : []));
    expect(streamed.sort((a, b) => a.id.localeCompare(b.id))).toEqual(whole.completions);
    const last = lines.at(-1);
    expect(last && "done" in last && last.done).toMatchObject({ writer: { id: "tiny" }, seed: 5 });
    expect(lines).toHaveLength(4);
  });

  test("of a stream that fails says what failed, as a line of it", async () => {
    const { lines } = await stream({ writer: "nobody" });
    expect(lines).toMatchObject([{ error: { code: "model_not_found" } }]);
  });

  test.each([
    [{ n: 0 }, 422, /n:/],
    [{ n: 33 }, 422, /At most 32/],
    [{ task: { prefix: "x" } }, 422, /task needs/],
    [{ task: { ...cursor, language: "cobol" } }, 422, /Unknown language ..cobol/],
    [{ writer: "nano" }, 422, /reward model: it judges/],
    [{ writer: "../tiny" }, 404, /No model named/],
    [{ n: 32, max_tokens: 500 }, 422, /leave no room for a prompt/],
    [{ task: { question: "word ".repeat(20_000) } }, 422, /tokens, and \d+ have room/],
  ])("refuses %j in one sentence", async (change, status, sentence) => {
    const reply = await server.call("POST", "/v1/complete", { ...body, ...change });
    expect(reply.status, reply.text).toBe(status);
    expect(reply.text).toMatch(sentence);
  });

  test("cuts a document that is longer than the context on both sides, and says so", async () => {
    const line = "value = compute(value)\n";
    const reply = await complete({
      task: { prefix: line.repeat(4000), suffix: line.repeat(4000), language: "python" },
    });
    expect(reply.truncated).toBe(true);
    expect(reply.completions.length).toBe(3);
  });
});

test("OpenAI's endpoint is answered by the built-in writer", async () => {
  const { status, text } = await server.call("POST", "/v1/chat/completions", {
    model: "tiny",
    messages: [{ role: "user", content: "Add two numbers." }],
    max_tokens: 6,
    best_of: 3,
  });
  expect(status, text).toBe(200);
  expect(JSON.parse(text)).toMatchObject({ object: "chat.completion", choices: [{ index: 0 }] });
});

describe("codescaler complete", () => {
  test("prints the reply of the service as JSON, by the path of a model too", async () => {
    const task = join(home, "task.md");
    await writeFile(task, "Add two numbers.");
    const { code, stdout, stderr } = await codescaler(
      [
        ...["complete", "--task", task, "--language", "python", "--n", "3", "--max-tokens", "8"],
        ...["--seed", "5", "--json", "--device", "cpu", "--threads", "1"],
        ...["--writer", join(home, "models", "tiny.gguf")],
      ],
      { env },
    );
    expect(code, stderr).toBe(0);
    const reply: CompleteReply = JSON.parse(stdout);
    expect(reply.completions).toEqual((await complete()).completions);
  });

  test("writes at a cursor, and shows each completion with how it ended", async () => {
    const [prefix, suffix] = [join(home, "prefix.py"), join(home, "suffix.py")];
    await Promise.all([writeFile(prefix, cursor.prefix), writeFile(suffix, cursor.suffix)]);
    const { code, stdout, stderr } = await codescaler(
      [
        "complete",
        "--prefix",
        prefix,
        "--suffix",
        suffix,
        "--language",
        "python",
        "--n",
        "2",
        "--max-tokens",
        "5",
      ],
      { env },
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/── 1 · \d+ tokens · ended by \w+/);
    expect(stdout).toMatch(/tiny \(f32\) on CPU, .* seed \d+/);
  });

  test("says how to get a writer where there is none", async () => {
    const bare = await mkdtemp(join(tmpdir(), "codescaler-bare-"));
    try {
      const { code, stderr } = await codescaler(["complete", "--task", "-"], {
        input: "Add.",
        env: { ...env, CODESCALER_HOME: bare, HOME: bare },
      });
      expect(code).toBe(1);
      expect(stderr).toMatch(/codescaler models pull/);
    } finally {
      await rm(bare, { recursive: true });
    }
  });

  test.each([
    [["complete"], /needs --task FILE/],
    [["complete", "--prefix", "x"], /need --language/],
    [["complete", "--task", "-", "--n", "99"], /--n must be/],
    [["complete", "--task", "-", "--temperature", "hot"], /--temperature must be/],
  ])("%j is wrong usage", async (args, sentence) => {
    const { code, stderr } = await codescaler(args, { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(sentence);
  });
});
