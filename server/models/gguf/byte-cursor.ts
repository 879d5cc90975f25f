/** Reads a file from front to back through a small window: memory does not depend on what the file claims. */
import type { FileHandle } from "node:fs/promises";

/** Bytes read from disk at once. */
const WINDOW = 1 << 20;

export class EndOfData extends Error {
  override readonly name = "EndOfData";
}

/**
 * Forward-only reader of little-endian values. `need` loads bytes; the other methods then take them without waiting,
 * so that a vocabulary of 150,000 strings costs no 150,000 promises.
 */
export class ByteCursor {
  readonly #file: FileHandle;
  /** No byte at or beyond this position is read. */
  readonly #limit: number;
  #window = Buffer.alloc(0);
  /** Position in the file of the window's first byte. */
  #start = 0;
  #at = 0;

  constructor(file: FileHandle, limit: number) {
    this.#file = file;
    this.#limit = limit;
  }

  /** Position in the file of the next byte. */
  get position(): number {
    return this.#start + this.#at;
  }

  /** Bytes up to the limit. */
  get left(): number {
    return this.#limit - this.position;
  }

  /** Bytes that can be taken now. */
  get ready(): number {
    return this.#window.length - this.#at;
  }

  /** Makes at least `count` bytes ready. Throws EndOfData when the file has fewer. */
  async need(count: number): Promise<void> {
    if (this.ready >= count) return;
    if (count > this.left) throw new EndOfData();
    const length = Math.min(Math.max(count, WINDOW), this.left);
    const next = Buffer.allocUnsafe(length);
    let filled = this.#window.copy(next, 0, this.#at);
    const start = this.position;
    while (filled < length) {
      const { bytesRead } = await this.#file.read(next, filled, length - filled, start + filled);
      if (bytesRead === 0) throw new EndOfData();
      filled += bytesRead;
    }
    this.#window = next;
    this.#start = start;
    this.#at = 0;
  }

  /** The next bytes; they stay valid only until the next `need`. */
  take(count: number): Buffer {
    const bytes = this.#window.subarray(this.#at, this.#at + count);
    if (bytes.length < count) throw new Error("take without need");
    this.#at += count;
    return bytes;
  }

  /** Steps over bytes without reading them. */
  skip(count: number): void {
    if (count > this.left) throw new EndOfData();
    if (count <= this.ready) {
      this.#at += count;
      return;
    }
    this.#start = this.position + count;
    this.#window = Buffer.alloc(0);
    this.#at = 0;
  }

  uint32(): number {
    return this.take(4).readUInt32LE();
  }

  /** An unsigned 64-bit number; those beyond 2^53 come back rounded, which every limit refuses anyway. */
  uint64(): number {
    return Number(this.take(8).readBigUInt64LE());
  }
}
