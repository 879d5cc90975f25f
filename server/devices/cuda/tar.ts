/**
 * Reads the archives of npm packages (gzip, POSIX ustar). Only what npm itself writes is accepted: regular files and
 * folders with plain relative names. Links, devices and extended headers are refused, not skipped: an archive that has
 * them is not what it should be.
 */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { ServiceError } from "../../errors.ts";

export interface TarFile {
  /** Relative, with "/" between parts, none of them "..". */
  readonly path: string;
  readonly size: number;
  /** To be read before the next file is asked for; what is left is skipped. */
  readonly content: AsyncIterable<Uint8Array>;
}

const BLOCK = 512;
const FILE_TYPES: ReadonlySet<string> = new Set(["0", "\0"]);
const FOLDER_TYPE = "5";
const PART = /^[A-Za-z0-9@_+.-]+$/;

/**
 * The files of an archive in order.
 * @throws ServiceError download_failed for what is no such archive
 */
export async function* readArchive(path: string): AsyncGenerator<TarFile> {
  const source = createReadStream(path);
  const unzipped = createGunzip();
  // Errors of both arrive at whoever reads the last.
  pipeline(source, unzipped, () => {});
  const reader = new Reader(unzipped[Symbol.asyncIterator](), path);
  try {
    for (;;) {
      const block = await reader.exactly(BLOCK);
      // The end is marked by empty blocks.
      if (block.every((byte) => byte === 0)) return;
      const header = parseHeader(block, path);
      if (header.folder) continue;
      let left = header.size;
      const content = async function* (): AsyncGenerator<Uint8Array> {
        while (left > 0) {
          const piece = await reader.some(left);
          left -= piece.byteLength;
          yield piece;
        }
      };
      yield { path: header.path, size: header.size, content: content() };
      while (left > 0) left -= (await reader.some(left)).byteLength;
      await reader.exactly((BLOCK - (header.size % BLOCK)) % BLOCK);
    }
  } finally {
    source.destroy();
    unzipped.destroy();
  }
}

interface Header {
  readonly path: string;
  readonly size: number;
  readonly folder: boolean;
}

function parseHeader(block: Buffer, archive: string): Header {
  const text = (from: number, length: number): string =>
    block.toString("latin1", from, from + length).replace(/\0.*$/s, "");
  const octal = (from: number, length: number): number => {
    const digits = text(from, length).trim();
    return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  };
  if (octal(148, 8) !== checksum(block) || !text(257, 6).startsWith("ustar")) {
    throw damaged(archive, "has a header that is damaged");
  }
  const prefix = text(345, 155);
  const path = (prefix === "" ? "" : `${prefix}/`) + text(0, 100);
  const type = block.toString("latin1", 156, 157);
  const size = octal(124, 12);
  if (!Number.isSafeInteger(size) || size < 0) throw damaged(archive, "has a file of no size");
  const folder = type === FOLDER_TYPE;
  if (!folder && !FILE_TYPES.has(type)) {
    throw damaged(archive, `holds ${JSON.stringify(path)}, which is neither file nor folder`);
  }
  const parts = path.replace(/\/$/, "").split("/");
  if (!parts.every((part) => PART.test(part) && part !== "." && part !== "..")) {
    throw damaged(archive, `holds the name ${JSON.stringify(path)}, which could lead elsewhere`);
  }
  return { path, size, folder };
}

/** Sum of all bytes, with the sum's own field taken as spaces. */
function checksum(block: Buffer): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0);
}

function damaged(archive: string, what: string): ServiceError {
  return new ServiceError(
    "download_failed",
    `${archive} ${what}, so nothing of it was installed. Run the same command again.`,
  );
}

/** Bytes of a stream in the sizes that are asked for. */
class Reader {
  readonly #source: AsyncIterator<unknown>;
  readonly #archive: string;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterator<unknown>, archive: string) {
    this.#source = source;
    this.#archive = archive;
  }

  /** From 1 to `most` bytes. */
  async some(most: number): Promise<Buffer> {
    if (this.#rest.byteLength === 0) this.#rest = await this.#next();
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.byteLength);
    return piece;
  }

  async exactly(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = length; left > 0; ) {
      const piece = await this.some(left);
      pieces.push(piece);
      left -= piece.byteLength;
    }
    return Buffer.concat(pieces);
  }

  async #next(): Promise<Buffer> {
    try {
      const { value, done } = await this.#source.next();
      if (!done && value instanceof Buffer && value.byteLength > 0) return value;
      if (!done) return this.#next();
    } catch (error) {
      throw new ServiceError(
        "download_failed",
        `${this.#archive} cannot be unpacked, so nothing of it was installed. Run the same command again.`,
        { cause: error },
      );
    }
    throw damaged(this.#archive, "ends in the middle");
  }
}
