/** Best of N behind OpenAI's API: the official client, a real reward server, and an upstream whose answers are known. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type RunningServer, serve, TOKEN } from "../../helpers/server-process.ts";

const RIGHT = "```python\ndef add(a, b):\n    return a + b\n```";
const BROKEN = "```python\ndef add(a, b:\n    return a + b\n```";
const PROSE = "I would rather not.";

/** What the upstream does with a request; set by each test. */
interface Behaviour {
  readonly texts: readonly string[];
  readonly logprobs?: readonly number[];
  readonly ignoresN?: boolean;
  readonly refusesLogprobs?: boolean;
  readonly dies?: boolean;
}
let behaviour: Behaviour = { texts: [RIGHT] };
const seen: { path: string; body: Record<string, unknown>; key: string | undefined }[] = [];
let upstream: Server;
let server: RunningServer;
let client: OpenAI;

beforeAll(async () => {
  upstream = createServer(async (request, response) => {
    const body = await json(request);
    seen.push({ path: request.url ?? "", body, key: request.headers.authorization });
    if (behaviour.dies) {
      response.destroy();
      return;
    }
    response.setHeader("Content-Type", "application/json");
    if (behaviour.refusesLogprobs && body["logprobs"] !== undefined) {
      response.writeHead(400).end(JSON.stringify({ error: { message: "logprobs: not supported" } }));
      return;
    }
    const n = behaviour.ignoresN ? 1 : Number(body["n"]);
    const offset = behaviour.ignoresN ? seen.length - 1 : 0;
    const choices = Array.from({ length: n }, (_, index) => {
      const at = (offset + index) % behaviour.texts.length;
      const content = behaviour.texts[at];
      const logprob = behaviour.logprobs?.[at];
      const said = logprob === undefined ? null : [{ token: "x", logprob }];
      return request.url === "/v1/chat/completions"
        ? {
            index,
            message: { role: "assistant", content },
            logprobs: said && { content: said },
            finish_reason: "stop",
          }
        : { index, text: content, logprobs: said && { token_logprobs: [logprob] }, finish_reason: "stop" };
    });
    const usage = { prompt_tokens: 10, completion_tokens: 5 * n, total_tokens: 10 + 5 * n };
    response.end(JSON.stringify({ model: "up", choices, usage, tools: body["tools"] }));
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port } = upstream.address() as AddressInfo;
  server = await serve(["--upstream", `http://127.0.0.1:${port}`, "--best-of", "4"], {
    CODESCALER_UPSTREAM_KEY: "upstream-key",
  });
  client = new OpenAI({ baseURL: `${server.ready.url}/v1`, apiKey: TOKEN, maxRetries: 0 });
});
afterAll(async () => {
  await server.stop();
  upstream.close();
});
afterEach(() => {
  seen.length = 0;
});

async function json(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

const messages = [{ role: "user" as const, content: "Return the sum of two integers a and b." }];
/** Our field beside OpenAI's. */
const facts = (reply: object) => ("codescaler" in reply ? reply.codescaler : undefined);

describe("chat completions", () => {
  test("the best of the samples is the one answer, and the answer says how it was chosen", async () => {
    behaviour = { texts: [BROKEN, PROSE, RIGHT, BROKEN] };
    const reply = await client.chat.completions.create({ model: "up", messages, temperature: 0.8, seed: 7 });
    expect(reply.choices.map(({ message }) => message.content)).toEqual([RIGHT]);
    expect(reply).toMatchObject({ object: "chat.completion", model: "up" });
    expect(reply.usage).toEqual({ prompt_tokens: 10, completion_tokens: 20, total_tokens: 30 });
    expect(facts(reply)).toMatchObject({ ranked_by: "reward", samples: 4, judge: { id: "nano" } });
    expect(seen).toMatchObject([
      { path: "/v1/chat/completions", key: "Bearer upstream-key", body: { n: 4, seed: 7, messages } },
    ]);
  });
  test("several answers come best first, different programs before repeated ones", async () => {
    behaviour = { texts: [RIGHT, RIGHT, BROKEN, PROSE] };
    const { choices } = await client.chat.completions.create({ model: "up", messages, n: 3 });
    expect(choices.map(({ message }) => message.content)).toEqual([RIGHT, BROKEN, PROSE]);
  });
  test("a stream carries the chosen text, its end and the usage", async () => {
    behaviour = { texts: [PROSE, RIGHT] };
    const stream = await client.chat.completions.create({
      model: "up",
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    const ends: (string | null)[] = [];
    let usage: number | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      if (chunk.choices[0]) ends.push(chunk.choices[0].finish_reason);
      usage = chunk.usage?.total_tokens ?? usage;
    }
    expect({ text, ends, usage }).toEqual({ text: RIGHT, ends: [null, "stop"], usage: 30 });
  });
  test("an upstream that ignores n is asked until there are enough, each time with another seed", async () => {
    behaviour = { texts: [PROSE, RIGHT, BROKEN, PROSE], ignoresN: true };
    const reply = await client.chat.completions.create({ model: "up", messages, seed: 1 });
    expect(reply.choices[0]?.message.content).toBe(RIGHT);
    expect(seen.map(({ body }) => body["seed"])).toEqual([1, 2, 3, 4]);
  });
  test("without code the writer's own likelihood decides, and the answer says so", async () => {
    behaviour = { texts: ["Blue.", "Green.", "Red.", "Grey."], logprobs: [-3, -0.1, -2, -1] };
    const reply = await client.chat.completions.create({ model: "up", messages });
    expect(reply.choices[0]?.message.content).toBe("Green.");
    expect(facts(reply)).toMatchObject({
      ranked_by: "writer_logprob",
      why: expect.stringMatching(/no.*code/i),
    });
  });
  test("an upstream that refuses log-probabilities is asked without them", async () => {
    behaviour = { texts: ["Blue.", "Green."], refusesLogprobs: true };
    const reply = await client.chat.completions.create({ model: "up", messages });
    expect(facts(reply)).toMatchObject({ ranked_by: "none" });
  });
  test("a request with tools goes to the upstream as it is", async () => {
    behaviour = { texts: [PROSE] };
    const tools = [{ type: "function" as const, function: { name: "look" } }];
    const reply = await client.chat.completions.create({ model: "up", messages, tools, n: 1 });
    expect(facts(reply)).toBeUndefined();
    expect(seen[0]?.body["tools"]).toEqual(tools);
  });
  test("an upstream that dies is one clear sentence, streamed or not", async () => {
    behaviour = { texts: [], dies: true };
    await expect(client.chat.completions.create({ model: "up", messages })).rejects.toMatchObject({
      status: 502,
      message: expect.stringContaining("cannot be reached"),
    });
    const stream = await client.chat.completions.create({ model: "up", messages, stream: true });
    await expect(
      (async () => {
        for await (const _ of stream);
      })(),
    ).rejects.toThrow(/cannot be reached/);
  });
  test.each([
    ["a thousand samples", { best_of: 1000 }, /best_of.*at most 32/],
    ["no message", { messages: [] }, /messages/],
    ["a picture", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }, /content/],
  ])("%s: refused with the field named", async (_, fields, message) => {
    const { status, json } = await server.call("POST", "/v1/chat/completions", { messages, ...fields });
    expect(status).toBe(422);
    expect(JSON.stringify(json)).toMatch(message);
  });
});

describe("completions", () => {
  test("a completion at a cursor is ranked as one", async () => {
    behaviour = { texts: ["return (a + b", "return a + b"] };
    const reply = await client.completions.create({
      model: "up",
      prompt: "def add(a, b):\n    ",
      suffix: "\n\nprint(add(1, 2))\n",
    });
    expect(reply.choices.map(({ text }) => text)).toEqual(["return a + b"]);
    expect(reply.object).toBe("text_completion");
    expect(seen[0]).toMatchObject({
      path: "/v1/completions",
      body: { suffix: "\n\nprint(add(1, 2))\n", n: 4 },
    });
  });
  test("a prompt with a model's own marks is read as the cursor that it means, and sent as it is", async () => {
    behaviour = { texts: ["return (a + b", "return a + b"] };
    const prompt = "<|fim_prefix|>def add(a, b):\n    <|fim_suffix|>\n\nprint(add(1, 2))\n<|fim_middle|>";
    const reply = await client.completions.create({ model: "up", prompt });
    expect(reply.choices[0]?.text).toBe("return a + b");
    expect(seen[0]?.body["prompt"]).toBe(prompt);
  });
});

test("models are listed in OpenAI's shape", async () => {
  const { data } = await client.models.list();
  expect(data.map(({ id }) => id)).toContain("nano");
});

test("without a writer the answer says how to get one", async () => {
  const alone = await serve();
  try {
    const { status, text } = await alone.call("POST", "/v1/chat/completions", { messages });
    expect({ status, says: /models pull|--upstream/.test(text) }).toEqual({ status: 404, says: true });
  } finally {
    await alone.stop();
  }
});
