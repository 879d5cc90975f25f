/** The built command line with engines elsewhere: as its users run it, with real rewards behind real HTTP. */

import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RankReply, ScoreReply } from "../../../shared/contract.ts";
import { leaseFolder } from "../../../shared/sharing/lease.ts";
import { readLease } from "../../../shared/sharing/read-lease.ts";
import { ROOT } from "../../helpers/paths.ts";
import { startProxy } from "../../helpers/replay/proxy.ts";
import { startVllm, type VllmReplay } from "../../helpers/replay/vllm.ts";
import { codescaler, type RunningServer, serve, TOKEN } from "../../helpers/server-process.ts";
import { Home, isRunning, SMALL, until } from "../../helpers/windows.ts";

/** A CodeScaler server that has nano in memory, as on another host. */
let host: RunningServer;
let folder: string;
beforeAll(async () => {
  host = await serve();
  folder = await mkdtemp(join(tmpdir(), "codescaler-remote-"));
  await writeFile(join(folder, "task.md"), "Write add(a, b) that returns the sum of a and b.\n");
  await writeFile(join(folder, "one.py"), "def add(a, b):\n    return a + b\n");
  await writeFile(join(folder, "two.py"), "def add(a, b):\n    return None\n");
});
afterAll(async () => {
  await host.stop();
  await rm(folder, { recursive: true, force: true });
});

const args = () => [
  "rank",
  "--task",
  join(folder, "task.md"),
  join(folder, "one.py"),
  join(folder, "two.py"),
  "--json",
];

describe("codescaler rank --engine", () => {
  test("gives exactly what ranking here gives, on another CodeScaler server", async () => {
    const here = await codescaler([...args(), "--model", "nano", "--device", "cpu", "--threads", "1"]);
    const there = await codescaler([...args(), "--model", "nano", "--engine", host.ready.url], {
      env: { CODESCALER_ENGINE_TOKEN: TOKEN },
    });
    expect(there.code, there.stderr).toBe(0);
    const [local, remote]: RankReply[] = [JSON.parse(here.stdout), JSON.parse(there.stdout)];
    expect(remote?.candidates.map(({ id, tokens }) => ({ id, tokens }))).toEqual(
      local?.candidates.map(({ id, tokens }) => ({ id, tokens })),
    );
    remote?.candidates.forEach(({ reward }, index) => {
      // The order of sums differs with the company in a batch.
      expect(reward).toBeCloseTo(local?.candidates[index]?.reward ?? Number.NaN, 1);
    });
    expect(remote?.model).toMatchObject({
      id: "nano",
      type: local?.model.type,
      revision: local?.model.revision,
      device: `CodeScaler at ${new URL(host.ready.url).host} (nano)`,
    });
  });

  test.each<[string, readonly string[], NodeJS.ProcessEnv, number, RegExp]>([
    ["without its token", ["--engine", "HOST"], {}, 1, /refuses the request without a token/],
    [
      "nobody there",
      ["--engine", "http://127.0.0.1:1"],
      {},
      1,
      /127\.0\.0\.1:1 cannot be reached \(the connection was refused\)/,
    ],
    ["no address", ["--engine", "gpu:8000"], {}, 1, /"gpu:8000" is no address of an engine/],
    [
      "a token that would travel in the clear",
      ["--engine", "http://gpu.example:8000"],
      { CODESCALER_ENGINE_TOKEN: "secret" },
      1,
      /token would travel unencrypted to gpu\.example:8000/,
    ],
  ])("%s: one sentence", async (_what, more, env, code, sentence) => {
    const outcome = await codescaler(
      [...args(), "--model", "nano", ...more.map((one) => one.replace("HOST", host.ready.url))],
      { env },
    );
    expect(outcome.stderr).toMatch(sentence);
    expect(outcome.stderr).not.toMatch(/secret|\n\s+at /);
    expect(outcome.code).toBe(code);
  });

  test("one engine that works and one that does not: one line says which is left out, and why", async () => {
    await using right = await startEngine();
    const { code, stderr } = await codescaler([
      ...args(),
      "--model",
      "nano",
      "--engine",
      right.url,
      "--engine",
      "http://127.0.0.1:1#concurrency=2",
    ]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /^The engine 127\.0\.0\.1:1 is left out: 127\.0\.0\.1:1 cannot be reached \(the connection was refused\)/m,
    );
  });

  test("a server tells of every engine, how it is and why, in its health and its log", async () => {
    await using right = await startEngine();
    await using wrong = await startVllm({ reward: async (all) => all.map(() => 0), setup: "softmax" });
    const engines = [right, wrong].flatMap(({ url }) => ["--engine", url]);
    const server = await serve(["--model", "nano", ...engines]);
    try {
      const { text } = await server.call("GET", "/health");
      const reason = expect.stringMatching(/applies a softmax to a single label/);
      expect(JSON.parse(text).engines).toEqual([
        { engine: new URL(right.url).host, state: "ready", reason: null },
        { engine: new URL(wrong.url).host, state: "aside", reason },
      ]);
      expect(server.stderr()).toMatch(/"state":"aside","reason":"[^"]*softmax/);
    } finally {
      await server.stop();
    }
  });

  test("a model of which nothing is here: the sentence says how to get its tokenizer", async () => {
    const { stderr, code } = await codescaler([
      ...args(),
      "--model",
      "codescaler-8b",
      "--engine",
      host.ready.url,
    ]);
    expect(stderr).toMatch(/models pull codescaler-8b --tokenizer/);
    expect(code).toBe(1);
  });
});

/** A vLLM whose rewards are those of the CodeScaler server. */
function startEngine(): Promise<VllmReplay> {
  return startVllm({
    reward: async (sequences) => {
      const items = sequences.map((tokens) => ({ tokens }));
      const reply: ScoreReply = JSON.parse((await host.call("POST", "/v1/score", { items })).text);
      return reply.rewards;
    },
    maxModelLen: 2048,
  });
}

describe("a vLLM on another host", () => {
  test("is reached through the proxy that the environment names, one on this machine never", async () => {
    await using engine = await startEngine();
    await using proxy = await startProxy();
    proxy.target = Number(new URL(engine.url).port);
    const env = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, NO_PROXY: "", no_proxy: "" };
    const direct = await codescaler([...args(), "--model", "nano", "--engine", engine.url], { env });
    expect(direct.code, direct.stderr).toBe(0);
    expect(proxy.seen).toEqual([]);
    const far = ["--model", "nano", "--engine", "http://gpu.example:8000/v1"];
    const through = await codescaler([...args(), ...far], { env });
    expect(through.code, through.stderr).toBe(0);
    expect(new Set(proxy.seen)).toEqual(
      new Set(
        ["/v1/models", "/tokenize", "/classify"].map(
          (path) => `${path === "/v1/models" ? "GET" : "POST"} http://gpu.example:8000${path}`,
        ),
      ),
    );
    const [near, distant]: RankReply[] = [JSON.parse(direct.stdout), JSON.parse(through.stdout)];
    expect(distant?.candidates).toEqual(near?.candidates);
    expect(distant?.model).toMatchObject({
      device: "vLLM at gpu.example:8000 (reward-model)",
      type: "remote",
    });
  });
});

describe("a model of which only the tokenizer is here", () => {
  test("is found without being named, and listed as loaded", async () => {
    await using engine = await startEngine();
    const home = join(folder, "home");
    const file = join(ROOT, "media/nano.gguf");
    await mkdir(join(home, "models", "tokenizers"), { recursive: true });
    await copyFile(file, join(home, "models", "tokenizers", "far.gguf"));
    const server = await serve(["--engine", engine.url], { CODESCALER_HOME: home });
    expect(server.ready.model).toBe("far");
    const { json } = await server.call("GET", "/v1/models");
    expect(json).toMatchObject({
      models: [
        { id: "nano", loaded: false },
        { id: "far", loaded: true, max_tokens: 2048 },
      ],
    });
    await server.stop();
  });
});

describe("windows of the editor", () => {
  test("with engines share a server of their own; one without them never uses it", async () => {
    const home = new Home({ CODESCALER_EXIT_AFTER: "2", CODESCALER_ENGINE_TOKEN: TOKEN });
    const engines = [host.ready.url];
    const folder = leaseFolder(home.folder, engines);
    const [one, two, plain] = await Promise.all([
      home.window({ engines, model: "nano" }),
      home.window({ engines, model: "nano" }),
      home.window(),
    ]);
    const urls = await Promise.all([one, two, plain].map((window) => window.tell({ do: "join" })));
    expect(urls[0]).toBe(urls[1]);
    expect(urls[2]).not.toBe(urls[0]);
    const scored = async () =>
      /codescaler_score_items_total (\d+)|$/.exec((await host.call("GET", "/metrics")).text)?.[1];
    // Once a request is answered, the checks at connect are over.
    expect(await one.tell(SMALL)).toBe(2);
    const before = Number(await scored());
    expect(await plain.tell({ ...SMALL, secret: "plain" })).toBe(2);
    expect(Number(await scored())).toBe(before);
    expect(await two.tell({ ...SMALL, secret: "two" })).toBe(2);
    expect(Number(await scored())).toBe(before + 2);
    const server = (await readLease(folder))?.pid ?? 0;
    await Promise.all([one, two, plain].map((window) => window.kill()));
    await until("the server ends", () => !isRunning(server));
    await home.dispose();
  });

  test("with engines that are away for now get a server all the same, and the reason with each request", async () => {
    const home = new Home({ CODESCALER_EXIT_AFTER: "2" });
    const window = await home.window({ engines: ["http://127.0.0.1:1"], model: "nano" });
    await window.tell({ do: "join" });
    await expect(window.tell(SMALL)).rejects.toThrow(/127\.0\.0\.1:1 cannot be reached/);
    await expect(window.tell(SMALL)).rejects.toThrow(/127\.0\.0\.1:1 cannot be reached/);
    const server = (await readLease(leaseFolder(home.folder, ["http://127.0.0.1:1"])))?.pid ?? 0;
    await window.kill();
    await until("the server ends", () => !isRunning(server));
    await home.dispose();
  });
});

describe("codescaler serve --engine", () => {
  test("ranks with the rewards of the other server, and says where they come from", async () => {
    const server = await serve(["--model", "nano", "--engine", host.ready.url], {
      CODESCALER_ENGINE_TOKEN: TOKEN,
    });
    const device = `CodeScaler at ${new URL(host.ready.url).host} (nano)`;
    expect(server.ready.device).toMatchObject({ backend: "remote", name: device });
    const request = {
      task: { question: "Write add(a, b) that returns the sum of a and b." },
      candidates: ["return a + b", "return a - b", "pass"].map((body, index) => ({
        id: String(index),
        text: `def add(a, b):\n    ${body}\n`,
      })),
    };
    const local: RankReply = JSON.parse((await host.call("POST", "/v1/rank", request)).text);
    const remote: RankReply = JSON.parse((await server.call("POST", "/v1/rank", request)).text);
    // The other server's rewards are kept there by token ids: equal ids, equal rewards.
    expect(remote.candidates).toEqual(local.candidates);
    expect(remote.model.device).toBe(device);
    expect((await server.call("GET", "/health")).json).toMatchObject({
      model: "nano",
      device: { backend: "remote", name: device },
    });
    await server.stop();
  });
});
