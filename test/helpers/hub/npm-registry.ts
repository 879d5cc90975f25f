/** A local npm registry over real HTTP: package documents, archives with ranges, and faults for each request. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";

export interface ArchiveEntry {
  readonly path: string;
  readonly content?: Buffer;
  /** ustar's type: "0" a file, "5" a folder, "1" and "2" links. */
  readonly type?: string;
  readonly link?: string;
}

/** A gzipped ustar archive, as `npm pack` writes it. */
export function archiveOf(entries: readonly ArchiveEntry[]): Buffer {
  const blocks = entries.flatMap(({ path, content = Buffer.alloc(0), type = "0", link = "" }) => {
    const header = Buffer.alloc(512);
    header.write(path, 0, 100);
    header.write("000644 \0", 100);
    header.write("0000000\0", 108);
    header.write("0000000\0", 116);
    header.write(`${content.byteLength.toString(8).padStart(11, "0")}\0`, 124);
    header.write("03560116604\0", 136);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(link, 157, 100);
    header.write("ustar\x0000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, content, Buffer.alloc((512 - (content.byteLength % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]), { level: 0 });
}

export function integrityOf(content: Buffer): string {
  return `sha512-${createHash("sha512").update(content).digest("base64")}`;
}

export interface PublishedPackage {
  readonly version: string;
  readonly archive: Buffer;
  /** What the document says instead of the right hash. */
  readonly integrity?: string;
  /** Address of the archive in the document, instead of this server's. */
  readonly tarball?: string;
}

export interface RegistryRequest {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export interface NpmRegistry {
  readonly endpoint: string;
  readonly packages: Map<string, PublishedPackage>;
  readonly seen: RegistryRequest[];
  /** Answers a request itself and returns true, or lets it pass. `nth` counts requests for whole or partial archives. */
  fault: (request: RegistryRequest, response: ServerResponse, nth: number) => boolean;
  close(): Promise<void>;
}

export async function startRegistry(): Promise<NpmRegistry> {
  const packages = new Map<string, PublishedPackage>();
  const seen: RegistryRequest[] = [];
  let archives = 0;
  const server = createServer((request, response) => {
    response.on("error", () => {});
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://registry").pathname);
    const { range, authorization } = request.headers;
    const one = { path, range, authorization };
    seen.push(one);
    const [, name, file] = /^\/(@[^/]+\/[^/]+)(?:\/-\/(.+))?$/.exec(path) ?? [];
    const found = packages.get(name ?? "");
    // The request for the size does not count.
    if (file !== undefined && range !== "bytes=0-0") archives++;
    if (self.fault(one, response, archives)) return;
    if (found === undefined) {
      response.writeHead(404, { "Content-Type": "application/json" });
      response.end('{"error":"Not found"}');
    } else if (file === undefined) {
      const tarball = found.tarball ?? `${self.endpoint}/${name}/-/archive.tgz`;
      const integrity = found.integrity ?? integrityOf(found.archive);
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ name, versions: { [found.version]: { dist: { tarball, integrity } } } }));
    } else send(response, found.archive, range);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const self: NpmRegistry = {
    endpoint: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    packages,
    seen,
    fault: () => false,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return self;
}

/** Sends an archive, or the part that was asked for. */
export function send(response: ServerResponse, content: Buffer, range: string | undefined): void {
  const asked = /^bytes=(\d+)-(\d*)$/.exec(range ?? "");
  const from = Number(asked?.[1] ?? 0);
  const to = asked?.[2] ? Number(asked[2]) + 1 : content.byteLength;
  response.writeHead(asked ? 206 : 200, {
    "Content-Type": "application/octet-stream",
    "Content-Length": to - from,
    ...(asked && { "Content-Range": `bytes ${from}-${to - 1}/${content.byteLength}` }),
  });
  response.end(content.subarray(from, to));
}
