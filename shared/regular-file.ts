/**
 * Opening files of ours where someone may have put something else: a pipe would hang whoever opens it, a link leads to
 * another file.
 */
import { constants, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

// Windows knows neither, and has no such files under a plain name.
const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_RDWR } = constants;

const FLAGS = {
  read: O_RDONLY,
  /** Makes the file where it is missing. */
  append: O_WRONLY | O_APPEND | O_CREAT,
  change: O_RDWR,
} as const;

/** Something that is no ordinary file has a file's name. */
export class NoFileError extends Error {
  constructor(path: string) {
    super(`${path} is not an ordinary file. Remove it.`);
    this.name = "NoFileError";
  }
}

/** The flags of `open` for a use; links are not followed, and a pipe does not block. */
export function flagsFor(use: keyof typeof FLAGS): number {
  return FLAGS[use] | O_NOFOLLOW | O_NONBLOCK;
}

/** @throws NoFileError where the open file is none */
export function checkIsFile(path: string, stats: Stats): void {
  if (!stats.isFile()) throw new NoFileError(path);
}

/**
 * Opens an ordinary file, and nothing else. A file that is made is for this user alone.
 * @throws NoFileError, or a system error
 */
export async function openFile(path: string, use: keyof typeof FLAGS): Promise<FileHandle> {
  let file: FileHandle;
  try {
    file = await open(path, flagsFor(use), 0o600);
  } catch (error) {
    // ELOOP: a link. ENXIO: a pipe that nobody reads, or a socket.
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    throw code === "ELOOP" || code === "ENXIO" || code === "EISDIR" ? new NoFileError(path) : error;
  }
  try {
    checkIsFile(path, await file.stat());
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The text of an ordinary file.
 * @param most bytes that it may have
 * @throws NoFileError, RangeError for a longer one, or a system error
 */
export async function readFileText(path: string, most: number): Promise<string> {
  const file = await openFile(path, "read");
  try {
    const { size } = await file.stat();
    if (size > most) throw new RangeError(`${path} is longer than ${most} bytes.`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
