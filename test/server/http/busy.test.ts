/** A server that is busy with a hostile candidate answers others meanwhile. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningServer, serve } from "../../helpers/server-process.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await serve(["--model", "nano"]);
});
afterAll(() => server.stop());

/** Comparisons or type arguments, which nobody can tell until the end: the slowest there is for its length. */
const hostile = (name: string): string =>
  Array.from({ length: 12_000 }, (_, index) => `${name}${index}<`)
    .join("")
    .slice(0, 60_000);

const rank = (candidates: readonly string[]) =>
  server.call("POST", "/v1/rank", {
    task: { question: "Sum a list." },
    candidates: candidates.map((text, index) => ({ id: String(index), text })),
  });

test("while one candidate is parsed, the server tells its health again and again", async () => {
  // Grammars are loaded by then, so that what follows is parsing alone.
  await rank(["```cpp\nint f() { return 1; }\n```"]);
  const finished: string[] = [];
  const ranked = rank([`Here it is.\n\n\`\`\`cpp\n${hostile("a")}\n\`\`\`\n`]).then((reply) => {
    finished.push("rank");
    return reply;
  });
  // The request is sent before those that follow, and read before them.
  for (let count = 0; count < 5; count++) {
    const { status } = await server.call("GET", "/health");
    finished.push(`health ${status}`);
  }
  expect((await ranked).status).toBe(200);
  expect(finished).toEqual([...Array(5).fill("health 200"), "rank"]);
});

test("a client that goes away while its candidate is parsed leaves the server in order", async () => {
  const controller = new AbortController();
  const left = fetch(`${server.ready.url}/v1/rank`, {
    method: "POST",
    headers: { authorization: "Bearer test-token", "content-type": "application/json" },
    body: JSON.stringify({
      task: { question: "Sum a list." },
      candidates: [{ id: "0", text: `\`\`\`cpp\n${hostile("b")}\n\`\`\`` }],
    }),
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(), 50);
  await expect(left).rejects.toThrow();
  const reply = await rank(["```python\ndef total(xs):\n    return sum(xs)\n```"]);
  expect(reply.json).toMatchObject({ candidates: [{ valid: true, reward: expect.any(Number) }] });
});
