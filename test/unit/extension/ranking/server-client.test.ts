import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import {
  checkHealth,
  listModels,
  type RankBody,
  RankError,
  rank,
  type ServerEndpoint,
} from "../../../../src/ranking/server-client.ts";
import { replyOf } from "../reply.ts";

const BODY: RankBody = { task: { question: "?" }, candidates: [{ id: "c1", text: "x" }] };
const NEVER = new AbortController().signal;
let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

async function serve(listener: RequestListener): Promise<ServerEndpoint> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(started.address() as AddressInfo).port}`, token: "secret" };
}

const json =
  (value: unknown, status = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };

async function failure(work: Promise<unknown>): Promise<RankError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof RankError) return error;
  throw new Error(`not a RankError: ${String(error)}`);
}

describe("the client of the reward server", () => {
  it("sends the task with the token, and gives the reply", async () => {
    let seen: IncomingMessage | undefined;
    let body = "";
    const endpoint = await serve((request, response) => {
      seen = request;
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => json(replyOf([{}]))(request, response));
    });
    const reply = await rank(endpoint, BODY, NEVER);
    expect(reply.candidates[0]?.code).toBe("code 1");
    expect(seen?.method).toBe("POST");
    expect(seen?.url).toBe("/v1/rank");
    expect(seen?.headers.authorization).toBe("Bearer secret");
    // The server refuses what comes from web pages.
    expect(seen?.headers.origin).toBeUndefined();
    expect(JSON.parse(body)).toEqual(BODY);
  });

  it("closes the socket when it is cancelled", async () => {
    let closed: (() => void) | undefined;
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const controller = new AbortController();
    const endpoint = await serve((_request, response) => {
      response.on("close", () => closed?.());
      controller.abort(new DOMException("typed on", "AbortError"));
    });
    await expect(rank(endpoint, BODY, controller.signal)).rejects.toThrow("typed on");
    await gone;
  });

  it("never asks a proxy for this machine", async () => {
    let proxied = 0;
    const proxy = createServer((_request, response) => {
      proxied += 1;
      response.end();
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const before = process.env["http_proxy"];
    process.env["http_proxy"] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      await rank(await serve(json(replyOf([{}]))), BODY, NEVER);
    } finally {
      if (before === undefined) delete process.env["http_proxy"];
      else process.env["http_proxy"] = before;
      proxy.close();
    }
    expect(proxied).toBe(0);
  });

  it("gives the server's own words about a failure", async () => {
    const endpoint = await serve(json({ error: { code: "too_busy", message: "Come back later." } }, 503));
    expect(await failure(rank(endpoint, BODY, NEVER))).toMatchObject({
      code: "too_busy",
      message: "Come back later.",
      retriable: false,
    });
  });

  it("says how to set a token that is refused", async () => {
    const endpoint = await serve(json({ error: { code: "unauthorized", message: "no" } }, 401));
    expect((await failure(rank(endpoint, BODY, NEVER))).message).toMatch(/Set Access Token/);
  });

  it.each<[string, RequestListener]>([
    [
      "a web page",
      (_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
    ],
    ["other JSON", json({ hello: "world" })],
    ["a page not found", (_request, response) => response.writeHead(404).end("nothing here")],
    [
      "a redirect",
      (_request, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
    ],
  ])("recognises %s as no reward server", async (_name, listener) => {
    const endpoint = await serve(listener);
    for (const work of [
      rank(endpoint, BODY, NEVER),
      checkHealth(endpoint, NEVER),
      listModels(endpoint, NEVER),
    ]) {
      expect(await failure(work)).toMatchObject({ code: "foreign", retriable: false });
    }
  });

  it("says that nobody answers, which may be tried again", async () => {
    const endpoint = await serve(json({}));
    await new Promise((resolve) => server?.close(resolve));
    const error = await failure(rank(endpoint, BODY, NEVER));
    expect(error).toMatchObject({ code: "unreachable", retriable: true });
    expect(error.message).toContain("ECONNREFUSED");
  });

  it("says so when the connection breaks in the middle of a reply", async () => {
    const endpoint = await serve((_request, response) => {
      response
        .writeHead(200, { "content-type": "application/json", "content-length": "1000" })
        .write('{"model"');
      setTimeout(() => response.destroy(), 20);
    });
    expect((await failure(rank(endpoint, BODY, NEVER))).retriable).toBe(true);
  });

  it("lists models", async () => {
    const models = [{ id: "nano", embedded: true, loaded: true }, { id: 7 }];
    expect(await listModels(await serve(json({ models })), NEVER)).toEqual([models[0]]);
  });
});
