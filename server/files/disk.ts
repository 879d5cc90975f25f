/** Writing large files: room is checked first, a failure is one sentence, a half-written file never stays. */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rm, stat, statfs } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { gigabytes } from "../../shared/gigabytes.ts";
import { renameFile } from "../../shared/rename-file.ts";
import { ServiceError } from "../errors.ts";

/** Left free beside the new file, so that a conversion never fills the disk to the last byte. */
const SPARE_BYTES = 64 * 2 ** 20;

/** Codes of the file system that are the user's to solve, with the way out. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full. Free some space or choose another folder.",
  EDQUOT: "your quota on this disk is used up. Free some space or choose another folder.",
  EFBIG: "the file would be larger than this disk or account allows. Choose another folder.",
  EROFS: "the disk is read-only. Choose another folder.",
  EACCES: "this account may not write there. Choose another folder.",
  EPERM: "this account may not write there. Choose another folder.",
  ENOENT: "the folder does not exist. Create it first or choose another one.",
  ENOTDIR: "a part of the path is a file, not a folder. Choose another folder.",
  EISDIR: "it is a folder. Give the name of a file.",
  EIO: "the disk reports an error. Check it or choose another one.",
};

/** The failure that a user sees when writing `path` failed; faults that are not the disk's come back unchanged. */
export function diskError(path: string, cause: unknown): unknown {
  const code = errorCode(cause);
  const reason = code === undefined ? undefined : REASONS[code];
  if (reason === undefined) return cause;
  return new ServiceError("disk_failed", `${path} cannot be written: ${reason}`, { cause });
}

/** The code of a file system error ("ENOENT"), undefined for anything else. */
export function errorCode(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}

/** Refuses when the disk of `path` has not room for `bytes` more. */
export async function requireSpace(path: string, bytes: number): Promise<void> {
  let free: number;
  try {
    const stats = await statfs(dirname(path));
    free = stats.bavail * stats.bsize;
  } catch (error) {
    throw diskError(path, error);
  }
  if (free >= bytes + SPARE_BYTES) return;
  throw new ServiceError(
    "disk_failed",
    `${path} needs ${gigabytes(bytes)} and its disk has ${gigabytes(free)} free. Free some space or choose another folder.`,
  );
}

/** Bytes of the files that are directly in a folder; 0 where there is none. */
export async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map(async (entry) => (await stat(join(folder, entry.name)).catch(() => undefined))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A file that appears under its name only once it is complete. Call exactly one of `commit` and `discard`. */
export interface PendingFile {
  write(data: Uint8Array, position: number): Promise<void>;
  commit(): Promise<void>;
  discard(): Promise<void>;
  /** Where the bytes are until then: in the same folder, so that the rename is atomic. */
  readonly temporary: string;
}

/** Ending of a file that is still being written. */
const PARTIAL = ".partial";

/** Opens a file beside `target`, first removing what killed processes left of earlier attempts. */
export async function createPending(target: string): Promise<PendingFile> {
  const folder = dirname(target);
  const prefix = `.${basename(target)}.`;
  const temporary = join(folder, `${prefix}${process.pid}-${randomBytes(4).toString("hex")}${PARTIAL}`);
  let handle: FileHandle | undefined;
  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw diskError(target, error);
    }
  };
  const close = async (): Promise<void> => {
    const open = handle;
    handle = undefined;
    await open?.close();
  };
  if ((await stat(target).catch(() => undefined))?.isDirectory()) {
    throw new ServiceError("disk_failed", `${target} cannot be written: ${REASONS["EISDIR"]}`);
  }
  await told(() => removeAbandoned(folder, prefix));
  const file = await told(() => open(temporary, "wx"));
  handle = file;
  return {
    temporary,
    write: (data, position) =>
      told(async () => {
        let done = 0;
        while (done < data.byteLength) {
          const { bytesWritten } = await file.write(data, done, data.byteLength - done, position + done);
          done += bytesWritten;
        }
      }),
    commit: () =>
      told(async () => {
        await file.sync();
        await close();
        await renameFile(temporary, target);
      }),
    discard: async () => {
      await close();
      await rm(temporary, { force: true });
    },
  };
}

/** Removes what processes left that were killed while they wrote the same file. */
async function removeAbandoned(folder: string, prefix: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith(PARTIAL)) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (pid > 0 && !isRunning(pid)) await rm(join(folder, name), { force: true });
  }
}

/** Is there a process of this number? */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // A process of someone else may not be asked, but it is there.
    return errorCode(error) !== "ESRCH";
  }
}
