/**
 * A local server that speaks the API of the Hugging Face Hub over real HTTP, and beside it, on another port, the content
 * network it redirects to: file listing in pages, resolve with redirects, ranges, ETag, X-Linked-Etag, X-Linked-Size,
 * git blobs, LFS and chunk-store files, gated repositories. Faults are injected request by request.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** How the Hub stores a file: in git, as LFS, or in the newer chunk store (which still shows its SHA-256). */
export type Storage = "git" | "lfs" | "xet";

export interface StoredFile {
  readonly content: Buffer;
  readonly storage: Storage;
}

export interface Repository {
  readonly commit: string;
  readonly files: ReadonlyMap<string, StoredFile>;
  /** Only this token may read it. */
  readonly gatedFor?: string;
  /** Its present name, when it was renamed. */
  readonly movedTo?: string;
}

/** A request as it came in. */
export interface Seen {
  readonly where: "api" | "resolve" | "cdn";
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  /** Bytes of the body that were written out. */
  sent: number;
}

/** What goes wrong with one request. */
export type Fault =
  | {
      readonly kind: "reply";
      readonly status: number;
      readonly headers?: OutgoingHttpHeaders;
      readonly body?: string;
    }
  /** The connection is cut after so many bytes of the body. */
  | { readonly kind: "cut"; readonly after: number }
  /** The body stops there and nothing more comes. */
  | { readonly kind: "stall"; readonly after: number }
  /** One byte is changed. */
  | { readonly kind: "corrupt"; readonly at: number }
  /** The whole file, whatever range was asked for. */
  | { readonly kind: "whole" }
  /** Slowly, in pieces of so many bytes. */
  | { readonly kind: "slow"; readonly piece: number; readonly ms: number }
  /** These headers instead of the right ones. */
  | { readonly kind: "headers"; readonly headers: OutgoingHttpHeaders };

export interface HubServer {
  readonly endpoint: string;
  /** Origin of the content network. */
  readonly cdn: string;
  readonly port: number;
  readonly repositories: Map<string, Repository>;
  readonly seen: Seen[];
  /** Asked for each request; undefined lets it pass. `nth` counts requests for the same path from 1. */
  fault: (request: Seen, nth: number) => Fault | undefined;
  close(): Promise<void>;
}

export interface HubSettings {
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Name under which it is reached, where that is not the loopback address. */
  readonly host?: string;
  /** Entries a page of the listing has. */
  readonly page?: number;
}

export async function startHub(settings: HubSettings = {}): Promise<HubServer> {
  const { tls } = settings;
  const listen = async (handler: RequestListener): Promise<Server> => {
    const server = tls === undefined ? createServer(handler) : createTlsServer(tls, handler);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  const hub = await listen((request, response) => void answer(request, response, "hub"));
  const network = await listen((request, response) => void answer(request, response, "cdn"));
  const origin = (server: Server): string =>
    `${tls === undefined ? "http" : "https"}://${settings.host ?? "127.0.0.1"}:${portOf(server)}`;
  const repositories = new Map<string, Repository>();
  const seen: Seen[] = [];
  const counts = new Map<string, number>();

  const self: HubServer = {
    endpoint: origin(hub),
    cdn: origin(network),
    port: portOf(hub),
    repositories,
    seen,
    fault: () => undefined,
    close: async () => {
      for (const server of [hub, network]) {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      }
    },
  };

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    server: "hub" | "cdn",
  ): Promise<void> {
    response.on("error", () => {});
    const url = new URL(request.url ?? "/", "http://hub");
    const where = server === "cdn" ? "cdn" : url.pathname.startsWith("/api/models/") ? "api" : "resolve";
    const one: Seen = {
      where,
      path: url.pathname,
      range: request.headers.range,
      authorization: request.headers.authorization,
      sent: 0,
    };
    seen.push(one);
    const nth = (counts.get(`${where} ${url.pathname}`) ?? 0) + 1;
    counts.set(`${where} ${url.pathname}`, nth);
    const fault = self.fault(one, nth);
    if (fault?.kind === "reply") {
      response.writeHead(fault.status, { "Content-Type": "text/plain", ...fault.headers });
      response.end(fault.body ?? "");
      return;
    }
    if (where === "api") return api(url, request, response, fault);
    if (where === "resolve") return resolve(url, request, response, one, fault);
    // As object stores do: a signed address does not go together with a token.
    if (one.authorization !== undefined) return plain(response, 400, "Only one authentication is allowed");
    const content = byHash(url.pathname.split("/").at(-1) ?? "");
    if (content === undefined) return plain(response, 404, "NoSuchKey");
    return send(content, request, response, one, fault, { ETag: `"${md5(content)}"` });
  }

  function api(url: URL, request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): void {
    const [, , , owner, name, verb, revision] = url.pathname.split("/");
    const id = `${owner}/${name}`;
    const repository = readable(id, request, response);
    if (repository === undefined) return;
    if (repository.movedTo !== undefined) {
      response.writeHead(307, { Location: url.pathname.replace(id, repository.movedTo) });
      response.end();
      return;
    }
    if (revision !== "main" && revision !== repository.commit) {
      error(response, 404, "RevisionNotFound");
      return;
    }
    const extra = fault?.kind === "headers" ? fault.headers : {};
    if (verb === "revision") {
      json(response, { id, sha: repository.commit, gated: repository.gatedFor ? "auto" : false }, extra);
      return;
    }
    const entries = [...repository.files].map(([path, file]) => entry(path, file));
    const all = [{ type: "directory", oid: "0".repeat(40), size: 0, path: "assets" }, ...entries];
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const to = from + (settings.page ?? 1000);
    const next = `<${self.endpoint}${url.pathname}?cursor=${to}>; rel="next"`;
    json(response, all.slice(from, to), { ...(to < all.length && { Link: next }), ...extra });
  }

  async function resolve(
    url: URL,
    request: IncomingMessage,
    response: ServerResponse,
    one: Seen,
    fault: Fault | undefined,
  ): Promise<void> {
    // What the Hub redirects small files to, on the same host.
    const cached = url.pathname.startsWith("/api/resolve-cache/models/");
    const parts = url.pathname.replace(/^\/api\/resolve-cache\/models/, "").split("/");
    const [, owner, name] = parts;
    const [commit, path] = cached ? parts.slice(3) : parts.slice(4);
    const repository = readable(`${owner}/${name}`, request, response);
    if (repository === undefined) return;
    const file = repository.files.get(decodeURIComponent(path ?? ""));
    if (commit !== repository.commit || file === undefined) return error(response, 404, "EntryNotFound");
    const headers = {
      "X-Repo-Commit": repository.commit,
      "Accept-Ranges": "bytes",
      "X-Linked-Size": file.content.byteLength,
      "X-Linked-Etag": `"${hashOf(file)}"`,
      ...(file.storage === "xet" && { "X-Xet-Hash": xetHash(file.content) }),
      ...(fault?.kind === "headers" && fault.headers),
    };
    if (file.storage !== "git") {
      const folder = file.storage === "xet" ? "xet-bridge-us" : "repos";
      const address = `${self.cdn}/${folder}/${sha256(file.content)}?Signature=x&Expires=1`;
      response.writeHead(302, { ...headers, Location: address });
      response.end();
      return;
    }
    if (!cached) {
      response.writeHead(307, {
        ...headers,
        Location: `/api/resolve-cache/models/${owner}/${name}/${commit}/${path}?etag=x`,
      });
      response.end();
      return;
    }
    return send(file.content, request, response, one, fault, { ...headers, ETag: `"${hashOf(file)}"` });
  }

  function readable(id: string, request: IncomingMessage, response: ServerResponse): Repository | undefined {
    const repository = repositories.get(id);
    const token = request.headers.authorization?.replace(/^Bearer /, "");
    if (repository === undefined) {
      error(response, token === undefined ? 401 : 404, "RepoNotFound");
      return undefined;
    }
    if (repository.gatedFor !== undefined && token !== repository.gatedFor) {
      error(response, token === undefined ? 401 : 403, "GatedRepo");
      return undefined;
    }
    return repository;
  }

  function byHash(hash: string): Buffer | undefined {
    for (const { files } of repositories.values()) {
      for (const { content } of files.values()) if (sha256(content) === hash) return content;
    }
    return undefined;
  }

  return self;
}

/** A folder as a repository: weights as the storage says, the rest in git. */
export function repositoryOf(folder: string, storage: Storage = "lfs", commit = "a".repeat(40)): Repository {
  const files = new Map<string, StoredFile>();
  for (const path of readdirSync(folder).sort()) {
    const large = path.endsWith(".safetensors") || path === "tokenizer.json";
    files.set(path, { content: readFileSync(join(folder, path)), storage: large ? storage : "git" });
  }
  return { commit, files };
}

async function send(
  content: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
  one: Seen,
  fault: Fault | undefined,
  headers: OutgoingHttpHeaders,
): Promise<void> {
  const range = fault?.kind === "whole" ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? "");
  const from = Number(range?.[1] ?? 0);
  if (range && from >= content.byteLength) return plain(response, 416, "");
  let body = content.subarray(from);
  if (fault?.kind === "corrupt") {
    body = Buffer.from(body);
    const at = fault.at - from;
    if (at >= 0 && at < body.byteLength) body[at] = (body[at] ?? 0) ^ 1;
  }
  response.writeHead(range ? 206 : 200, {
    "Content-Type": "application/octet-stream",
    "Content-Length": body.byteLength,
    ...(range && { "Content-Range": `bytes ${from}-${content.byteLength - 1}/${content.byteLength}` }),
    ...headers,
    ...(fault?.kind === "headers" && fault.headers),
  });
  if (fault?.kind === "cut" || fault?.kind === "stall") {
    const piece = body.subarray(0, fault.after);
    one.sent = piece.byteLength;
    await new Promise<void>((done) => response.write(piece, () => done()));
    if (fault.kind === "cut") response.destroy();
    return;
  }
  if (fault?.kind === "slow") {
    for (let at = 0; at < body.byteLength && !response.destroyed; at += fault.piece) {
      const piece = body.subarray(at, at + fault.piece);
      one.sent += piece.byteLength;
      response.write(piece);
      await pause(fault.ms);
    }
    response.end();
    return;
  }
  one.sent = body.byteLength;
  response.end(body);
}

function entry(path: string, file: StoredFile) {
  const { content, storage } = file;
  if (storage === "git") {
    return { type: "file", oid: gitHash(content), size: content.byteLength, path };
  }
  // As the Hub lists large files: the git hash is that of the pointer file.
  return {
    type: "file",
    oid: gitHash(Buffer.from("pointer")),
    size: content.byteLength,
    path,
    lfs: { oid: sha256(content), size: content.byteLength, pointerSize: 134 },
    ...(storage === "xet" && { xetHash: xetHash(content) }),
  };
}

function hashOf({ content, storage }: StoredFile): string {
  return storage === "git" ? gitHash(content) : sha256(content);
}

function gitHash(content: Buffer): string {
  return createHash("sha1").update(`blob ${content.byteLength}\0`).update(content).digest("hex");
}

function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function md5(content: Buffer): string {
  return createHash("md5").update(content).digest("hex");
}

/** Some other 64 digits: clients must not take it for the SHA-256. */
function xetHash(content: Buffer): string {
  return createHash("sha256").update("xet").update(content).digest("hex");
}

function json(response: ServerResponse, value: unknown, headers: OutgoingHttpHeaders): void {
  response.writeHead(200, { "Content-Type": "application/json; charset=utf-8", ...headers });
  response.end(JSON.stringify(value));
}

function error(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "Content-Type": "text/plain", "X-Error-Code": code });
  response.end(code);
}

function plain(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { "Content-Type": "text/plain" });
  response.end(body);
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
