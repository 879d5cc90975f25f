/** The life of a server that all windows of a user share: it has a lease and no parent. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import { type Lease, LOG_FILE } from "../../shared/sharing/lease.ts";
import { proves } from "../../shared/sharing/proven-agent.ts";
import { ServiceError } from "../errors.ts";
import { claimLease, leaseState, releaseLease } from "./lease-holder.ts";
import { capLog } from "./log-file.ts";
import type { Occupancy } from "./occupancy.ts";

/** How often it looks after its lease, who uses it, and the size of its log. */
const TICK_MS = 1000;
/** A lease that is missing so often in a row was removed; once may be a slow network drive. */
const MISSING_TICKS = 2;
/** The server before may take this long to finish before it is not waited for any more: its memory counts then. */
const PREDECESSOR_MS = 60_000;
/** No request takes longer; the client gives up before. */
const DRAIN_MS = 600_000;

export interface SharedDependencies {
  readonly folder: string;
  readonly lease: Lease;
  /** Process of a server that is to be replaced although it is good. */
  readonly replaces: number | undefined;
  readonly occupancy: Occupancy;
  readonly log: Logger;
  /** Gives the model's memory back. */
  unload(): Promise<void>;
}

export class SharedServer {
  readonly #deps: SharedDependencies;
  #missing = 0;

  constructor(deps: SharedDependencies) {
    this.#deps = deps;
  }

  /**
   * Takes the lease.
   * @returns what to wait for before memory is taken: the end of the server that was replaced. Undefined when another
   * server is the one, and this one has nothing to do.
   */
  async claim(): Promise<{ readonly room: Promise<void> } | undefined> {
    const { folder, lease, replaces, log } = this.#deps;
    const claim = await claimLease(folder, lease, replaces);
    if (claim.kind === "joined") {
      log.info({ other: claim.lease.pid }, "another server is running");
      return undefined;
    }
    if (claim.replaced) log.info({ other: claim.replaced.pid }, "replacing a server");
    return { room: claim.replaced ? gone(claim.replaced) : Promise.resolve() };
  }

  /**
   * Resolves with the reason once the server may end. A signal wants an end now: what is being answered then is
   * refused in a way that clients try again. Otherwise all of it is finished first.
   */
  async end(stopped: Promise<string>): Promise<string> {
    const { folder, lease, occupancy } = this.#deps;
    const watching = new AbortController();
    const signal = stopped.then((why) => ({ why, now: true }));
    const { why, now } = await Promise.race([
      signal,
      this.#watch(watching.signal).then((reason) => ({ why: reason, now: false })),
    ]);
    watching.abort();
    // From here on nobody finds it, and who has found it must look again.
    await releaseLease(folder, lease);
    const drained = occupancy.drain();
    if (!now) await Promise.race([drained, signal, sleep(DRAIN_MS, undefined, { ref: false })]);
    return why;
  }

  /** The lease is left to whoever comes next. */
  async giveUp(reason: unknown): Promise<void> {
    await releaseLease(this.#deps.folder, this.#deps.lease);
    const code = reason instanceof ServiceError && { code: reason.code };
    const problem = reason instanceof Error ? reason.message : String(reason);
    this.#deps.occupancy.tell({ state: "failed", model: null, problem, ...code });
  }

  async #watch(signal: AbortSignal): Promise<string> {
    const { folder, occupancy, unload } = this.#deps;
    while (!signal.aborted) {
      await sleep(TICK_MS);
      capLog(join(folder, LOG_FILE));
      const why = await this.#lost();
      if (why !== undefined) return why;
      const due = occupancy.due();
      if (due === "exit") return "nobody is left";
      if (due === "unload") await unload();
    }
    return "";
  }

  /** Why the lease is no longer this server's; undefined while it is. */
  async #lost(): Promise<string | undefined> {
    const state = await leaseState(this.#deps.folder, this.#deps.lease);
    if (state === "other") return "replaced by another server";
    this.#missing = state === "missing" ? this.#missing + 1 : 0;
    return this.#missing >= MISSING_TICKS ? "the lease was removed" : undefined;
  }
}

/** Resolves when a server that was replaced has ended, or takes too long. */
async function gone(lease: Lease): Promise<void> {
  const started = performance.now();
  while (performance.now() - started < PREDECESSOR_MS && (await proves(lease))) await sleep(100);
}
