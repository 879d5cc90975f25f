/** The server's side of the lease: one server at a time holds it, and one that lost it ends. */

import { chmod, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { renameFile } from "../../shared/rename-file.ts";
import { decide, LEASE_FILE, LEASE_LOCK, type Lease } from "../../shared/sharing/lease.ts";
import { proves } from "../../shared/sharing/proven-agent.ts";
import { isPrivate, readLease } from "../../shared/sharing/read-lease.ts";
import { ServiceError } from "../errors.ts";
import { diskError } from "../files/disk.ts";
import { type FileLock, takeLock } from "../files/file-lock.ts";

/** The lock is held for as long as a silent server is asked twice; whoever holds it longer hangs. */
const LOCK_WAIT_MS = 20_000;
const LOCK_POLL_MS = 50;

export type Claim =
  /** The lease is ours; `replaced` lives and ends as soon as it sees that. */
  | { readonly kind: "claimed"; readonly replaced: Lease | undefined }
  /** Another server is the one. */
  | { readonly kind: "joined"; readonly lease: Lease };

/**
 * Makes the folder, for this user alone.
 * @throws ServiceError disk_failed where that cannot be
 */
export async function makePrivate(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!(await isPrivate(folder))) await chmod(folder, 0o700);
  } catch (error) {
    throw diskError(folder, error);
  }
  if (await isPrivate(folder)) return;
  throw new ServiceError(
    "disk_failed",
    `${folder} belongs to someone else, so no access token is kept there. Remove it, or set CODESCALER_HOME to a folder of yours.`,
  );
}

/**
 * Takes the lease, unless a server that proves itself has it and need not be replaced.
 * @param mine the lease to write; its server must answer challenges already
 * @param replaces process of a server to be replaced although it is good
 */
export async function claimLease(folder: string, mine: Lease, replaces?: number): Promise<Claim> {
  const lock = await lockLease(folder);
  try {
    const found = await readLease(folder);
    const proved = found !== undefined && (await proves(found));
    const what = decide(found, proved, { version: mine.version, replaces });
    if (found && what === "join") return { kind: "joined", lease: found };
    await writeLease(folder, mine);
    return { kind: "claimed", replaced: what === "replace" ? found : undefined };
  } finally {
    await lock.release();
  }
}

/** Whose the lease is. `missing` may be a folder that cannot be read for a moment. */
export async function leaseState(folder: string, mine: Lease): Promise<"mine" | "other" | "missing"> {
  const found = await readLease(folder);
  if (!found) return "missing";
  return found.token === mine.token ? "mine" : "other";
}

/** Removes the lease if it is ours, so that nobody asks a server that has gone. */
export async function releaseLease(folder: string, mine: Lease): Promise<void> {
  if ((await leaseState(folder, mine)) === "mine") await rm(join(folder, LEASE_FILE), { force: true });
}

/**
 * Two that both think they hold the lock do no harm: the lease that was written last counts, and the server of the
 * other sees that it lost.
 */
async function lockLease(folder: string): Promise<FileLock> {
  const path = join(folder, LEASE_LOCK);
  const started = performance.now();
  while (true) {
    const lock = await takeLock(path).catch((error: unknown) => {
      throw diskError(path, error);
    });
    if (lock) return lock;
    // The number of a killed holder may belong to another process by now; the clock may have been changed.
    if (performance.now() - started > LOCK_WAIT_MS) await rm(path, { force: true });
    await sleep(LOCK_POLL_MS);
  }
}

async function writeLease(folder: string, lease: Lease): Promise<void> {
  const path = join(folder, LEASE_FILE);
  const temporary = `${path}.${lease.pid}`;
  try {
    await removeLeftovers(folder);
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(JSON.stringify(lease));
    } finally {
      await file.close();
    }
    await renameFile(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw diskError(path, error);
  }
}

/** What servers left that were killed while they wrote. Only the holder of the lock writes. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${LEASE_FILE}.`)) await rm(join(folder, name), { force: true });
  }
}
