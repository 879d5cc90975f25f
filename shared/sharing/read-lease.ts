/** Reading the lease of this user: only from a folder that is theirs alone. Part of the leaf. */
import { lstat } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { readFileText } from "../regular-file.ts";
import { LEASE_FILE, type Lease, parseLease, runtimeFolder } from "./lease.ts";

/** A lease has some 300 bytes. */
const MAX_LEASE_BYTES = 4096;

/** The runtime folder of this user on this machine. */
export function ownRuntimeFolder(env: NodeJS.ProcessEnv = process.env): string {
  return runtimeFolder({ env, platform: process.platform, home: homedir(), host: hostname() });
}

/**
 * The lease in the folder; undefined where there is none, or where someone else could have put it: the folder must be
 * a real one, of this user, and closed to others. (Windows: folders in a profile are, by inheritance.)
 */
export async function readLease(folder: string): Promise<Lease | undefined> {
  try {
    if (!(await isPrivate(folder))) return undefined;
    return parseLease(await readFileText(join(folder, LEASE_FILE), MAX_LEASE_BYTES));
  } catch {
    return undefined;
  }
}

/** Whether nobody else may look into or write to the folder. */
export async function isPrivate(folder: string): Promise<boolean> {
  const stats = await lstat(folder);
  if (!stats.isDirectory()) return false;
  if (process.getuid === undefined) return true;
  return stats.uid === process.getuid() && (stats.mode & 0o077) === 0;
}
