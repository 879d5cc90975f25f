/** This window's connection to the server that all windows share: joined or started when needed, and again after its end. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Presence } from "../../shared/contract.ts";
import { LEASE_FILE, type Lease, leaseFolder } from "../../shared/sharing/lease.ts";
import { proves } from "../../shared/sharing/proven-agent.ts";
import { readLease } from "../../shared/sharing/read-lease.ts";
import type { Log } from "../base/log.ts";
import { RankError, type ServerEndpoint } from "../ranking/server-client.ts";
import type { CurrentState } from "./current-state.ts";
import { serveArguments, stateFrom } from "./decisions.ts";
import { type JoinedServer, joinOrStart, StartError } from "./join-server.ts";
import { Restarts } from "./restarts.ts";
import type { ServerOptions } from "./server-interface.ts";
import { deathOf, readServerLog } from "./server-log.ts";
import type { Exit, ServerProcess } from "./server-process.ts";
import { SingleFlight } from "./single-flight.ts";

export interface SharedConnectionDependencies {
  /** The program that runs JavaScript: the editor's own Node. */
  readonly execPath: string;
  readonly script: string;
  /** Version of this extension, and of the server that it starts. */
  readonly version: string;
  /** Where the leases of this user lie. */
  readonly folder: string;
  readonly log: Log;
  options(): ServerOptions;
  /** What a server with these engines needs in its environment: their token, proxies. */
  engineEnvironment(engines: readonly string[]): Promise<Readonly<Record<string, string>>>;
}

/** What another window writes about an end that it saw is there by then. */
const LAST_WORDS_MS = 300;

export class SharedConnection {
  readonly #deps: SharedConnectionDependencies;
  readonly #current: CurrentState;
  #joined: JoinedServer | undefined;
  /** Whether the joined server still lives: asked before it is used again, when a connection broke. */
  #check: Promise<boolean> | undefined;
  readonly #joining = new SingleFlight((fresh, signal) => this.#join(fresh, signal));
  /** The last process that this window started; another window's server is none. */
  #process: ServerProcess | undefined;
  /** A failure of such a start is in the state, and the next request hears of it. */
  readonly #restarts = new Restarts(() => void this.#comeBack());
  #folder: string;
  #disposed = false;

  /** @param current told how the server is, whenever that changes */
  constructor(deps: SharedConnectionDependencies, current: CurrentState) {
    this.#deps = deps;
    this.#current = current;
    this.#folder = this.wantedFolder;
  }

  /** Of the server that is joined. */
  get lease(): Lease | undefined {
    return this.#joined?.lease;
  }

  /** Where the lease lies of the server that is joined, or being joined. */
  get folder(): string {
    return this.#folder;
  }

  /** Where the lease of a server with the present options would lie. */
  get wantedFolder(): string {
    return leaseFolder(this.#deps.folder, this.#deps.options().engines);
  }

  /** Its last lines on stderr, oldest first. */
  output(): Promise<readonly string[]> {
    return readServerLog(this.#folder);
  }

  /**
   * Where it answers; joins or starts it where needed.
   * @throws RankError
   */
  async endpoint(): Promise<ServerEndpoint> {
    const joined = this.#joined;
    if (joined && (await this.#isGood(joined))) return joined.endpoint;
    if (this.#disposed) throw new RankError("unreachable", "CodeScaler is shutting down.");
    const { value } = this.#current;
    if (value.kind === "failed") throw value.problem;
    this.#restarts.cancel();
    return this.join();
  }

  /** Joins or starts it, whatever happened before. */
  join(): Promise<ServerEndpoint> {
    return this.#joining.endpoint();
  }

  /** Has it replaced by a fresh one with the present options, for all windows. */
  replace(): Promise<ServerEndpoint> {
    return this.#joining.endpoint(true);
  }

  /** Resolves when it is not being joined any more, however that ended. */
  settled(): Promise<void> {
    return this.#joining.settled();
  }

  /** Earlier crashes say nothing any more. */
  forgetEnds(): void {
    this.#restarts.reset();
  }

  /** Someone's request failed in a way that says it may be gone. */
  lost(endpoint: ServerEndpoint, error: RankError): void {
    const joined = this.#joined;
    if (joined?.endpoint !== endpoint) return;
    if (error.code === "restarting") this.leave();
    // A connection may break alone; and its end may be noticed only after its socket's.
    else this.#check ??= proves(joined.lease);
  }

  /** This window is no longer counted there. Running requests go on. */
  leave(): void {
    this.#joined?.leave();
    this.#joined = undefined;
    this.#check = undefined;
  }

  /** Ends it for all windows, after what it is answering. */
  async stop(): Promise<void> {
    const folder = this.#folder;
    const { lease } = this;
    this.#giveUp();
    if (!lease || (await readLease(folder))?.token !== lease.token) return;
    // A server without its lease finishes what it does, and ends.
    await rm(join(folder, LEASE_FILE), { force: true });
  }

  /** Leaves it for good, with all connections broken. */
  dispose(): void {
    this.#disposed = true;
    this.#joined?.destroy();
    this.#giveUp();
  }

  /** Nobody wants it any more: who waits for it is told so. */
  #giveUp(): void {
    this.#restarts.cancel();
    this.#joining.giveUp(new RankError("unreachable", "The reward server was stopped."));
    this.leave();
    this.#current.enter({ kind: "stopped" });
  }

  async #isGood(joined: JoinedServer): Promise<boolean> {
    const check = this.#check;
    const good = (await check) ?? true;
    if (this.#check === check) this.#check = undefined;
    if (!good) await this.#died(joined);
    return this.#joined === joined;
  }

  /** @param fresh whether the server that is there is to be replaced */
  async #join(fresh: boolean, signal: AbortSignal): Promise<ServerEndpoint> {
    const { execPath, script, version, log } = this.#deps;
    const present = () => readLease(this.wantedFolder);
    const replaces = fresh ? (this.lease ?? (await present()))?.pid : undefined;
    signal.throwIfAborted();
    if (fresh) this.leave();
    const options = this.#deps.options();
    const { engines } = options;
    const folder = this.wantedFolder;
    this.#folder = folder;
    const args = serveArguments(options, replaces);
    this.#current.enter({ kind: "starting" });
    const env = engines.length > 0 ? await this.#deps.engineEnvironment(engines) : {};
    try {
      const joined = await joinOrStart({
        command: { execPath, script, args, folder, env },
        version,
        replaces,
        signal,
        onStart: (process) => {
          log.info(`Starting the reward server: ${args.join(" ")}`);
          this.#process = process;
        },
        events: {
          onPresence: (server, presence) => {
            if (signal.aborted) server.leave();
            else this.#heard(server, presence);
          },
          onEnd: (server) => void this.#died(server),
        },
      });
      signal.throwIfAborted();
      return joined.endpoint;
    } catch (error) {
      // Nobody wants to know how a start ended that was given up.
      signal.throwIfAborted();
      if (!(error instanceof StartError)) throw error;
      this.#restarts.count();
      this.#ended(error, error.exit);
      throw error;
    }
  }

  #heard(server: JoinedServer, presence: Presence): void {
    // Its first word makes a server the present one, its last one ends that.
    const last = presence.state === "draining" || presence.state === "failed";
    this.#joined = server;
    if (last) this.leave();
    this.#current.enter(stateFrom(presence, server.endpoint.url, server.lease.version));
    // Replaced: then there is a new one to be counted at. Otherwise the next request starts one.
    if (presence.state === "draining") void this.#follow();
  }

  async #follow(): Promise<void> {
    const successor = await readLease(this.#folder);
    if (successor && this.#current.value.kind === "stopped" && !this.#disposed) await this.#comeBack();
  }

  /** Joins or starts it though nobody asks just now, unless the user's own server is wanted by now. */
  async #comeBack(): Promise<void> {
    if (this.#deps.options().url === "") await this.endpoint().catch(() => {});
  }

  /** The joined server is gone, and nobody said that it would. */
  async #died(server: JoinedServer): Promise<void> {
    if (this.#joined !== server) return;
    this.leave();
    this.#restarts.count();
    const process = this.#process?.pid === server.lease.pid ? this.#process : undefined;
    await Promise.race([process?.ended ?? sleep(LAST_WORDS_MS), sleep(LAST_WORDS_MS)]);
    const problem = deathOf(process?.exit(), await this.output());
    // Stopped by the user meanwhile: it must not come back by itself.
    if (this.#current.value.kind === "stopped") return;
    // A request may have found or started another one meanwhile, unless it died too often for that.
    const again = this.#joined !== undefined || this.#joining.underWay;
    if (again && this.#restarts.worthwhile) this.#deps.log.error(problem.message);
    else this.#ended(problem, undefined);
  }

  /** @param exit how a process ended that never had the lease */
  #ended(problem: RankError, exit: Exit | undefined): void {
    if (this.#disposed) return;
    this.#deps.log.error(problem.message);
    const sequel = this.#restarts.sequel(problem, exit);
    switch (sequel.kind) {
      case "given up":
        this.#joining.giveUp(new RankError("unreachable", "The reward server was stopped."));
        this.leave();
        this.#current.enter({ kind: "failed", problem: sequel.problem });
        return;
      case "refused":
        this.#current.enter({ kind: "failed", problem });
        return;
      case "again":
        this.#current.enter({ kind: "down", problem });
        this.#restarts.schedule(sequel.delay);
        return;
      default:
        sequel satisfies never;
    }
  }
}
