/** The extension's built-in source against a real server that writes with a tiny model. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeCompletions } from "../../../src/ranking/server-client.ts";
import { builtInSource } from "../../../src/sources/kinds/built-in.ts";
import type { Completion, Source, Spending } from "../../../src/sources/source.ts";
import { SourceError } from "../../../src/sources/source-error.ts";
import { type RunningServer, serve, TOKEN } from "../../helpers/server-process.ts";
import { tinyLanguageModel } from "../../helpers/tiny-language-model.ts";

let home: string;
let server: RunningServer;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "codescaler-built-in-"));
  await mkdir(join(home, "models"));
  await tinyLanguageModel(join(home, "models", "tiny.gguf"));
  server = await serve([], { CODESCALER_HOME: home, HOME: home, CODESCALER_WRITER: "" });
});
afterAll(async () => {
  await server.stop();
  await rm(home, { recursive: true });
});

const request = {
  prefix: "def add(a, b):\n    ",
  suffix: "\n",
  language: "python",
  path: "add.py",
  count: 3,
  maxTokens: 6,
  temperature: 0.8,
} as const;

function source(model: string, token = TOKEN): Source {
  const endpoint = { url: server.ready.url, token };
  return builtInSource("built-in", "Built-in", model, (body, signal) =>
    writeCompletions(endpoint, body, signal),
  );
}

async function all(from: Source, signal = new AbortController().signal) {
  const completions: Completion[] = [];
  const spent: Spending[] = [];
  for await (const one of from.complete(request, { signal, onSpent: (more) => spent.push(more) })) {
    completions.push(one);
  }
  return { completions, spent };
}

test("as many completions as asked for, with what their writer thought of them, in one request", async () => {
  const { completions, spent } = await all(source("tiny"));
  expect(completions).toHaveLength(3);
  for (const { tokens, logprobs } of completions) {
    expect(tokens).toBeLessThanOrEqual(6);
    expect(logprobs?.tokens ?? 0).toBe(tokens ?? Number.NaN);
    expect(logprobs?.sum ?? 0).toBeLessThanOrEqual(0);
  }
  expect(spent).toMatchObject([{ requests: 1, estimated: false }]);
});

test("a writer that is not there is said with the way out", async () => {
  const error: unknown = await all(source("gone")).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SourceError);
  expect(String(error)).toMatch(/no model “gone” on this machine any more.*Add a Source/);
});

test("an aborted request ends without error", async () => {
  const stop = new AbortController();
  stop.abort();
  expect(await all(source("tiny"), stop.signal)).toEqual({ completions: [], spent: [] });
});

test("a refusal of the token is the server's own sentence", async () => {
  await expect(all(source("tiny", "wrong"))).rejects.toThrow(/could not write.*access token/);
});
