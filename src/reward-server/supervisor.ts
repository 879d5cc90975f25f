/** The window's side of the reward server that all windows share: joins it or starts it, and knows how it is. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Presence } from "../../shared/contract.ts";
import { LEASE_FILE, leaseFolder } from "../../shared/sharing/lease.ts";
import { proves } from "../../shared/sharing/proven-agent.ts";
import { readLease } from "../../shared/sharing/read-lease.ts";
import { Emitter, type Event } from "../base/emitter.ts";
import type { Log } from "../base/log.ts";
import { orAborted } from "../base/or-aborted.ts";
import { RankError, type ServerEndpoint } from "../ranking/client.ts";
import { changeFor, serveArguments, stateFrom } from "./decisions.ts";
import { type JoinedServer, joinOrStart, StartError } from "./join-server.ts";
import { OwnServer } from "./own-server.ts";
import { Restarts } from "./restarts.ts";
import type { RewardServer, ServerOptions, ServerState } from "./reward-server.ts";
import { deathOf, readServerLog } from "./server-log.ts";
import type { Exit, ServerProcess } from "./server-process.ts";
import { SingleFlight } from "./single-flight.ts";

export interface SupervisorDependencies {
  /** The program that runs JavaScript: the editor's own Node. */
  readonly execPath: string;
  readonly script: string;
  /** Version of this extension, and of the server that it starts. */
  readonly version: string;
  /** Where the leases of this user lie. */
  readonly folder: string;
  readonly log: Log;
  options(): ServerOptions;
  /** Token of the user's own server at this address; undefined when none was set. */
  ownToken(url: string): Promise<string | undefined>;
  /** What a server with these engines needs in its environment: their token, proxies. */
  engineEnvironment(engines: readonly string[]): Promise<Readonly<Record<string, string>>>;
}

/** What another window writes about an end that it saw is there by then. */
const LAST_WORDS_MS = 300;

export class Supervisor implements RewardServer {
  readonly #deps: SupervisorDependencies;
  readonly #changed = new Emitter<ServerState>();
  #state: ServerState = { kind: "stopped" };
  #session: JoinedServer | undefined;
  /** Whether the session's server still lives: asked before it is used again, when a connection broke. */
  #check: Promise<boolean> | undefined;
  readonly #joins = new SingleFlight((fresh, signal) => this.#join(fresh, signal));
  /** The last process that this window started; another window's server is none. */
  #process: ServerProcess | undefined;
  /** A failure of such a start is in the state, and the next request hears of it. */
  readonly #restarts = new Restarts(() => void this.#available().catch(() => {}));
  /** Where the lease of the session lies, or of the server that is being joined. */
  #folder: string;
  readonly #own: OwnServer;
  #disposed = false;

  readonly onDidChange: Event<ServerState> = this.#changed.event;

  constructor(deps: SupervisorDependencies) {
    this.#deps = deps;
    this.#own = new OwnServer(deps.ownToken, (state) => this.#enter(state));
    this.#folder = this.#wantedFolder();
  }

  get state(): ServerState {
    return this.#state;
  }

  output(): Promise<readonly string[]> {
    return readServerLog(this.#folder);
  }

  async endpoint(signal: AbortSignal): Promise<ServerEndpoint> {
    signal.throwIfAborted();
    return orAborted(this.#available(), signal);
  }

  /** Joins or starts it, for a use that is about to come. Its failure is in the state. */
  warm(): void {
    if (this.#state.kind === "stopped") this.#available().catch(() => {});
  }

  lost(endpoint: ServerEndpoint, error: RankError): void {
    if (this.#own.url === endpoint.url) {
      this.#own.forget();
      this.#enter({ kind: "down", problem: error });
      return;
    }
    const session = this.#session;
    if (session?.endpoint !== endpoint) return;
    if (error.code === "restarting") this.#leave();
    // A connection may break alone; and its end may be noticed only after its socket's.
    else this.#check ??= proves(session.lease);
  }

  async restart(): Promise<void> {
    this.#restarts.reset();
    this.#own.forget();
    const { url } = this.#deps.options();
    await (url === "" ? this.#joins.endpoint(true) : this.#own.endpoint(url));
  }

  /** Replaces a server that is to run differently now. */
  async optionsChanged(): Promise<void> {
    // A server that is just being started has the options of before.
    await this.#joins.settled();
    if (this.#disposed) return;
    const options = this.#deps.options();
    const { url: ownUrl } = this.#own;
    const present = { state: this.#state.kind, ownUrl, lease: this.#session?.lease, folder: this.#folder };
    const change = changeFor(present, options, this.#wantedFolder());
    // Nobody waits for what begins here: a failure is in the state.
    switch (change) {
      case "nothing":
        return;
      case "forget":
        this.#restarts.reset();
        this.#own.forget();
        this.#leave();
        this.#enter({ kind: "stopped" });
        return;
      case "move":
        this.#own.forget();
        this.#leave();
        await this.#joins.endpoint().catch(() => {});
        return;
      case "restart":
        await this.restart().catch(() => {});
        return;
      case "connect":
        this.#leave();
        await this.#own.endpoint(options.url).catch(() => {});
        return;
      default:
        change satisfies never;
    }
  }

  async stop(): Promise<void> {
    this.#restarts.cancel();
    this.#own.forget();
    const folder = this.#folder;
    const lease = this.#session?.lease;
    this.#joins.giveUp(new RankError("unreachable", "The reward server was stopped."));
    this.#leave();
    this.#enter({ kind: "stopped" });
    if (!lease || (await readLease(folder))?.token !== lease.token) return;
    // A server without its lease finishes what it does, and ends.
    await rm(join(folder, LEASE_FILE), { force: true });
  }

  /** Leaves the server; it ends by itself when no window is left. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#restarts.cancel();
    this.#session?.destroy();
    this.#joins.giveUp(new RankError("unreachable", "The reward server was stopped."));
    this.#leave();
    this.#enter({ kind: "stopped" });
    this.#changed.dispose();
  }

  async #available(): Promise<ServerEndpoint> {
    const { url } = this.#deps.options();
    if (url !== "") return this.#own.endpoint(url);
    const session = this.#session;
    if (session && (await this.#isGood(session))) return session.endpoint;
    if (this.#disposed) throw new RankError("unreachable", "CodeScaler is shutting down.");
    if (this.#state.kind === "failed") throw this.#state.problem;
    this.#restarts.cancel();
    return this.#joins.endpoint();
  }

  async #isGood(session: JoinedServer): Promise<boolean> {
    const check = this.#check;
    const good = (await check) ?? true;
    if (this.#check === check) this.#check = undefined;
    if (!good) await this.#died(session);
    return this.#session === session;
  }

  /** @param fresh whether the server that is there is to be replaced */
  async #join(fresh: boolean, signal: AbortSignal): Promise<ServerEndpoint> {
    const { execPath, script, version, log } = this.#deps;
    const present = () => readLease(this.#wantedFolder());
    const replaces = fresh ? (this.#session?.lease ?? (await present()))?.pid : undefined;
    signal.throwIfAborted();
    if (fresh) this.#leave();
    const options = this.#deps.options();
    const { engines } = options;
    const folder = this.#wantedFolder();
    this.#folder = folder;
    const args = serveArguments(options, replaces);
    this.#enter({ kind: "starting" });
    const env = engines.length > 0 ? await this.#deps.engineEnvironment(engines) : {};
    try {
      const session = await joinOrStart({
        command: { execPath, script, args, folder, env },
        version,
        replaces,
        signal,
        onStart: (process) => {
          log.info(`Starting the reward server: ${args.join(" ")}`);
          this.#process = process;
        },
        events: {
          onPresence: (joined, presence) => {
            if (signal.aborted) joined.leave();
            else this.#heard(joined, presence);
          },
          onEnd: (ended) => void this.#died(ended),
        },
      });
      signal.throwIfAborted();
      return session.endpoint;
    } catch (error) {
      // Nobody wants to know how a start ended that was given up.
      signal.throwIfAborted();
      if (!(error instanceof StartError)) throw error;
      this.#restarts.count();
      this.#ended(error, error.exit);
      throw error;
    }
  }

  #heard(session: JoinedServer, presence: Presence): void {
    // Its first word makes a server the present one, its last one ends that.
    const last = presence.state === "draining" || presence.state === "failed";
    this.#session = session;
    if (last) this.#leave();
    this.#enter(stateFrom(presence, session.endpoint.url, session.lease.version));
    // Replaced: then there is a new one to be counted at. Otherwise the next request starts one.
    if (presence.state === "draining") void this.#follow();
  }

  async #follow(): Promise<void> {
    if ((await readLease(this.#folder)) && this.#state.kind === "stopped" && !this.#disposed) {
      await this.#available().catch(() => {});
    }
  }

  /** The server of a session is gone, and nobody said that it would. */
  async #died(session: JoinedServer): Promise<void> {
    if (this.#session !== session) return;
    this.#leave();
    this.#restarts.count();
    const process = this.#process?.pid === session.lease.pid ? this.#process : undefined;
    await Promise.race([process?.ended ?? sleep(LAST_WORDS_MS), sleep(LAST_WORDS_MS)]);
    const problem = deathOf(process?.exit(), await this.output());
    // Stopped by the user meanwhile: it must not come back by itself.
    if (this.#state.kind === "stopped") return;
    // A request may have found or started another one meanwhile, unless it died too often for that.
    const again = this.#session !== undefined || this.#joins.underWay;
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
        this.#joins.giveUp(new RankError("unreachable", "The reward server was stopped."));
        this.#leave();
        this.#enter({ kind: "failed", problem: sequel.problem });
        return;
      case "refused":
        this.#enter({ kind: "failed", problem });
        return;
      case "again":
        this.#enter({ kind: "down", problem });
        this.#restarts.schedule(sequel.delay);
        return;
      default:
        sequel satisfies never;
    }
  }

  #leave(): void {
    this.#session?.leave();
    this.#session = undefined;
    this.#check = undefined;
  }

  #wantedFolder(): string {
    return leaseFolder(this.#deps.folder, this.#deps.options().engines);
  }

  #enter(state: ServerState): void {
    this.#state = state;
    this.#changed.fire(state);
  }
}
