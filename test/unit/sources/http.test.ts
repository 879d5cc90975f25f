/** The way to a source: proxies, certificates, time limits, sizes, aborts. Real servers, real sockets. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import { isLoopback } from "../../../shared/http/loopback.ts";
import { wholeText } from "../../../src/sources/http/framing.ts";
import { createHttpClient, type SourceHttpRequest } from "../../../src/sources/http/http-client.ts";
import type { NetworkSettings } from "../../../src/sources/http/network.ts";
import { bypassesProxy, route } from "../../../src/sources/http/source-address.ts";
import { SourceError } from "../../../src/sources/source-error.ts";
import { startProxy, startSecure } from "../../helpers/replay/proxy.ts";

const DIRECT: NetworkSettings = { noProxy: [], strictSSL: true };

const stop: (() => void)[] = [];
afterEach(() => {
  for (const one of stop.splice(0)) one();
  vi.unstubAllEnvs();
});

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stop.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const answers = (text: string) => (_: IncomingMessage, response: ServerResponse) => {
  response.end(text);
};

function asking(url: string, more: Partial<SourceHttpRequest> = {}): SourceHttpRequest {
  return { method: "GET", url, signal: new AbortController().signal, source: "Tested", ...more };
}

async function read(request: SourceHttpRequest, settings: NetworkSettings = DIRECT): Promise<string> {
  const reply = await createHttpClient(() => settings).open(request);
  return await wholeText(reply.body);
}

async function failure(request: SourceHttpRequest, settings: NetworkSettings = DIRECT): Promise<SourceError> {
  const error = await read(request, settings).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof SourceError))
    throw new Error("It should have failed with a SourceError.", { cause: error });
  return error;
}

describe("proxies", () => {
  test("this machine is never asked through one, whatever the settings and the environment say", async () => {
    await using proxy = await startProxy();
    const port = await serve(answers("direct"));
    proxy.target = port;
    for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"]) {
      vi.stubEnv(name, proxy.url);
    }
    const settings = { ...DIRECT, proxy: proxy.url };
    for (const host of ["127.0.0.1", "localhost"]) {
      expect(await read(asking(`http://${host}:${port}/`), settings)).toBe("direct");
    }
    expect(proxy.seen).toEqual([]);
  });

  test("a remote host without TLS is asked through the proxy by its full address", async () => {
    await using proxy = await startProxy();
    proxy.target = await serve(answers("forwarded"));
    const settings = { ...DIRECT, proxy: proxy.url, proxyAuthorization: "Basic dXNlcjpwYXNz" };
    expect(await read(asking("http://models.example:8000/v1/models"), settings)).toBe("forwarded");
    expect(proxy.seen).toEqual(["GET http://models.example:8000/v1/models"]);
    expect(proxy.authorizations).toEqual(["Basic dXNlcjpwYXNz"]);
  });

  test("a remote host with TLS is asked through a tunnel; the proxy sees no path and no key", async () => {
    await using proxy = await startProxy();
    const received: IncomingMessage["headers"][] = [];
    const plain = await serve((request, response) => {
      received.push(request.headers);
      response.end("tunnelled");
    });
    await using secure = await startSecure(plain);
    proxy.target = secure.port;
    const settings = {
      noProxy: [],
      proxy: proxy.url,
      strictSSL: false,
      proxyAuthorization: "Basic cHJveHk=",
    };
    const headers = { Authorization: "Bearer sk-secret" };
    expect(await read(asking("https://models.example/v1/models", { headers }), settings)).toBe("tunnelled");
    expect(proxy.seen).toEqual(["CONNECT models.example:443"]);
    expect(received[0]).toMatchObject({ authorization: "Bearer sk-secret" });
    expect(received[0]).not.toHaveProperty("proxy-authorization");
  });

  test("a certificate that nobody signed is refused unless http.proxyStrictSSL is off", async () => {
    await using proxy = await startProxy();
    await using secure = await startSecure(await serve(answers("never")));
    proxy.target = secure.port;
    const error = await failure(asking("https://models.example/"), { ...DIRECT, proxy: proxy.url });
    expect(error.kind).toBe("certificate");
    expect(error.message).toContain("http.proxyStrictSSL");
  });

  test("a proxy that refuses or is gone is named", async () => {
    const proxy = await startProxy();
    proxy.refuses = true;
    const settings = { ...DIRECT, proxy: proxy.url };
    for (const url of ["http://models.example/", "https://models.example/"]) {
      const error = await failure(asking(url), settings);
      expect(error.kind).toBe("proxy");
      expect(error.message).toContain(proxy.url);
    }
    await proxy[Symbol.asyncDispose]();
    expect((await failure(asking("http://models.example/"), settings)).kind).toBe("proxy");
  });

  test("the settings are read anew for each request", async () => {
    await using proxy = await startProxy();
    proxy.target = await serve(answers("ok"));
    let settings: NetworkSettings = { ...DIRECT, proxy: proxy.url };
    const client = createHttpClient(() => settings);
    await client.open(asking("http://models.example/"));
    settings = { ...settings, noProxy: ["models.example"] };
    const limits = { connect: 300 };
    await client.open(asking("http://models.example/", { limits })).catch(() => {});
    expect(proxy.seen).toHaveLength(1);
  });

  test.each([
    ["https://api.example.com/", "api.example.com", true],
    ["https://api.example.com/", ".example.com", true],
    ["https://api.example.com/", "*.example.com", true],
    ["https://api.example.com/", "example.com", true],
    ["https://api.example.com/", "*", true],
    ["https://api.example.com/", "api.example.com:443", true],
    ["https://api.example.com:8443/", "api.example.com:443", false],
    ["https://myexample.com/", "example.com", false],
    ["https://api.example.com/", "", false],
    ["http://10.1.2.3:8000/", "10.1.2.3", true],
    ["http://[fd00::1]:8000/", "[fd00::1]", true],
  ])("%s with the exception %j goes around the proxy: %s", (url, rule, expected) => {
    expect(bypassesProxy(new URL(url), [rule])).toBe(expected);
  });
});

test.each([
  ["http://localhost:11434", true],
  ["http://LOCALHOST", true],
  ["http://127.0.0.1:8080", true],
  ["http://127.1", true],
  ["http://[::1]:8080", true],
  ["http://[0:0::1]:8080", true],
  ["http://127.8.9.10", false],
  ["http://models.localhost", false],
  ["http://0.0.0.0:8080", false],
  ["http://192.168.0.9:1234", false],
  ["http://localhost.example.com", false],
  ["http://127.0.0.1.example.com", false],
  ["https://api.mistral.ai", false],
])("%s is this machine: %s", (url, expected) => {
  expect(isLoopback(new URL(url))).toBe(expected);
});

test.each([
  ["http://h:1", "http://h:1/v1/x"],
  ["http://h:1/", "http://h:1/v1/x"],
  ["http://h:1/v1/", "http://h:1/v1/x"],
  ["https://h/openai/v1", "https://h/openai/v1/x"],
  ["https://h/v1?key=secret#part", "https://h/v1/x"],
])("the route below %s is %s", (base, expected) => {
  expect(route(new URL(base), "/v1", "/x")).toBe(expected);
});

describe("time limits", () => {
  test("a connection that does not come about", async () => {
    // Takes the connection and never answers the handshake.
    const server = createSocketServer(() => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    stop.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const error = await failure(asking(`https://127.0.0.1:${port}/`, { limits: { connect: 50 } }));
    expect(error.kind).toBe("unreachable");
  });

  test("a connection that is not answered", async () => {
    const port = await serve(() => {});
    const error = await failure(asking(`http://127.0.0.1:${port}/`, { limits: { head: 50 } }));
    expect(error.kind).toBe("timeout");
    expect(error.message).toMatch(/within \d+ s/);
  });

  test("an answer that stops", async () => {
    let closed: Promise<unknown> | undefined;
    const port = await serve((request, response) => {
      closed = once(request.socket, "close");
      response.write("begun");
    });
    const error = await failure(asking(`http://127.0.0.1:${port}/`, { limits: { idle: 50 } }));
    expect(error.kind).toBe("timeout");
    await closed;
  });

  test("an answer that trickles on and on", async () => {
    const port = await serve((_, response) => {
      const timer = setInterval(() => response.write("."), 10);
      response.once("close", () => clearInterval(timer));
    });
    const limits = { idle: 10_000, total: 200 };
    expect((await failure(asking(`http://127.0.0.1:${port}/`, { limits }))).kind).toBe("timeout");
  });
});

describe("aborts", () => {
  test.each([
    ["plain", {}],
    ["compressed", { "Content-Encoding": "gzip" }],
  ])("reach the socket in the middle of a %s answer", async (_, headers) => {
    let closed: Promise<unknown> | undefined;
    const port = await serve((request, response) => {
      closed = once(request.socket, "close");
      response.writeHead(200, headers);
      response.write("Content-Encoding" in headers ? gzipSync("begun", { finishFlush: 2 }) : "begun");
    });
    const cancel = new AbortController();
    const reply = await createHttpClient(() => DIRECT).open(
      asking(`http://127.0.0.1:${port}/`, { signal: cancel.signal }),
    );
    const reading = wholeText(reply.body);
    cancel.abort();
    await expect(reading).rejects.toThrow(/abort/i);
    await closed;
  });

  test("leaving the answer closes the socket", async () => {
    let closed: Promise<unknown> | undefined;
    const port = await serve((request, response) => {
      closed = once(request.socket, "close");
      response.write("begun");
    });
    const reply = await createHttpClient(() => DIRECT).open(asking(`http://127.0.0.1:${port}/`));
    for await (const _ of reply.body) break;
    await closed;
  });

  test("before the request was made nothing is sent", async () => {
    let requests = 0;
    const port = await serve((_, response) => {
      requests += 1;
      response.end();
    });
    const request = asking(`http://127.0.0.1:${port}/`, { signal: AbortSignal.abort() });
    await expect(read(request)).rejects.toThrow(/abort/i);
    expect(requests).toBe(0);
  });
});

describe("answers", () => {
  test("a compressed one is read, and its size is that after decompression", async () => {
    const send = (text: string) => (_: IncomingMessage, response: ServerResponse) => {
      response.writeHead(200, { "Content-Encoding": "gzip" });
      response.end(gzipSync(text));
    };
    const small = await serve(send("small"));
    expect(await read(asking(`http://127.0.0.1:${small}/`))).toBe("small");
    const bomb = await serve(send("x".repeat(20 * 1024 * 1024)));
    expect((await failure(asking(`http://127.0.0.1:${bomb}/`))).kind).toBe("too_large");
  });

  test("a redirect is not followed", async () => {
    const elsewhere: string[] = [];
    const other = await serve((request, response) => {
      elsewhere.push(request.url ?? "");
      response.end();
    });
    const port = await serve((_, response) => {
      response.writeHead(307, { Location: `http://127.0.0.1:${other}/stolen` }).end();
    });
    const client = createHttpClient(() => DIRECT);
    const reply = await client.open(
      asking(`http://127.0.0.1:${port}/`, { method: "POST", body: { code: 1 } }),
    );
    expect(reply.status).toBe(307);
    expect(elsewhere).toEqual([]);
  });

  test("something that speaks no HTTP is told apart", async () => {
    const server = createSocketServer((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    stop.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    expect((await failure(asking(`http://127.0.0.1:${port}/`))).kind).toBe("wrong_service");
    expect((await failure(asking(`https://127.0.0.1:${port}/`))).kind).toBe("wrong_service");
  });

  test("connections to remote hosts are kept for the next request, those on this machine are not", async () => {
    await using proxy = await startProxy();
    let connections = 0;
    const port = await serve(answers("ok"));
    proxy.target = port;
    proxy.onConnection = () => {
      connections += 1;
    };
    const client = createHttpClient(() => ({ ...DIRECT, proxy: proxy.url }));
    const ask = async (url: string) => await wholeText((await client.open(asking(url))).body);
    for (let turn = 0; turn < 3; turn++) expect(await ask("http://models.example/")).toBe("ok");
    expect(connections).toBe(1);
    const ports = new Set<number | undefined>();
    const own = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end("ok");
    });
    for (let turn = 0; turn < 3; turn++) expect(await ask(`http://127.0.0.1:${own}/`)).toBe("ok");
    expect(ports.size).toBe(3);
  });

  test("kept connections that the other side has given up are replaced unnoticed", async () => {
    await using proxy = await startProxy();
    proxy.target = await serve(answers("ok"));
    proxy.closesKept = true;
    const client = createHttpClient(() => ({ ...DIRECT, proxy: proxy.url }));
    const ask = async () => await wholeText((await client.open(asking("http://models.example/"))).body);
    // Three at once leave three connections behind, none of which can be used again.
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(["ok", "ok", "ok"]);
    for (let turn = 0; turn < 4; turn++) expect(await ask()).toBe("ok");
  });
});
