/** The tools for agents, asked by the official client of the Model Context Protocol over a real process. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serverScript } from "../../../server/files/package-files.ts";
import type { RankReply } from "../../../shared/contract.ts";

let client: Client;
beforeAll(async () => {
  client = new Client({ name: "test", version: "1" });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [serverScript, "mcp", "--model", "nano", "--device", "cpu"],
    }),
  );
});
afterAll(() => client.close());

async function call(name: string, args: Record<string, unknown>) {
  const { content, isError } = await client.callTool({ name, arguments: args });
  const [first] = Array.isArray(content) ? content : [];
  return { isError: isError ?? false, text: String(first?.text) };
}

test("the three tools are offered, with what each is for", async () => {
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).sort()).toEqual(["best_of_n", "extract_code", "rank_candidates"]);
  for (const { description } of tools) expect(description).toMatch(/\w{3}/);
});

test("candidates are ranked best first, plain texts too", async () => {
  const { isError, text } = await call("rank_candidates", {
    question: "Return the sum of two integers a and b.",
    language: "python",
    candidates: [
      "def add(a, b:\n    return a + b",
      { id: "right", text: "def add(a, b):\n    return a + b" },
    ],
  });
  const reply: RankReply = JSON.parse(text);
  expect(isError).toBe(false);
  expect(reply.candidates.map(({ id, valid }) => [id, valid])).toEqual([
    ["right", true],
    ["1", false],
  ]);
});

test("completions at a cursor are ranked", async () => {
  const { text } = await call("rank_candidates", {
    prefix: "def add(a, b):\n    ",
    suffix: "\n",
    language: "py",
    candidates: ["return (a + b", "return a + b"],
  });
  expect(JSON.parse(text).candidates[0].id).toBe("2");
});

test("the code of a reply is found", async () => {
  const { text } = await call("extract_code", { text: "Sure:\n```go\nfunc a() int { return 1 }\n```\n" });
  expect(JSON.parse(text)).toMatchObject({ language: "go", code: "func a() int { return 1 }", valid: true });
});

test.each([
  ["no problem", "rank_candidates", { candidates: ["x"] }, /either question/],
  ["a cursor without a language", "rank_candidates", { prefix: "x", candidates: ["x"] }, /language/],
  ["an unknown language", "extract_code", { text: "x", language: "klingon" }, /Known are/],
  ["no writer", "best_of_n", { question: "Add two numbers." }, /models pull/],
  ["no candidate", "rank_candidates", { question: "x", candidates: [] }, /candidates/],
])("%s: the agent is told in one sentence", async (_, name, args, message) => {
  const { isError, text } = await call(name, args);
  expect({ isError, text }).toMatchObject({ isError: true, text: expect.stringMatching(message) });
});
