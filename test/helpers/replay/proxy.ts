/** A real HTTP proxy on loopback for tests: forwards plain requests, tunnels the others, and records both. */
import { createPrivateKey } from "node:crypto";
import { once } from "node:events";
import { createServer, request as send } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";

export interface TestProxy {
  readonly url: string;
  /** "GET http://host/path" or "CONNECT host:port", in order. */
  readonly seen: readonly string[];
  readonly authorizations: readonly (string | undefined)[];
  /** Where everything goes, whatever host was asked for. */
  target: number;
  /** Refuses everything, as a proxy that wants a password. */
  refuses: boolean;
  /** Closes a connection at its second request, as servers do with kept ones that they have given up. */
  closesKept: boolean;
  onConnection: () => void;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startProxy(): Promise<TestProxy> {
  const seen: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const tunnels = new Set<Duplex>();
  const used = new WeakSet<Duplex>();
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers["proxy-authorization"]);
    if (proxy.closesKept && used.has(request.socket)) {
      request.socket.destroy();
      return;
    }
    used.add(request.socket);
    if (proxy.refuses) {
      response.writeHead(407, { "Content-Type": "text/html" }).end("<html>Proxy</html>");
      return;
    }
    const url = new URL(request.url ?? "");
    const onward = send(
      { port: proxy.target, path: url.pathname, method: request.method, headers: request.headers },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.on("connect", (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    authorizations.push(request.headers["proxy-authorization"]);
    if (proxy.refuses) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    tunnels.add(socket);
    const onward = connect(proxy.target, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("error", () => onward.destroy());
  });
  server.on("connection", () => proxy.onConnection());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy: TestProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    authorizations,
    target: 0,
    refuses: false,
    closesKept: false,
    onConnection: () => {},
    async [Symbol.asyncDispose]() {
      for (const tunnel of tunnels) tunnel.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}

/** A server with TLS and a certificate for models.example that nobody has signed, in front of another port. */
export async function startSecure(target: number): Promise<{ port: number } & AsyncDisposable> {
  const server = createSecureServer({ key: KEY, cert: CERTIFICATE }, (request, response) => {
    const onward = send(
      { port: target, path: request.url, method: request.method, headers: request.headers },
      (reply) => {
        response.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(response);
      },
    );
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** Made for these tests alone; it opens nothing. */
const KEY = createPrivateKey({
  format: "der",
  type: "pkcs8",
  key: Buffer.from(
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgL9lpDqycm5zNrRp3m8P97zIBv9jq00dtrthynBtmXsmhRANCAATALPCI" +
      "BUrEEjnlRIbclTrQZLNkE75AXbScsrsH+KWn4je7QJNVq9mPEDbJxN+qdXUk5TPCLM80wmHNqDHVtzTJ",
    "base64",
  ),
}).export({ format: "pem", type: "pkcs8" });

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBpTCCAUqgAwIBAgIUSDuvtVZ+7zU8RqKdBuMsWtvq43UwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwObW9kZWxzLmV4YW1wbGUwIBcNMjYxMTIxMDIwNzA0WhgPMjEy
NjEwMjgwMjA3MDRaMBkxFzAVBgNVBAMMDm1vZGVscy5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEwCzwiAVKxBI55USG3JU60GSzZBO+QF20nLK7B/il
p+I3u0CTVavZjxA2ycTfqnV1JOUzwizPNMJhzagx1bc0yaNuMGwwHQYDVR0OBBYE
FHXIj6Hor+Jjy046BdiriTwIzXRVMB8GA1UdIwQYMBaAFHXIj6Hor+Jjy046Bdir
iTwIzXRVMA8GA1UdEwEB/wQFMAMBAf8wGQYDVR0RBBIwEIIObW9kZWxzLmV4YW1w
bGUwCgYIKoZIzj0EAwIDSQAwRgIhAPbqn0YTyU8zzGvYqp6R3CqhdsT11ZEbWVRX
wyEjCW1HAiEA25h5OcxjaWiApZVK+AG53FJIk+KVhPV6PQXEeUSXqJk=
-----END CERTIFICATE-----
`;
