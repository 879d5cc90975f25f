/** A candidate that cannot be read in any time: it ends the syntax thread, and nothing else. */

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RankReply } from "../../../shared/contract.ts";
import { FIXTURES } from "../../helpers/paths.ts";
import { type RunningServer, serve } from "../../helpers/server-process.ts";

const HARD = "``` for ever and ever\nx = 1\n```";
const RIGHT = "```python\ndef add(a, b):\n    return a + b\n```";
const WRONG = "```python\ndef add(a, b):\n    return a - b\n```";

let server: RunningServer;
beforeAll(async () => {
  server = await serve([], {
    NODE_OPTIONS: `--require ${join(FIXTURES, "too-hard.cjs")}`,
  });
});
afterAll(() => server.stop());

function body(candidates: Readonly<Record<string, string>>): object {
  return {
    task: { question: "Return the sum of two integers a and b.", language: "python" },
    candidates: Object.entries(candidates).map(([id, text]) => ({ id, text })),
  };
}

async function rank(candidates: Readonly<Record<string, string>>): Promise<RankReply["candidates"]> {
  const { status, text } = await server.call("POST", "/v1/rank", body(candidates));
  expect(status, text).toBe(200);
  const reply: RankReply = JSON.parse(text);
  return reply.candidates;
}

test("the candidate is named as too hard, all others of the request and of other requests are answered", async () => {
  const alone = await rank({ right: RIGHT, wrong: WRONG });
  const [withHard, ...others] = await Promise.all([
    rank({ right: RIGHT, hard: HARD, wrong: WRONG }),
    rank({ right: RIGHT, wrong: WRONG }),
    rank({ right: RIGHT, wrong: WRONG }),
  ]);
  for (const other of others) expect(other).toEqual(alone);
  const rewards = (all: RankReply["candidates"] = []) => all.map(({ id, reward }) => ({ id, reward }));
  expect(rewards(withHard?.slice(0, 2))).toEqual(rewards(alone));
  expect(withHard?.[2]).toMatchObject({ id: "hard", valid: false, reward: null });
  expect(withHard?.[2]?.reason).toBe("Reading it takes more than 5 seconds.");
});

test("a request of nothing but such candidates is refused, and names them", async () => {
  const { status, json } = await server.call("POST", "/v1/rank", body({ a: HARD, b: HARD, c: HARD }));
  expect(status).toBe(422);
  expect(json).toMatchObject({
    error: {
      code: "invalid_request",
      message: 'Each of the candidates "a", "b" takes more than 5 seconds to read. Leave them out.',
    },
  });
  expect((await server.call("GET", "/health")).status).toBe(200);
});

test("a request that is given up while its candidate is read does not hold up the next one for longer", async () => {
  const controller = new AbortController();
  const given = fetch(`${server.ready.url}/v1/rank`, {
    method: "POST",
    body: JSON.stringify(body({ hard: HARD })),
    headers: { "content-type": "application/json", authorization: "Bearer test-token" },
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(), 500);
  await expect(given).rejects.toThrow();
  expect(await rank({ right: RIGHT })).toHaveLength(1);
});
