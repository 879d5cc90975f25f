/** The one HTTP client, against real servers on this machine. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import { HttpFailure } from "../../../shared/http/http-failure.ts";
import { isLoopback } from "../../../shared/http/loopback.ts";
import { type HttpRequest, send, textOf } from "../../../shared/http/send.ts";

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening<T extends Server | ReturnType<typeof createTcpServer>>(server: T): Promise<URL> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return new URL(`http://127.0.0.1:${address.port}/`);
}

const serve = (answer: RequestListener) => listening(createServer(answer));

const request = (url: URL, more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: "GET",
  url,
  headers: {},
  signal: new AbortController().signal,
  limits: { total: 20_000 },
  ...more,
});

async function failure(work: Promise<unknown>): Promise<HttpFailure> {
  const error: unknown = await work.then(
    () => new Error("it worked"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof HttpFailure)) throw error;
  return error;
}

describe("an answer", () => {
  test("has status, headers and text, whatever the status", async () => {
    const url = await serve((_, response) => {
      response.writeHead(418, { "X-Kind": "pot" }).end("short and stout");
    });
    const reply = await send(request(url));
    expect([reply.status, reply.header("x-kind"), reply.header("x-other")]).toEqual([418, "pot", undefined]);
    expect(await textOf(reply)).toBe("short and stout");
  });

  test("may be a redirect, which is not followed", async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked += 1;
      response.writeHead(302, { Location: "/elsewhere" }).end();
    });
    const reply = await send(request(url));
    expect([reply.status, reply.header("location")]).toEqual([302, "/elsewhere"]);
    reply.discard();
    expect(asked).toBe(1);
  });

  test("is decompressed, unless its bytes are wanted as they are", async () => {
    const packed = gzipSync("hello");
    const url = await serve((_, response) => {
      response.writeHead(200, { "Content-Encoding": "gzip" }).end(packed);
    });
    expect(await textOf(await send(request(url)))).toBe("hello");
    const pieces: Uint8Array[] = [];
    for await (const piece of (await send(request(url, { verbatim: true }))).body) pieces.push(piece);
    expect(Buffer.concat(pieces).equals(packed)).toBe(true);
  });

  test("beyond the limit of bytes is given up", async () => {
    const url = await serve((_, response) => void response.end("x".repeat(5000)));
    const { reason, answered } = await failure(send(request(url, { maxBytes: 4999 })).then(textOf));
    expect([reason, answered]).toEqual(["too_large", true]);
  });
});

describe("a failure", () => {
  test("says that nobody listens", async () => {
    const url = await serve(() => {});
    await new Promise((resolve) => servers.pop()?.close() && setImmediate(resolve));
    const { reason, code, answered } = await failure(send(request(url)));
    expect([reason, code, answered]).toEqual(["refused", "ECONNREFUSED", false]);
  });

  test("says that what listens speaks no HTTP", async () => {
    const url = await listening(createTcpServer((socket) => socket.end("220 mail at your service\r\n")));
    expect((await failure(send(request(url)))).reason).toBe("protocol");
  });

  test.each([
    ["head", () => {}],
    ["idle", (_, response) => void response.write("begun")],
  ] as [string, RequestListener][])("says that the limit %s was reached", async (limit, answer) => {
    const url = await serve(answer);
    const limits = { head: 300, idle: 300 };
    const found = await failure(send(request(url, { limits })).then(textOf));
    expect([found.reason, found.limit, found.answered]).toEqual(["silent", limit, limit === "idle"]);
  });

  test("says that the answer was cut", async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { "Content-Length": "100" }).write("begun", () => response.destroy());
    });
    const { reason, answered } = await failure(send(request(url)).then(textOf));
    expect([reason, answered]).toEqual(["cut", true]);
  });

  test("is the caller's own reason where the caller stopped it, before and during the answer", async () => {
    const url = await serve((_, response) => void response.write("begun"));
    const reason = new Error("changed my mind");
    await expect(send(request(url, { signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    const later = new AbortController();
    const reply = await send(request(url, { signal: later.signal }));
    const reading = textOf(reply);
    later.abort(reason);
    await expect(reading).rejects.toBe(reason);
  });
});

test("the time a reader takes for a piece does not count as the server's silence", async () => {
  const url = await serve((_, response) => {
    response.write("a");
    setTimeout(() => response.end("b"), 50);
  });
  let text = "";
  for await (const piece of (await send(request(url, { limits: { idle: 200 } }))).body) {
    text += Buffer.from(piece).toString();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(text).toBe("ab");
});

test("a kept connection that the server closed costs nothing: the request is sent again", async () => {
  let asked = 0;
  const url = await serve((incoming, response) => {
    asked += 1;
    if (asked === 2) incoming.socket.destroy();
    else response.end("ok");
  });
  expect(await textOf(await send(request(url)))).toBe("ok");
  expect(await textOf(await send(request(url)))).toBe("ok");
  expect(asked).toBe(3);
});

test.each([
  ["http://localhost:1", true],
  ["http://127.0.0.1", true],
  ["http://[::1]:8080", true],
  ["http://127.0.0.2", false],
  ["http://localhost.example.com", false],
  ["http://example.com", false],
])("%s is this machine: %s", (address, local) => {
  expect(isLoopback(new URL(address))).toBe(local);
});
