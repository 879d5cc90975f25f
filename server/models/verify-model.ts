/** Is this file the complete reward model that was written? Structure, head, tensors, and every byte by checksum. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { ServiceError } from "../errors.ts";
import { ALIGNMENT, CHECKSUM_KEY, CHECKSUM_PLACEHOLDER, padded } from "./gguf/format.ts";
import { type GgufHeader, openError, readGguf } from "./gguf/read-header.ts";
import { rewardModel } from "./model-facts.ts";
import type { RewardModelFile } from "./model-file.ts";

export interface VerifiedModel {
  readonly facts: RewardModelFile;
  readonly tensors: number;
  /** SHA-256 over the file with zeros in its own place, hexadecimal. */
  readonly sha256: string;
}

export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Bytes hashed between two looks at the signal. */
const CHUNK = 4 * 2 ** 20;

/**
 * Reads the whole file.
 * @throws ServiceError model_unusable with what is wrong; rejects with the signal's reason when aborted
 */
export async function verifyModel(path: string, options: VerifyOptions = {}): Promise<VerifiedModel> {
  const header = await readGguf(path);
  const facts = rewardModel(path, header);
  const last = header.tensors.at(-1);
  const end = last === undefined ? 0 : padded(last.offset + last.bytes, ALIGNMENT);
  if (header.fileBytes !== end) throw defect(path, `has ${header.fileBytes} bytes instead of ${end}`);
  const written = header.metadata.get(CHECKSUM_KEY);
  if (written?.kind !== "string" || header.checksumAt === undefined) {
    throw defect(path, "has no checksum, so its weights cannot be checked");
  }
  const sha256 = await checksum(path, header, header.checksumAt, options);
  if (sha256 !== written.value) {
    throw defect(path, "is damaged: its content does not match its checksum");
  }
  return { facts, tensors: header.tensors.length, sha256 };
}

async function checksum(
  path: string,
  header: GgufHeader,
  checksumAt: number,
  options: VerifyOptions,
): Promise<string> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw openError(path, error);
  });
  try {
    const hash = createHash("sha256");
    const buffer = Buffer.alloc(CHUNK);
    for (let position = 0; ; ) {
      options.signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, CHUNK, position).catch((error: unknown) => {
        throw openError(path, error);
      });
      if (bytesRead === 0) break;
      const chunk = buffer.subarray(0, bytesRead);
      blank(chunk, checksumAt - position);
      hash.update(chunk);
      position += bytesRead;
      options.onProgress?.(position, header.fileBytes);
    }
    return hash.digest("hex");
  } finally {
    await file.close();
  }
}

/** Puts the placeholder where the checksum is, as far as it lies in this chunk. */
function blank(chunk: Buffer, at: number): void {
  const from = Math.max(0, at);
  const to = Math.min(chunk.byteLength, at + CHECKSUM_PLACEHOLDER.length);
  if (from < to) chunk.fill(CHECKSUM_PLACEHOLDER[0] ?? "0", from, to);
}

function defect(path: string, what: string): ServiceError {
  return new ServiceError("model_unusable", `${path} ${what}. Get or convert it again.`);
}
