/**
 * The lease: the file by which the windows of a user find their one server. What it says, where it lies, and what
 * follows from it. Pure.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";

/**
 * Changes with whatever makes a client and a server of different versions unable to work together. It is part of the
 * file's name, so that such versions never meet: each has a server of its own.
 */
export const PROTOCOL = 1;

export const LEASE_FILE = `server-v${PROTOCOL}.json`;
/** Held by a server only while it reads, judges and writes the lease. */
export const LEASE_LOCK = `server-v${PROTOCOL}.lock`;
/** What a server without a parent says: its stderr. */
export const LOG_FILE = "server.log";

export interface Lease {
  /** Version of the server, "1.2.3". */
  readonly version: string;
  readonly pid: number;
  /** On 127.0.0.1; never another host, whatever the file says. */
  readonly port: number;
  /** Access token; it never leaves this machine, and goes only to who proved to know it. */
  readonly token: string;
  /** The device that was asked for: auto, gpu or cpu. */
  readonly device: string;
}

/**
 * Folder of the lease. A server that has its rewards computed on other hosts is shared only by windows that name the
 * same hosts: one that names none, or may not because its workspace is not trusted, never sends code there.
 * @param base the user's runtime folder
 * @param engines addresses of the engines, as they were given
 */
export function leaseFolder(base: string, engines: readonly string[]): string {
  if (engines.length === 0) return base;
  const digest = createHash("sha256").update(JSON.stringify(engines)).digest("hex");
  return join(base, `engines-${digest.slice(0, 16)}`);
}

/** The lease in a file's text; undefined where it is none: half-written, damaged, of another program. */
export function parseLease(text: string): Lease | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { version, pid, port, token, device } = { ...value } as Readonly<Record<string, unknown>>;
  if (typeof version !== "string" || !/^\d+\.\d+\.\d+/.test(version)) return undefined;
  if (!isWhole(pid, 1, 2 ** 31) || !isWhole(port, 1, 65_535)) return undefined;
  if (typeof token !== "string" || !/^[\w-]{32,256}$/.test(token) || typeof device !== "string")
    return undefined;
  return { version, pid, port, token, device };
}

function isWhole(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

/** Base address of the server of a lease. */
export function leaseUrl({ port }: Pick<Lease, "port">): string {
  return `http://127.0.0.1:${port}`;
}

export interface Wish {
  /** Version of the program that asks. */
  readonly version: string;
  /** Process of a server that is to be replaced although it is good: its user wants a fresh one. */
  readonly replaces?: number | undefined;
}

/**
 * What to do about a lease.
 * @param proved whether the server of the lease answers and has proved that it is the one
 * @returns `join` it, `replace` it (it lives, finishes its work and ends), or `start` a server where there is none
 */
export function decide(
  lease: Pick<Lease, "version" | "pid"> | undefined,
  proved: boolean,
  wish: Wish,
): "join" | "replace" | "start" {
  if (!lease || !proved) return "start";
  if (lease.pid === wish.replaces || compareVersions(lease.version, wish.version) < 0) return "replace";
  // A newer one of the same protocol knows all that this version asks.
  return "join";
}

/** Below 0 when a is older than b. What follows the three numbers does not count. */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string) => version.split(/[.+-]/).slice(0, 3).map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What decides where a user's lease is. */
export interface LeaseHome {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly home: string;
  /** Name of this machine: homes are shared by network on Unix, loopback addresses are not. */
  readonly host: string;
}

/**
 * Folder of lease, lock and log, the same for all windows of a user: below `CODESCALER_HOME` where that is set (other
 * models, another server), else below the user's home. The platform's runtime folder is not used: it goes away with
 * the last login, and not every way of starting an editor knows it.
 */
export function runtimeFolder({ env, platform, home, host }: LeaseHome): string {
  const own = env["CODESCALER_HOME"];
  // On a Mac or Windows homes are local, and the machine's name changes with its network.
  const local = platform === "darwin" || platform === "win32";
  const run = join("run", local ? "" : host.replace(/[^\w.-]/g, "_"));
  if (own) return join(own, run);
  if (platform === "darwin") return join(home, "Library", "Application Support", "codescaler", run);
  if (platform === "win32") {
    return join(env["LOCALAPPDATA"] || join(home, "AppData", "Local"), "codescaler", run);
  }
  return join(env["XDG_STATE_HOME"] || join(home, ".local", "state"), "codescaler", run);
}
