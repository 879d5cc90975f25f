/** A forward proxy as companies have one: absolute addresses for http, CONNECT for https, names only it can resolve. */
import { once } from "node:events";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import type { Duplex } from "node:stream";

export interface ForwardProxy {
  readonly url: string;
  /** What it was asked for: "GET http://host/path" and "CONNECT host:port". */
  readonly seen: string[];
  /** Credentials that came, decoded. */
  readonly credentials: (string | undefined)[];
  close(): Promise<void>;
}

/** @param password asked for when given, as "name:password" */
export async function startProxy(password?: string): Promise<ForwardProxy> {
  const seen: string[] = [];
  const credentials: (string | undefined)[] = [];
  /** The server forgets a connection that became a tunnel. */
  const tunnels = new Set<Duplex>();
  const allowed = (header: string | undefined): boolean => {
    const given = header && Buffer.from(header.replace(/^Basic /, ""), "base64").toString();
    credentials.push(given);
    return password === undefined || given === password;
  };
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    if (!allowed(incoming.headers["proxy-authorization"])) {
      outgoing.writeHead(407, { "Proxy-Authenticate": "Basic" }).end();
      return;
    }
    // Every name leads to this machine.
    const url = new URL(incoming.url ?? "");
    const onward = request(
      { host: "127.0.0.1", port: url.port, path: url.pathname + url.search, headers: incoming.headers },
      (reply) => {
        outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(outgoing);
      },
    );
    onward.on("error", () => outgoing.writeHead(502).end());
    incoming.pipe(onward);
  });
  server.on("connect", (incoming, socket) => {
    seen.push(`CONNECT ${incoming.url}`);
    socket.on("error", () => {});
    tunnels.add(socket);
    if (!allowed(incoming.headers["proxy-authorization"])) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n");
      return;
    }
    const onward = connect(Number(incoming.url?.split(":")[1]), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.pipe(socket).pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    credentials,
    close: async () => {
      server.closeAllConnections();
      for (const tunnel of tunnels) tunnel.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
