/** What all replayed servers share: HTTP on loopback, requests as they came, and answers that no server should give. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** Empty when there was none. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Settles when the exchange is over: whether the client went away before it had the whole answer. */
  readonly aborted: Promise<boolean>;
}

export interface Loopback {
  readonly url: string;
  /** Ends all connections; may be called again. */
  close(): Promise<void>;
}

/**
 * Listens on 127.0.0.1.
 * @param port 0 takes a free one
 * @param handle an answer that fails breaks its connection
 */
export async function listenOnLoopback(
  port: number,
  handle: (request: ReceivedRequest, response: ServerResponse) => Promise<void>,
): Promise<Loopback> {
  const server = createServer((request, response) => {
    received(request, response)
      .then((whole) => handle(whole, response))
      .catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  let closed: Promise<unknown> | undefined;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      closed ??= once(server, "close");
      server.closeAllConnections();
      server.close();
      await closed;
    },
  };
}

/** A request with its whole body. */
async function received(request: IncomingMessage, response: ServerResponse): Promise<ReceivedRequest> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  const aborted = new Promise<boolean>((resolve) => {
    response.once("close", () => resolve(!response.writableFinished));
  });
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const parsed: unknown = text === "" ? {} : JSON.parse(text);
  const body = typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  return { method: request.method ?? "GET", path, headers: request.headers, body, aborted };
}

export function sendJson(
  response: ServerResponse,
  status: number,
  json: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(json));
}

/** Something else than an answer, whatever was asked. */
export type NoAnswer =
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly json?: unknown;
    }
  /** A page of HTML. */
  | { readonly kind: "page"; readonly status?: number }
  /** The connection is taken and nothing comes. */
  | { readonly kind: "silence" };

export function sendNoAnswer(fault: NoAnswer, response: ServerResponse): void {
  switch (fault.kind) {
    case "status":
      sendJson(response, fault.status, fault.json ?? {}, fault.headers);
      return;
    case "page":
      response.writeHead(fault.status ?? 200, { "Content-Type": "text/html; charset=utf-8" });
      response.end("<!DOCTYPE html><html><body>Please sign in.</body></html>");
      return;
    case "silence":
      return;
    default:
      fault satisfies never;
  }
}
