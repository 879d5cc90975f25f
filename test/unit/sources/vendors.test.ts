/** Each kind of source against its vendor's wire format, over real HTTP. */
import { afterEach, describe, expect, test } from "vitest";
import type { SourceConfig } from "../../../src/sources/setup/create.ts";
import { type Replay, type ReplayOptions, startReplay } from "../../helpers/replay/replay.ts";
import { PROMPT_TOKENS, type Vendor } from "../../helpers/replay/vendors.ts";
import { KEY, outcome, PREFIX, SUFFIX, sourceAt } from "./asking.ts";

const open: Replay[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((replay) => replay.close()));
});
async function replayed(options: ReplayOptions): Promise<Replay> {
  const replay = await startReplay(options);
  open.push(replay);
  return replay;
}

const EUCLID = "while b:\n        a, b = b, a % b\n    return a";
const ACCENTS = "return 'größte – 最大公約数 🧮'";

interface Pairing {
  readonly vendor: Vendor;
  readonly config: Partial<SourceConfig> & Pick<SourceConfig, "kind">;
  readonly path: string;
}

const PAIRINGS: readonly Pairing[] = [
  { vendor: "openai", config: { kind: "openai" }, path: "/v1/completions" },
  { vendor: "openai", config: { kind: "openai-chat" }, path: "/v1/chat/completions" },
  { vendor: "vllm", config: { kind: "openai", modelTokens: true }, path: "/v1/completions" },
  { vendor: "lmstudio", config: { kind: "openai-chat" }, path: "/v1/chat/completions" },
  { vendor: "llamacpp", config: { kind: "llamacpp" }, path: "/infill" },
  { vendor: "ollama", config: { kind: "ollama" }, path: "/api/generate" },
  { vendor: "ollama", config: { kind: "ollama-chat" }, path: "/api/chat" },
  { vendor: "mistral", config: { kind: "mistral" }, path: "/v1/fim/completions" },
];

describe.each(PAIRINGS)("$config.kind at $vendor", ({ vendor, config, path }) => {
  test("gives the completion exactly as it was written, token by token", async () => {
    const replay = await replayed({ vendor, completions: [{ text: ACCENTS }] });
    const { completions, error, spent } = await outcome(sourceAt(replay, config));
    expect(error).toBeUndefined();
    expect(completions).toMatchObject([{ text: ACCENTS, complete: true }]);
    expect(spent).toEqual({
      requests: 1,
      promptTokens: PROMPT_TOKENS,
      completionTokens: Math.ceil(ACCENTS.length / 4),
      estimated: false,
    });
    expect(replay.asked.map((one) => one.path)).toEqual([path]);
  });

  test("gives as many different completions as asked for", async () => {
    const texts = ["return 1", "return 22", "return 333", "return 4444"];
    const replay = await replayed({ vendor, completions: texts.map((text) => ({ text })) });
    const { texts: given, error } = await outcome(sourceAt(replay, config), { count: 4 });
    expect(error).toBeUndefined();
    expect([...given].sort()).toEqual(texts);
  });

  test("marks what the token limit cut", async () => {
    const replay = await replayed({ vendor, completions: [{ text: EUCLID, finish: "length" }] });
    const { completions } = await outcome(sourceAt(replay, config));
    expect(completions).toMatchObject([{ text: EUCLID, complete: false }]);
  });

  test("stops as soon as the text is enough, and tells the server", async () => {
    const replay = await replayed({
      vendor,
      completions: [{ text: `${EUCLID}\n\n${"x = 1\n".repeat(200)}` }],
    });
    replay.faults.push({ kind: "hang", after: 40 });
    const { completions } = await outcome(
      sourceAt(replay, config),
      {},
      { stopEarly: (text) => text.includes("return") },
    );
    expect(completions).toHaveLength(1);
    expect(completions[0]?.text).toContain("return");
    expect(completions[0]?.text.length).toBeLessThan(EUCLID.length + 4);
    expect(completions[0]?.complete).toBe(true);
    await expect(replay.asked[0]?.aborted).resolves.toBe(true);
  });

  test("takes an answer that is not streamed", async () => {
    const replay = await replayed({ vendor, completions: [{ text: EUCLID }] });
    replay.faults.push({ kind: "whole" });
    const { completions, error } = await outcome(sourceAt(replay, config));
    expect(error).toBeUndefined();
    expect(completions).toMatchObject([{ text: EUCLID, complete: true }]);
  });

  test("tells both sides of the cursor, the limit and the temperature", async () => {
    const replay = await replayed({ vendor });
    await outcome(sourceAt(replay, config));
    const sent = JSON.stringify(replay.asked[0]?.body);
    expect(sent).toContain(JSON.stringify(PREFIX).slice(1, -1));
    // A model without tokens of its own gets the text before the cursor only.
    if (config.modelTokens !== true) expect(sent).toContain(JSON.stringify(SUFFIX).slice(1, -1));
    expect(sent).toContain("64");
    expect(sent).toContain("0.8");
  });

  test("sends the key, and says what to do when it is not accepted", async () => {
    const replay = await replayed({ vendor, key: KEY });
    expect((await outcome(sourceAt(replay, config, KEY))).error).toBeUndefined();
    const { error } = await outcome(sourceAt(replay, config, "sk-wrong-9876543210"));
    expect(error?.kind).toBe("unauthorized");
    expect(error?.message).toContain("Set a valid key");
    expect(JSON.stringify({ ...error, stack: error?.stack })).not.toContain("sk-wrong");
  });
});

describe("OpenAI-compatible", () => {
  test("asks for several completions in one request where n is honoured", async () => {
    const replay = await replayed({
      vendor: "openai",
      completions: [{ text: "return a" }, { text: "return b" }],
    });
    const { texts, spent } = await outcome(sourceAt(replay, { kind: "openai" }), { count: 2 });
    expect([...texts].sort()).toEqual(["return a", "return b"]);
    expect(replay.asked.map(({ body }) => body["n"])).toEqual([2]);
    expect(spent.requests).toBe(1);
  });

  test("asks for the missing ones in parallel where n is ignored, and goes there at once the next time", async () => {
    const replay = await replayed({ vendor: "openai", ignoresCount: true, completions: [{ text: "pass" }] });
    const source = sourceAt(replay, { kind: "openai" });
    expect((await outcome(source, { count: 3 })).texts).toHaveLength(3);
    expect(replay.asked.map(({ body }) => body["n"])).toEqual([3, undefined, undefined]);
    expect((await outcome(source, { count: 3 })).texts).toHaveLength(3);
    expect(replay.asked.slice(3).map(({ body }) => body["n"])).toEqual([undefined, undefined, undefined]);
  });

  test("goes on without n where it is refused", async () => {
    const replay = await replayed({ vendor: "openai" });
    const message = "Only one completion choice is allowed";
    replay.faults.push({ kind: "status", status: 400, json: { error: { message, code: 400 } } });
    const { texts, error } = await outcome(sourceAt(replay, { kind: "openai" }), { count: 2 });
    expect(error).toBeUndefined();
    expect(texts).toHaveLength(2);
  });

  test("uses the model's own tokens where suffix is refused, and remembers", async () => {
    const models = [{ name: "Qwen/Qwen2.5-Coder-7B" }];
    const replay = await replayed({ vendor: "vllm", models });
    const source = sourceAt(replay, { kind: "openai", model: "Qwen/Qwen2.5-Coder-7B" });
    expect((await outcome(source)).error).toBeUndefined();
    expect((await outcome(source)).error).toBeUndefined();
    expect(replay.asked.map(({ body }) => "suffix" in body)).toEqual([true, false, false]);
    expect(replay.asked[1]?.body["prompt"]).toBe(
      `<|fim_prefix|>${PREFIX}<|fim_suffix|>${SUFFIX}<|fim_middle|>`,
    );
  });

  test("learns every parameter that an endpoint refuses, one after the other", async () => {
    const replay = await replayed({ vendor: "openai" });
    const refuse = (param: string, message: string) =>
      replay.faults.push({
        kind: "status",
        status: 400,
        json: { error: { message, type: "invalid_request_error", param, code: "unsupported_parameter" } },
      });
    refuse("max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.");
    refuse("temperature", "Unsupported value: 'temperature' does not support 0.8 with this model.");
    refuse("stream_options", "Unknown parameter: stream_options");
    const source = sourceAt(replay, { kind: "openai-chat" });
    expect((await outcome(source)).texts).toEqual(["pass"]);
    const { body } = replay.asked.at(-1) ?? { body: {} };
    expect(body).toHaveProperty("max_completion_tokens", 64);
    expect(body).not.toHaveProperty("max_tokens");
    expect(body).not.toHaveProperty("temperature");
    expect(body).not.toHaveProperty("stream_options");
  });

  test("does not ask again when the refusal teaches nothing", async () => {
    const replay = await replayed({ vendor: "openai" });
    const message = "This model's maximum context length is 4096 tokens.";
    replay.faults.push({ kind: "status", status: 400, json: { error: { message } } });
    const { error } = await outcome(sourceAt(replay, { kind: "openai" }));
    expect(error?.kind).toBe("rejected");
    expect(error?.message).toContain("maximum context length");
    expect(replay.asked).toHaveLength(1);
  });

  test("yields the first completion while the others are still being written", async () => {
    const replay = await replayed({
      vendor: "openai",
      completions: [{ text: "slow", delayMs: 60_000 }, { text: "fast" }],
    });
    const source = sourceAt(replay, { kind: "openai" });
    const cancel = new AbortController();
    const iterator = source
      .complete(
        {
          prefix: PREFIX,
          suffix: SUFFIX,
          language: "python",
          path: "",
          count: 2,
          maxTokens: 9,
          temperature: 1,
        },
        { signal: cancel.signal },
      )
      [Symbol.asyncIterator]();
    expect((await iterator.next()).value).toMatchObject({ text: "fast", complete: true });
    cancel.abort();
    expect((await iterator.next()).done).toBe(true);
    await expect(replay.asked[0]?.aborted).resolves.toBe(true);
  });

  test("takes a base address with and without /v1", async () => {
    const replay = await replayed({ vendor: "openai" });
    for (const url of [replay.url, `${replay.url}/`, `${replay.url}/v1`, `${replay.url}/v1/`]) {
      expect((await outcome(sourceAt({ url }, { kind: "openai" }))).error).toBeUndefined();
    }
    expect(new Set(replay.asked.map(({ path }) => path))).toEqual(new Set(["/v1/completions"]));
  });

  test("names LM Studio's answer of 200 for a route that it does not have", async () => {
    const replay = await replayed({ vendor: "lmstudio" });
    const url = `${replay.url}/wrong`;
    const { error } = await outcome(sourceAt({ url }, { kind: "openai-chat" }));
    expect(error?.kind).toBe("wrong_service");
  });
});

describe("llama.cpp", () => {
  test("keeps the prompt in the server's cache and sends one request a completion", async () => {
    const replay = await replayed({ vendor: "llamacpp" });
    await outcome(sourceAt(replay, { kind: "llamacpp", model: "" }), { count: 3 });
    expect(replay.asked).toHaveLength(3);
    expect(replay.asked[0]?.body).toMatchObject({
      input_prefix: PREFIX,
      input_suffix: SUFFIX,
      n_predict: 64,
      cache_prompt: true,
      stream: true,
    });
  });

  test("says that a chat model cannot fill in the middle", async () => {
    const replay = await replayed({ vendor: "llamacpp", models: [{ name: "gemma", infill: false }] });
    const { error } = await outcome(sourceAt(replay, { kind: "llamacpp", model: "gemma" }));
    expect(error?.kind).toBe("no_infill");
    expect(error?.message).toContain("“gemma”");
  });
});

describe("Ollama", () => {
  test("loads the model by a request of its own, once", async () => {
    const replay = await replayed({ vendor: "ollama" });
    const source = sourceAt(replay, { kind: "ollama" });
    await outcome(source, { count: 2 });
    await outcome(source);
    expect(replay.requests.map(({ body }) => ("prompt" in body ? "completion" : "load"))).toEqual([
      "load",
      "completion",
      "completion",
      "completion",
    ]);
  });

  test("goes on loading when the completion is given up", async () => {
    const replay = await replayed({ vendor: "ollama" });
    const cancel = new AbortController();
    const source = sourceAt(replay, { kind: "ollama" });
    cancel.abort();
    expect(await outcome(source, {}, { signal: cancel.signal })).toMatchObject({
      texts: [],
      error: undefined,
    });
    expect((await outcome(source)).texts).toEqual(["pass"]);
    expect(replay.requests).toHaveLength(2);
    await expect(replay.requests[0]?.aborted).resolves.toBe(false);
  });

  test("fills in at the end of a file too", async () => {
    const replay = await replayed({ vendor: "ollama" });
    await outcome(sourceAt(replay, { kind: "ollama" }), { suffix: "" });
    expect(replay.asked[0]?.body["suffix"]).toBe("\n");
  });

  test("says that a chat model cannot fill in the middle", async () => {
    const replay = await replayed({ vendor: "ollama", models: [{ name: "qwen3:8b" }] });
    const { error } = await outcome(sourceAt(replay, { kind: "ollama", model: "qwen3:8b" }));
    expect(error?.kind).toBe("no_infill");
    expect(error?.message).toContain("use this source as chat");
  });
});

test.each<[Vendor, SourceConfig["kind"]]>([
  ["openai", "openai"],
  ["openai", "openai-chat"],
  ["ollama", "ollama"],
  ["ollama", "ollama-chat"],
  ["mistral", "mistral"],
])("%s: a model that is not there is named (%s)", async (vendor, kind) => {
  const replay = await replayed({ vendor });
  const { error } = await outcome(sourceAt(replay, { kind, model: "missing:7b" }));
  expect(error?.kind).toBe("no_model");
  expect(error?.message).toContain("“missing:7b”");
});
