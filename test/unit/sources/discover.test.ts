/** Servers on this machine are found by their ports, recognised by their answers, and their models listed. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { createSource } from "../../../src/sources/setup/create.ts";
import { discover, suggestSource } from "../../../src/sources/setup/discover.ts";
import { type Replay, type ReplayOptions, startReplay } from "../../helpers/replay/replay.ts";
import { http, outcome } from "./asking.ts";

const open: Pick<Replay, "close">[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((replay) => replay.close()));
});
async function replayed(options: ReplayOptions): Promise<number> {
  const replay = await startReplay(options);
  open.push(replay);
  return Number(new URL(replay.url).port);
}

const signal = new AbortController().signal;

test("all four are found at once, in the order of their ports, with their models", async () => {
  const ports = [
    await replayed({
      vendor: "ollama",
      models: [
        { name: "qwen2.5-coder:7b", infill: true },
        { name: "llama3.2:3b" },
        { name: "nomic-embed-text", embeds: true },
      ],
    }),
    await replayed({ vendor: "llamacpp", models: [{ name: "/models/Qwen2.5-Coder-1.5B-Q8_0.gguf" }] }),
    await replayed({
      vendor: "lmstudio",
      models: [{ name: "google/gemma-3-4b" }, { name: "text-embedding-nomic", embeds: true }],
    }),
    await replayed({ vendor: "vllm", models: [{ name: "bigcode/starcoder2-3b" }] }),
  ];
  const found = await discover(http, signal, ports);
  expect(found.map(({ server, url }) => [server, Number(new URL(url).port)])).toEqual([
    ["ollama", ports[0]],
    ["llamacpp", ports[1]],
    ["lmstudio", ports[2]],
    ["vllm", ports[3]],
  ]);
  expect(found.map(({ models }) => models)).toEqual([
    [
      { name: "qwen2.5-coder:7b", infill: true },
      { name: "llama3.2:3b", infill: false },
    ],
    [{ name: "/models/Qwen2.5-Coder-1.5B-Q8_0.gguf", infill: true }],
    [{ name: "google/gemma-3-4b", infill: false }],
    [{ name: "bigcode/starcoder2-3b", infill: true }],
  ]);
  const kinds = found.map((server) => server.models.map((model) => suggestSource(server, model)));
  expect(kinds.map((all) => all.map(({ kind }) => kind))).toEqual([
    ["ollama", "ollama-chat"],
    ["llamacpp"],
    ["openai-chat"],
    ["openai"],
  ]);
  expect(kinds[1]?.[0]?.label).toBe("llama.cpp: Qwen2.5-Coder-1.5B-Q8_0.gguf");
  // Every suggestion works as it is.
  for (const config of kinds.flat()) {
    const { texts, error } = await outcome(
      createSource(config, http, async () => undefined),
      { count: 2 },
    );
    expect(error).toBeUndefined();
    expect(texts).toEqual(["pass", "pass"]);
  }
});

test("servers without any model are recognised too", async () => {
  const ports = [
    await replayed({ vendor: "ollama", models: [] }),
    await replayed({ vendor: "lmstudio", models: [] }),
    await replayed({ vendor: "vllm", models: [] }),
  ];
  const found = await discover(http, signal, ports);
  expect(found.map(({ server, models }) => [server, models.length])).toEqual([
    ["ollama", 0],
    ["lmstudio", 0],
    ["vllm", 0],
  ]);
});

test("another OpenAI-compatible server is found as such", async () => {
  const found = await discover(http, signal, [await replayed({ vendor: "openai", models: [{ name: "m" }] })]);
  expect(found).toMatchObject([{ server: "other", models: [{ name: "m" }], needsKey: false }]);
});

test("a web server that is no model server is not taken for one, and a silent one holds up nothing", async () => {
  const page = createServer((_, response) => {
    response.writeHead(200, { "Content-Type": "text/html" }).end("<html>My project</html>");
  });
  const json = createServer((_, response) => {
    response.writeHead(200, { "Content-Type": "application/json" }).end('{"hello":"world"}');
  });
  const silent = createServer(() => {});
  const ports: number[] = [];
  for (const server of [page, json, silent]) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ports.push((server.address() as AddressInfo).port);
    open.push({
      close: async () => {
        server.closeAllConnections();
        server.close();
      },
    });
  }
  const gone = await startReplay({ vendor: "vllm" });
  await gone.close();
  const ollama = await replayed({ vendor: "ollama" });
  const found = await discover(http, signal, [...ports, Number(new URL(gone.url).port), ollama]);
  expect(found.map(({ server }) => server)).toEqual(["ollama"]);
});

test("looking sends no key and asks for no completion", async () => {
  const replay = await startReplay({ vendor: "lmstudio" });
  open.push(replay);
  await discover(http, signal, [Number(new URL(replay.url).port)]);
  expect(replay.requests.length).toBeGreaterThan(0);
  expect(replay.asked).toEqual([]);
  expect(replay.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true);
});

test("a llama.cpp server behind a key says that it wants one", async () => {
  const server = createServer((_, response) => {
    response.writeHead(401, { "Content-Type": "application/json", Server: "llama.cpp" });
    response.end(
      JSON.stringify({ error: { code: 401, message: "Invalid API Key", type: "authentication_error" } }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  open.push({
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const found = await discover(http, signal, [(server.address() as AddressInfo).port]);
  expect(found).toMatchObject([{ server: "llamacpp", models: [], needsKey: true }]);
});
