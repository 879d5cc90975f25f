/** Requests that reach a server while it ends: each is told in a way that clients try again. */
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { serve, TOKEN } from "../../helpers/server-process.ts";

test("a request whose last bytes come after the signal is told to be sent again", async () => {
  const server = await serve();
  const socket = connect(Number(new URL(server.ready.url).port), "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  const body = JSON.stringify({ task: { question: "Add." }, candidates: [{ id: "1", text: "x = 1" }] });
  socket.write(`POST /v1/rank HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n`);
  // Its beginning has arrived when a later request was answered.
  await server.call("GET", "/health");
  server.child.kill("SIGTERM");
  while (!server.stderr().includes('"stopping"')) await once(server.child.stderr ?? socket, "data");
  socket.write(`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await once(socket, "close");
  expect(answer).toMatch(/^HTTP\/1\.1 503 [\s\S]*retry-after: 2/i);
  expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toMatchObject({ error: { code: "restarting" } });
  await server.stop();
});
