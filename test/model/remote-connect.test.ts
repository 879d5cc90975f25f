/** What is found out about an engine at connect, over real HTTP, with real rewards behind it. */
import { once } from "node:events";
import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServiceError } from "../../server/errors.ts";
import { grammarFolder } from "../../server/files/package-files.ts";
import { programReader } from "../../server/ranking/programs.ts";
import { rank } from "../../server/ranking/rank.ts";
import { conversation, type Scorer } from "../../server/ranking/scorer.ts";
import { EngineStates } from "../../server/remote/engine-states.ts";
import { wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import { RemoteSetting } from "../helpers/remote-setting.ts";
import { startSglang } from "../helpers/replay/sglang.ts";
import type { VllmOptions } from "../helpers/replay/vllm.ts";
import type { Setup } from "../helpers/replay/vllm-setups.ts";

let setting: RemoteSetting;
beforeAll(async () => {
  setting = await RemoteSetting.start();
});
afterAll(() => setting.close());

const QUESTION = "Write a function add(a, b) that returns the sum of a and b.";
const CODES = [
  "def add(a, b):\n    return a + b\n",
  "def add(a, b):\n    return a - b\n",
  "def add(a, b):\n    pass\n",
];

async function refusal(work: Promise<Scorer>): Promise<string> {
  const error: unknown = await work.then(
    async (scorer) => {
      await scorer.close();
      return new Error("it was accepted");
    },
    (reason: unknown) => reason,
  );
  if (!(error instanceof ServiceError)) throw error;
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error.message;
}

describe("an SGLang with the model", () => {
  test("gives exactly the local rewards, asked with token ids on its own route", async () => {
    await using server = await startSglang(setting.reward);
    const remote = await setting.open([server]);
    const items = CODES.map((code) => ({ messages: conversation(QUESTION, code) }));
    const rewards = async (scorer: Scorer) =>
      (await scorer.scoreItems(items, { priority: "bulk" })).inputs.map(({ reward }) => reward);
    expect(await rewards(remote)).toEqual(await rewards(setting.local));
    expect(remote.identity.device).toBe(`SGLang at ${new URL(server.url).host} (nano)`);
    expect(new Set(server.requests.map(({ path }) => path))).toEqual(new Set(["/v1/models", "/classify"]));
    await remote.close();
  });
  test("with a bias that moves its rewards away from another engine's, is left out", async () => {
    await using vllm = await setting.serve();
    await using biased = await startSglang(async (all) =>
      Array.from(await setting.reward(all), (one) => one + 20),
    );
    const states = new EngineStates();
    const remote = await setting.open([vllm, biased], { onChange: (state) => states.set(state) });
    expect(states.leftOut).toEqual([
      expect.stringMatching(/20\.00 away from those of .*a bias that its head adds/),
    ]);
    await remote.close();
  });
  test.each([
    ["labels", /instead of one: the model there has no reward head with one label/],
    ["texts-only", /must be an SGLang that serves a sequence classifier/],
    ["softmax-only", /has no \/classify/],
  ] as const)("set up as %s is refused", async (setup, sentence) => {
    await using server = await startSglang(setting.reward, setup);
    expect(await refusal(setting.open([server]))).toMatch(sentence);
  });
});

describe("a vLLM with the model", () => {
  test("gives exactly the local rewards, order, tokens and truncation", async () => {
    await using server = await setting.serve({ model: "my-org/nano" });
    const remote = await setting.open([server]);
    const read = programReader(await wasmRuntime({ grammarDir: grammarFolder }));
    const request = {
      task: { question: `${QUESTION}\n${"Numbers may be large. ".repeat(600)}`, language: "python" },
      candidates: CODES.map((text, index) => ({ id: String(index), text })),
      mode: "lenient" as const,
      priority: "interactive" as const,
    };
    const [here, there] = [await rank(request, setting.local, read), await rank(request, remote, read)];
    expect(there.candidates).toEqual(here.candidates);
    expect(there.candidates.every(({ truncated }) => truncated)).toBe(true);
    expect(there.model.device).toBe(`vLLM at ${new URL(server.url).host} (my-org/nano)`);
    expect(there.usage.total_tokens).toBe(here.usage.total_tokens);
    // A reward that is known is not asked for again.
    const asked = server.asked.length;
    const again = await rank(request, remote, read);
    expect(again.candidates).toEqual(here.candidates);
    expect(again.usage.unique_tokens).toBe(0);
    expect(server.asked).toHaveLength(asked);
    await remote.close();
  });

  test("is asked with token ids, without activation, by its own name of the model", async () => {
    await using server = await setting.serve({ model: "served" });
    const remote = await setting.open([server]);
    await remote.scoreItems([{ messages: [{ role: "user", content: "x" }] }], { priority: "bulk" });
    const { body } = server.asked.at(-1) ?? {};
    expect(body).toEqual({ model: "served", input: [expect.any(Array)], use_activation: false });
    // Nothing but these routes is ever asked for.
    expect(new Set(server.requests.map(({ method, path }) => `${method} ${path}`))).toEqual(
      new Set(["GET /v1/models", "POST /tokenize", "POST /classify"]),
    );
    await remote.close();
  });

  test.each<Setup>(["right", "regression", "shuffled"])("set up as %s is accepted", async (setup) => {
    await using server = await setting.serve({ setup });
    const remote = await setting.open([server]);
    const conversations = CODES.map((code) => ({ messages: conversation(QUESTION, code) }));
    const options = { priority: "bulk" as const };
    expect((await remote.scoreItems(conversations, options)).inputs).toEqual(
      (await setting.local.scoreItems(conversations, options)).inputs,
    );
    await remote.close();
  });

  test("without the route for tokenizing, with a token, or with a path is accepted", async () => {
    await using server = await setting.serve({ key: "secret", guardsAll: true });
    await using plain = await setting.serve({ tokenize: undefined });
    for (const [one, token] of [
      [server, "secret"],
      [{ url: `${plain.url}/v1/` }, undefined],
    ] as const) {
      const remote = await setting.open([one], token === undefined ? {} : { token });
      await remote.close();
    }
    expect(server.requests.every(({ authorization }) => authorization === "Bearer secret")).toBe(true);
    expect(plain.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });
});

describe("is refused in one sentence:", () => {
  test.each<[Setup, RegExp]>([
    [
      "probabilities",
      /^vLLM at [\d.:]+ returns probabilities although raw logits were asked for\. .*docs\/fleet\.md/,
    ],
    ["softmax", /answers 1 whatever the text: it applies a softmax to a single label/],
    ["mean", /hardly looks at the last token of a long text: it pools the mean of all tokens/],
    ["first", /whatever the text: .*reads only the first token/],
    ["labels", /answers with 2 numbers for a text instead of one/],
    ["swapped", /gives a text another reward when it is sent alone/],
    ["company", /gives a text another reward when it is sent alone/],
    ["negated", /rates plainly wrong programs above right ones/],
    ["truncating", /read \d+ tokens where \d+ were sent/],
    ["old", /refuses the request .*It must be vLLM 0\.15 or newer/],
    ["generate", /has no \/classify .*docs\/fleet\.md/],
  ])("set up as %s", async (setup, sentence) => {
    await using server = await setting.serve({ setup });
    expect(await refusal(setting.open([server]))).toMatch(sentence);
  });

  test.each<[string, Partial<VllmOptions>, string | undefined, RegExp]>([
    [
      "no token",
      { key: "secret" },
      undefined,
      /refuses the request without a token .*CODESCALER_ENGINE_TOKEN/,
    ],
    ["a wrong token", { key: "secret" }, "wrong", /refuses the token \(status 401: Unauthorized\)/],
    [
      "another vocabulary",
      { tokenize: (text) => Array.from(Buffer.from(text)) },
      undefined,
      /serves another model than nano: it cuts text into other tokens/,
    ],
  ])("%s", async (_what, options, token, sentence) => {
    await using server = await setting.serve(options);
    expect(await refusal(setting.open([server], token === undefined ? {} : { token }))).toMatch(sentence);
  });

  test("a web page, a redirect, nobody, silence, and an engine that is no engine", async () => {
    const answers: [RegExp, (url: string) => [number, Record<string, string>, string] | undefined][] = [
      [/no JSON but a web page/, () => [200, { "Content-Type": "text/html" }, "<!doctype html><p>Hello"]],
      [/redirects elsewhere/, () => [302, { Location: "http://127.0.0.1:1/" }, ""]],
      [/is neither a vLLM, nor an SGLang, nor a CodeScaler server/, () => [200, {}, "[]"]],
      [/serves no model/, () => [200, {}, '{"object":"list","data":[]}']],
      [/did not answer within 0\.2 s/, () => undefined],
    ];
    for (const [sentence, answer] of answers) {
      const server = createServer((request, response) => {
        const [status, headers, text] = answer(request.url ?? "") ?? [];
        if (status !== undefined) response.writeHead(status, headers).end(text);
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const url = `http://127.0.0.1:${port}`;
      expect(await refusal(setting.open([{ url }], { timing: { shortMs: 200 } }))).toMatch(sentence);
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      expect(await refusal(setting.open([{ url }]))).toMatch(
        /cannot be reached \(the connection was refused\)/,
      );
    }
  });
});
