/** Downloads one file: continues where an earlier attempt stopped, and keeps only what has the right hash. */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, stat } from "node:fs/promises";
import { renameFile } from "../../shared/rename-file.ts";
import { ServiceError } from "../errors.ts";
import { diskError } from "../files/disk.ts";
import { get, type SiteResponse } from "./get.ts";
import { refusalOf, requireNoPage } from "./refusals.ts";
import { Passing, retrying } from "./retry.ts";
import type { Site } from "./site.ts";

/** How a file's content is named: large files of the Hub by SHA-256, small ones as git does; SHA-512 by npm. */
export interface FileHash {
  readonly kind: "sha256" | "git-sha1" | "sha512";
  /** Lower-case hexadecimal. */
  readonly value: string;
}

/** A file of a site, as the site lists it. */
export interface RemoteFile {
  readonly path: string;
  readonly size: number;
  readonly hash: FileHash;
}

/** Ending of a file that is not complete. */
export const PART = ".part";

/** Bytes read at once when a part is hashed again. */
const CHUNK = 4 * 2 ** 20;
/** A wrong hash is tried once more from the start: an interrupted disk write may have spoiled the part. */
const MAX_MISMATCHES = 2;

export interface DownloadOptions {
  readonly signal: AbortSignal;
  /** What the file belongs to, for messages. */
  readonly repository: string;
  /** Bytes that came (also from an earlier attempt); negative when a part had to be thrown away. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Puts the file at `target`, which appears only complete and with its hash. What is there already counts as done.
 * When it fails, or the process ends, `target.part` stays and the next call continues it.
 * @throws ServiceError download_failed, model_not_found, disk_failed; the signal's reason when aborted
 */
export async function downloadFile(
  site: Site,
  address: string,
  file: RemoteFile,
  target: string,
  options: DownloadOptions,
): Promise<void> {
  if ((await stat(target).catch(() => undefined))?.size === file.size) {
    options.onBytes?.(file.size);
    return;
  }
  const part = await openPart(target, file, options);
  try {
    let mismatches = 0;
    await retrying(
      async () => {
        await fetchRest(site, address, file, part, options);
        if (part.digest() === file.hash.value) return;
        mismatches++;
        await part.restart();
        const message = `${file.path} of ${options.repository} came with a wrong hash, so it was thrown away. Try again, or use another ${site.setting}.`;
        throw mismatches < MAX_MISMATCHES
          ? new Passing(message)
          : new ServiceError("download_failed", message);
      },
      { signal: options.signal, firstMs: site.retryMs, progress: () => part.furthest, onWait: site.onWait },
    );
    await part.commit();
  } finally {
    await part.close();
  }
}

/** Requests what is missing, if anything, and appends it. */
async function fetchRest(
  site: Site,
  address: string,
  file: RemoteFile,
  part: Part,
  { signal, repository }: DownloadOptions,
): Promise<void> {
  if (part.position === file.size) return;
  const from = part.position;
  const response = await get(site, address, signal, from > 0 ? { Range: `bytes=${from}-` } : {});
  if (response.status === 416) {
    response.discard();
    await part.restart();
    throw new Passing(`${response.url.host} cannot continue ${file.path}. Run the same command again.`);
  }
  if (response.status !== 200 && response.status !== 206) {
    // An address on a content network is signed for a while only: the next attempt gets a new one.
    const home = response.url.origin === new URL(site.endpoint).origin;
    if (!home && response.status === 403) {
      response.discard();
      throw new Passing(
        `${response.url.host} refuses ${file.path} (status 403). Run the same command again.`,
      );
    }
    throw refusalOf(site, response, repository);
  }
  requireNoPage(site, response, `${file.path} of ${repository}`);
  requireSameFile(site, response, file, repository);
  if (response.status === 200 && from > 0) await part.restart();
  else if (response.status === 206) requireRange(site, response, file, from);
  for await (const chunk of response.body) {
    if (part.position + chunk.byteLength > file.size) {
      await part.restart();
      throw new Passing(
        `${response.url.host} sent more than ${file.path} has. Check ${site.setting} and the network.`,
      );
    }
    await part.append(chunk);
  }
  if (part.position < file.size) {
    throw new Passing(
      `The connection to ${response.url.host} was cut. Run the same command again to continue.`,
    );
  }
}

/** The Hub repeats hash and size with the content: a mirror that disagrees with its own list is found out early. */
function requireSameFile(site: Site, response: SiteResponse, file: RemoteFile, repository: string): void {
  const etag = response.linked.etag?.replace(/^W\//, "").replaceAll('"', "");
  const size = response.linked.size;
  const other = etag !== undefined && /^[0-9a-f]{64}$/.test(etag) && etag !== file.hash.value;
  if ((!other || file.hash.kind !== "sha256") && (size === undefined || Number(size) === file.size)) return;
  response.discard();
  throw new ServiceError(
    "download_failed",
    `${response.url.host} has another ${file.path} than the list of ${repository} says. Try again, or use another ${site.setting}.`,
  );
}

function requireRange(site: Site, response: SiteResponse, file: RemoteFile, from: number): void {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.header("content-range") ?? "");
  const total = range?.[2];
  if (Number(range?.[1] ?? -1) === from && (total === "*" || Number(total) === file.size)) return;
  response.discard();
  throw new Passing(
    `${response.url.host} sent another part of ${file.path} than was asked for. Check ${site.setting} and the network.`,
  );
}

/** The incomplete file: what is in it, hashed as it grows. */
interface Part {
  readonly position: number;
  /** The highest position so far: starting again is no progress. */
  readonly furthest: number;
  append(chunk: Uint8Array): Promise<void>;
  restart(): Promise<void>;
  digest(): string;
  /** Makes it the target. */
  commit(): Promise<void>;
  close(): Promise<void>;
}

async function openPart(target: string, file: RemoteFile, options: DownloadOptions): Promise<Part> {
  const path = target + PART;
  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw diskError(path, error);
    }
  };
  const handle: FileHandle = await told(() => open(path, "a+").then((made) => made.close())).then(() =>
    told(() => open(path, "r+")),
  );
  let hash: Hash = newHash(file.hash, file.size);
  let position = 0;
  let furthest = 0;
  let open_ = true;
  const close = async (): Promise<void> => {
    if (!open_) return;
    open_ = false;
    await handle.close();
  };
  try {
    const { size } = await handle.stat();
    if (size > file.size) await handle.truncate(0);
    else position = await hashAgain(handle, hash, size, options.signal);
    options.onBytes?.(position);
  } catch (error) {
    await close();
    throw diskError(path, error);
  }
  return {
    get position() {
      return position;
    },
    get furthest() {
      return furthest;
    },
    append: (chunk) =>
      told(async () => {
        for (let done = 0; done < chunk.byteLength; ) {
          const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done, position + done);
          done += bytesWritten;
        }
        hash.update(chunk);
        position += chunk.byteLength;
        furthest = Math.max(furthest, position);
        options.onBytes?.(chunk.byteLength);
      }),
    restart: () =>
      told(async () => {
        await handle.truncate(0);
        options.onBytes?.(-position);
        hash = newHash(file.hash, file.size);
        position = 0;
      }),
    digest: () => hash.copy().digest("hex"),
    commit: () =>
      told(async () => {
        await handle.sync();
        await close();
        await renameFile(path, target);
      }),
    close,
  };
}

/** Feeds what an earlier attempt left; returns how much that is. */
async function hashAgain(handle: FileHandle, hash: Hash, size: number, signal: AbortSignal): Promise<number> {
  const buffer = Buffer.alloc(Math.min(CHUNK, Math.max(size, 1)));
  let position = 0;
  while (position < size) {
    signal.throwIfAborted();
    const { bytesRead } = await handle.read(
      buffer,
      0,
      Math.min(buffer.byteLength, size - position),
      position,
    );
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return position;
}

/** git hashes a header with the size before the content. */
function newHash({ kind }: FileHash, size: number): Hash {
  switch (kind) {
    case "sha256":
      return createHash("sha256");
    case "sha512":
      return createHash("sha512");
    case "git-sha1":
      return createHash("sha1").update(`blob ${size}\0`);
    default:
      return kind satisfies never;
  }
}
