/** The HTTP contract against a real server process: bad input, each with a clear error, and the server lives on. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ERRORS, type ErrorCode, LIMITS } from "../../../shared/contract.ts";
import { type RunningServer, serve } from "../../helpers/server-process.ts";

let server: RunningServer;
beforeAll(async () => {
  server = await serve();
});
afterAll(() => server.stop());
afterEach(async () => {
  expect((await server.call("GET", "/health")).status).toBe(200);
});

const good = {
  task: { question: "Add a and b." },
  candidates: [{ id: "1", text: "def add(a, b):\n    return a + b\n" }],
};

async function expectError(
  code: ErrorCode,
  message: RegExp,
  ...args: Parameters<RunningServer["call"]>
): Promise<void> {
  const { status, json, text } = await server.call(...args);
  expect(json, text).toMatchObject({ error: { code, message: expect.stringMatching(message) } });
  expect(status).toBe(ERRORS[code].status);
}

describe("who may ask", () => {
  test("no token, a wrong one, an empty one", async () => {
    for (const authorization of ["", "Bearer wrong", "Bearer ", "Basic dGVzdA=="]) {
      await expectError("unauthorized", /token/, "POST", "/v1/rank", good, { authorization });
    }
  });
  test("a web page (any Origin, even null), with the right token", async () => {
    for (const origin of ["http://evil.example", "null", "http://127.0.0.1"]) {
      await expectError("forbidden", /web pages/, "POST", "/v1/rank", good, { origin });
    }
  });
  test("a foreign host name, as DNS rebinding brings it", async () => {
    await expectError("forbidden", /evil\.example/, "GET", "/health", undefined, { host: "evil.example" });
    expect((await server.call("GET", "/health", undefined, { host: "localhost:1234" })).status).toBe(200);
  });
  test("a preflight request gets no CORS headers", async () => {
    const { status, headers } = await server.call("OPTIONS", "/v1/rank", undefined, {
      origin: "http://evil.example",
    });
    expect(status).toBe(403);
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });
});

describe("what is asked", () => {
  test("invalid JSON, an empty body, binary", async () => {
    await expectError("invalid_json", /JSON/, "POST", "/v1/rank", "{");
    await expectError("invalid_json", /JSON/, "POST", "/v1/rank", "");
    await expectError("invalid_json", /64 levels/, "POST", "/v1/rank", "[".repeat(30 * 2 ** 20));
    await expectError("invalid_json", /JSON/, "POST", "/v1/rank", Buffer.from([0xff, 0xfe, 0, 1, 2, 3]));
  });
  test("another content type", async () => {
    await expectError("unsupported_media_type", /application\/json/, "POST", "/v1/rank", "a=1", {
      "content-type": "application/x-www-form-urlencoded",
    });
  });
  test("wrong types and missing fields name the field", async () => {
    await expectError("invalid_request", /task/, "POST", "/v1/rank", { ...good, task: 1 });
    await expectError("invalid_request", /candidates/, "POST", "/v1/rank", { ...good, candidates: "x" });
    await expectError("invalid_request", /candidates\.0\.text/, "POST", "/v1/rank", {
      ...good,
      candidates: [{ id: "1" }],
    });
    await expectError("invalid_request", /task/, "POST", "/v1/rank", { ...good, task: { prefix: "a" } });
    await expectError("invalid_request", /mode/, "POST", "/v1/rank", { ...good, mode: "loose" });
    for (const body of [null, [], 1, "x"])
      await expectError("invalid_request", /./, "POST", "/v1/rank", JSON.stringify(body));
  });
  test("an unknown language is named, with those that are known", async () => {
    await expectError("invalid_request", /cobol.*python/i, "POST", "/v1/rank", {
      ...good,
      task: { question: "q", language: "cobol" },
    });
  });
  test("no candidates, too many, the same id twice", async () => {
    await expectError("invalid_request", /least one/, "POST", "/v1/rank", { ...good, candidates: [] });
    const many = Array.from({ length: 10_000 }, (_, index) => ({ id: String(index), text: "x" }));
    await expectError("invalid_request", new RegExp(String(LIMITS.candidates)), "POST", "/v1/rank", {
      ...good,
      candidates: many,
    });
    await expectError("invalid_request", /ids must differ/, "POST", "/v1/rank", {
      ...good,
      candidates: [...good.candidates, ...good.candidates],
    });
  });
  test("an unknown model, and a path where a name is wanted", async () => {
    for (const model of ["no-such", "../media/nano", "/etc/passwd", "nano.gguf/..", "__proto__"]) {
      await expectError("model_not_found", /installed/, "POST", "/v1/rank", { ...good, model });
    }
  });
  test("an unknown criterion", async () => {
    await expectError("invalid_request", /criteri/, "POST", "/v1/rank", { ...good, criterion: "beauty" });
  });
  test("unknown fields are ignored", async () => {
    expect((await server.call("POST", "/v1/rank", { ...good, extra: { deep: [1] } })).status).toBe(200);
  });
  test("keys that would reach a prototype are unknown fields like others, and do no harm", async () => {
    const body = `{"__proto__":{"x":1},"constructor":{"prototype":{"y":1}},${JSON.stringify(good).slice(1)}`;
    expect((await server.call("POST", "/v1/rank", body)).status).toBe(200);
    expect(Reflect.get({}, "x")).toBeUndefined();
  });
  test("a broken address and a broken request line have the shape of every error", async () => {
    await expectError("invalid_request", /./, "GET", "/%zz");
    const socket = connect(Number(new URL(server.ready.url).port), "127.0.0.1");
    socket.write("NOT HTTP\r\n\r\n");
    let answer = "";
    socket.on("data", (part) => (answer += String(part)));
    await once(socket, "close");
    expect(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).toMatchObject({
      error: { code: "invalid_request" },
    });
  });
  test("unknown routes and methods", async () => {
    await expectError("not_found", /no \/nope/, "GET", "/nope");
    await expectError("method_not_allowed", /POST only/, "GET", "/v1/rank");
    await expectError("not_found", /./, "GET", "/v1/models/../../etc/passwd");
  });
  test("a body of 50 MB is refused without being read", async () => {
    const result = await server
      .call("POST", "/v1/rank", `[${"1,".repeat(25_000_000)}1]`)
      .catch((error: NodeJS.ErrnoException) => error.code);
    // The server may close the connection before the client has sent it all.
    if (typeof result === "object") expect(result.status).toBe(413);
    else expect(["EPIPE", "ECONNRESET"]).toContain(result);
  });
  test("a body shorter than promised", async () => {
    const socket = connect(Number(new URL(server.ready.url).port), "127.0.0.1");
    socket.write(
      `POST /v1/rank HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer test-token\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"a"`,
    );
    socket.end();
    socket.resume();
    await once(socket, "close");
  });
  test("no HTTP at all", async () => {
    const socket = connect(Number(new URL(server.ready.url).port), "127.0.0.1");
    socket.end(Buffer.from([0, 1, 2, 3, 255]));
    socket.resume();
    await once(socket, "close");
  });
});

describe("clients that go away", () => {
  test("their work stops, and nothing of it delays the next request for long", async () => {
    const body = JSON.stringify({
      task: { question: "Go away." },
      candidates: Array.from({ length: 200 }, (_, index) => ({
        id: String(index),
        text: `def f${index}(a):\n${`    a += ${index}\n`.repeat(200)}    return a\n`,
      })),
    });
    const socket = connect(Number(new URL(server.ready.url).port), "127.0.0.1");
    socket.write(
      `POST /v1/rank HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer test-token\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    socket.destroy();
    expect((await server.call("POST", "/v1/rank", good)).status).toBe(200);
    const { text } = await server.call("GET", "/metrics");
    const decoded = Number(/codescaler_decoded_tokens_total (\d+)/.exec(text)?.[1] ?? 0);
    // All 200 would have been 200 × 1,000 tokens and more.
    expect(decoded).toBeLessThan(100_000);
  });
});
