/** One process at a time works on a download. The lock of a process that was killed is taken over. */
import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm, stat, utimes } from "node:fs/promises";
import { readFileText } from "../../shared/regular-file.ts";
import { renameFile } from "../../shared/rename-file.ts";
import { errorCode, isRunning } from "./disk.ts";

export interface FileLock {
  release(): Promise<void>;
}

/** A number and a name of its own. */
const MAX_LOCK_BYTES = 256;
/** How often the holder shows that it is alive. */
const BEAT_MS = 5000;
/** After so many missed beats the holder is taken for dead even if some process has its number now. */
const STALE_MS = 60_000;

/**
 * Takes the lock at `path`; undefined when a living process holds it.
 * The file holds the process's number and a name of its own; its time is renewed while it is held.
 */
export async function takeLock(path: string): Promise<FileLock | undefined> {
  const mine = `${process.pid} ${randomUUID()}`;
  if (!(await create(path, mine))) {
    const holder = await content(path);
    if (holder !== undefined && !(await isAbandoned(path, holder))) return undefined;
    if (!(await clear(path, holder, mine)) || !(await create(path, mine))) return undefined;
  }
  const beat = setInterval(() => {
    const now = new Date();
    // A lock that someone removed is noticed when it is released.
    utimes(path, now, now).catch(() => {});
  }, BEAT_MS);
  beat.unref();
  return {
    release: async () => {
      clearInterval(beat);
      if ((await content(path)) === mine) await rm(path, { force: true });
    },
  };
}

async function create(path: string, mine: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, "wx");
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
  try {
    await file.writeFile(mine);
  } catch (error) {
    // On a full disk it would be a lock of nobody, in everybody's way.
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return true;
}

async function isAbandoned(path: string, holder: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return true;
  const silent = Date.now() - stats.mtimeMs > STALE_MS;
  const pid = Number.parseInt(holder, 10);
  // Without a number it was just created and not yet written: someone else is first.
  return silent || (pid > 0 && !isRunning(pid));
}

/** Moves the abandoned lock aside; gives back one that another process took in the meantime. */
async function clear(path: string, holder: string | undefined, mine: string): Promise<boolean> {
  const aside = `${path}.${mine.split(" ")[1]}`;
  try {
    await renameFile(path, aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return true;
    throw error;
  }
  if ((await content(aside)) !== holder) {
    await renameFile(aside, path);
    return false;
  }
  await rm(aside, { force: true });
  return true;
}

/** Undefined where there is no lock, or something that is no file and so nobody's lock. */
async function content(path: string): Promise<string | undefined> {
  return readFileText(path, MAX_LOCK_BYTES).catch(() => undefined);
}
