/** The window's side of the reward server that all windows share: joins it or starts it, and knows how it is. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Presence } from "../server/contract.ts";
import { LEASE_FILE, leaseFolder } from "../server/lease/lease.ts";
import { proves } from "../server/lease/proven-agent.ts";
import { readLease } from "../server/lease/read.ts";
import { Emitter, type Event } from "./emitter.ts";
import { type Log, reasonOf } from "./log.ts";
import { connectOwn } from "./own-server.ts";
import { type Endpoint, RankError } from "./ranking/client.ts";
import { restartDelay } from "./restart-budget.ts";
import type { RewardServer, ServerOptions, ServerState } from "./reward-server.ts";
import { deathOf, readServerLog } from "./server-log.ts";
import type { Exit, ServerProcess } from "./server-process.ts";
import { joinOrStart, type Session, StartError } from "./shared-server.ts";

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
  foreignToken(url: string): Promise<string | undefined>;
  /** What a server with these engines needs in its environment: their token, proxies. */
  engineEnvironment(engines: readonly string[]): Promise<Readonly<Record<string, string>>>;
}

/** What another window writes about an end that it saw is there by then. */
const LAST_WORDS_MS = 300;
/** Windows that saw the same end do not start at the same moment. */
const SPREAD_MS = 400;
/** Exit codes by which the command line says that it refused, rather than that it broke. */
const REFUSED: readonly (number | null)[] = [1, 2];

export class Supervisor implements RewardServer {
  readonly #deps: SupervisorDependencies;
  readonly #changed = new Emitter<ServerState>();
  #state: ServerState = { kind: "stopped" };
  #session: Session | undefined;
  /** Whether the session's server still lives: asked before it is used again, when a connection broke. */
  #check: Promise<boolean> | undefined;
  /** Under way; all who need it wait for the same. */
  #joining: { readonly endpoint: Promise<Endpoint>; readonly controller: AbortController } | undefined;
  /** The last process that this window started; another window's server is none. */
  #process: ServerProcess | undefined;
  /** When it ended by itself, on the monotonic clock. */
  #ends: readonly number[] = [];
  #restartTimer: NodeJS.Timeout | undefined;
  /** Where the lease of the session lies, or of the server that is being joined. */
  #folder: string;
  /** The user's own server, by its address. */
  #own: { readonly url: string; readonly endpoint: Promise<Endpoint> } | undefined;
  #disposed = false;

  readonly onDidChange: Event<ServerState> = this.#changed.event;

  constructor(deps: SupervisorDependencies) {
    this.#deps = deps;
    this.#folder = this.#wantedFolder();
  }

  get state(): ServerState {
    return this.#state;
  }

  output(): Promise<readonly string[]> {
    return readServerLog(this.#folder);
  }

  async endpoint(signal: AbortSignal): Promise<Endpoint> {
    signal.throwIfAborted();
    return orAborted(this.#available(), signal);
  }

  /** Joins or starts it, for a use that is about to come. Its failure is in the state. */
  warm(): void {
    if (this.#state.kind === "stopped") this.#available().catch(() => {});
  }

  lost(endpoint: Endpoint, error: RankError): void {
    if (this.#own?.url === endpoint.url) {
      this.#own = undefined;
      this.#enter({ kind: "down", problem: error.message });
      return;
    }
    const session = this.#session;
    if (session?.endpoint !== endpoint) return;
    if (error.code === "restarting") this.#leave();
    // A connection may break alone; and its end may be noticed only after its socket's.
    else this.#check ??= proves(session.lease);
  }

  async restart(): Promise<void> {
    clearTimeout(this.#restartTimer);
    this.#own = undefined;
    this.#ends = [];
    const { url } = this.#deps.options();
    if (url === "") {
      const replaces = this.#session?.lease.pid ?? (await readLease(this.#wantedFolder()))?.pid;
      this.#leave();
      await this.#join(replaces);
    } else await this.#connected(url);
  }

  /** Replaces a server that is to run differently now. */
  async optionsChanged(): Promise<void> {
    // A server that is just being started has the options of before.
    while (this.#joining) await this.#joining.endpoint.catch(() => {});
    if (this.#disposed) return;
    const { url, device } = this.#deps.options();
    const lease = this.#session?.lease;
    const moved = this.#own !== undefined && this.#own.url !== url;
    if (this.#state.kind === "failed" || this.#state.kind === "down") {
      // Other options deserve a fresh try, when someone needs it.
      clearTimeout(this.#restartTimer);
      this.#ends = [];
      this.#own = undefined;
      this.#leave();
      this.#enter({ kind: "stopped" });
    } else if (url === "" && (moved || (lease !== undefined && this.#folder !== this.#wantedFolder()))) {
      // The other one goes on for the windows that want it, and so does the shared one that is joined.
      this.#own = undefined;
      this.#leave();
      await this.#join().catch(() => {});
    } else if (moved || (lease !== undefined && url === "" && device !== lease.device)) {
      // Nobody waits for it here: a failure is in the state.
      await this.restart().catch(() => {});
    } else if (lease !== undefined && url !== "") {
      this.#leave();
      await this.#connected(url).catch(() => {});
    }
  }

  async stop(): Promise<void> {
    clearTimeout(this.#restartTimer);
    this.#own = undefined;
    const folder = this.#folder;
    const lease = this.#session?.lease;
    this.#giveUpJoining();
    this.#leave();
    this.#enter({ kind: "stopped" });
    if (!lease || (await readLease(folder))?.token !== lease.token) return;
    // A server without its lease finishes what it does, and ends.
    await rm(join(folder, LEASE_FILE), { force: true });
  }

  /** Leaves the server; it ends by itself when no window is left. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#restartTimer);
    this.#session?.destroy();
    this.#giveUpJoining();
    this.#leave();
    this.#enter({ kind: "stopped" });
    this.#changed.dispose();
  }

  async #available(): Promise<Endpoint> {
    const { url } = this.#deps.options();
    if (url !== "") return this.#connected(url);
    const session = this.#session;
    if (session && (await this.#isGood(session))) return session.endpoint;
    if (this.#disposed) throw new RankError("unreachable", "CodeScaler is shutting down.");
    if (this.#state.kind === "failed") throw new RankError("unreachable", this.#state.problem);
    clearTimeout(this.#restartTimer);
    return this.#join();
  }

  async #isGood(session: Session): Promise<boolean> {
    const check = this.#check;
    const good = (await check) ?? true;
    if (this.#check === check) this.#check = undefined;
    if (!good) await this.#died(session);
    return this.#session === session;
  }

  #join(replaces?: number): Promise<Endpoint> {
    if (!this.#joining) {
      const controller = new AbortController();
      const joining = { controller, endpoint: this.#joined(replaces, controller.signal) };
      this.#joining = joining;
      joining.endpoint
        .catch(() => {})
        .finally(() => {
          if (this.#joining === joining) this.#joining = undefined;
        });
    }
    return this.#joining.endpoint;
  }

  async #joined(replaces: number | undefined, signal: AbortSignal): Promise<Endpoint> {
    const { execPath, script, version, log } = this.#deps;
    const { engines, model, device, unloadAfter } = this.#deps.options();
    const folder = this.#wantedFolder();
    this.#folder = folder;
    const args = ["serve", "--shared", "--device", device, "--unload-after", String(60 * unloadAfter)];
    if (model !== "") args.push("--model", model);
    for (const engine of engines) args.push("--engine", engine);
    if (replaces !== undefined) args.push("--replaces", String(replaces));
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
      this.#ends = [...this.#ends, performance.now()];
      this.#ended(error.message, error.exit);
      throw new RankError("unreachable", error.message, { cause: error });
    }
  }

  #heard(session: Session, { state, model, problem, reason }: Presence): void {
    // Its first word makes a server the present one.
    this.#session = session;
    switch (state) {
      case "loading":
        this.#enter({ kind: "starting" });
        break;
      case "ready":
      case "unloaded": {
        const { url } = session.endpoint;
        const { version } = session.lease;
        const slower = reason !== undefined && { reason };
        this.#enter({ kind: "ready", url, own: false, model: model ?? "", version, ...slower });
        break;
      }
      case "draining":
        this.#leave();
        this.#enter({ kind: "stopped" });
        // Replaced: then there is a new one to be counted at. Otherwise the next request starts one.
        void this.#follow();
        break;
      case "failed":
        this.#leave();
        this.#enter({ kind: "failed", problem: problem ?? "The reward server failed to start." });
        break;
      default:
        state satisfies never;
    }
  }

  async #follow(): Promise<void> {
    if ((await readLease(this.#folder)) && this.#state.kind === "stopped" && !this.#disposed) {
      await this.#available().catch(() => {});
    }
  }

  /** The server of a session is gone, and nobody said that it would. */
  async #died(session: Session): Promise<void> {
    if (this.#session !== session) return;
    this.#leave();
    this.#ends = [...this.#ends, performance.now()];
    const process = this.#process?.pid === session.lease.pid ? this.#process : undefined;
    await Promise.race([process?.ended ?? sleep(LAST_WORDS_MS), sleep(LAST_WORDS_MS)]);
    const problem = deathOf(process?.exit(), await this.output());
    // Stopped by the user meanwhile: it must not come back by itself.
    if (this.#state.kind === "stopped") return;
    // A request may have found or started another one meanwhile, unless it died too often for that.
    const again = this.#session !== undefined || this.#joining !== undefined;
    if (again && restartDelay(this.#ends, performance.now()) !== undefined) this.#deps.log.error(problem);
    else this.#ended(problem, undefined);
  }

  /** @param exit how a process ended that never had the lease */
  #ended(problem: string, exit: Exit | undefined): void {
    if (this.#disposed) return;
    const now = performance.now();
    this.#deps.log.error(problem);
    if (exit && REFUSED.includes(exit.code)) {
      // It said what is wrong and did not crash: the same start would end the same way.
      this.#enter({ kind: "failed", problem });
      return;
    }
    const delay = restartDelay(this.#ends, now);
    if (delay === undefined) {
      this.#giveUpJoining();
      this.#leave();
      const times = this.#ends.length - 1;
      const way = `It was restarted ${times} times; restart it by hand once the cause is gone.`;
      this.#enter({ kind: "failed", problem: `${problem} ${way}` });
      return;
    }
    this.#enter({ kind: "down", problem });
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(
      () => {
        // A failure is in the state, and the next request hears of it.
        this.#available().catch(() => {});
      },
      delay + Math.random() * SPREAD_MS,
    );
  }

  #leave(): void {
    this.#session?.leave();
    this.#session = undefined;
    this.#check = undefined;
  }

  #giveUpJoining(): void {
    this.#joining?.controller.abort(new RankError("unreachable", "The reward server was stopped."));
    this.#joining = undefined;
  }

  /** The user's own server, after it was seen to be one. */
  #connected(url: string): Promise<Endpoint> {
    if (this.#own?.url === url) return this.#own.endpoint;
    const own = { url, endpoint: this.#connect(url) };
    this.#own = own;
    own.endpoint.catch(() => {
      // Asked again at the next request: it may run by then.
      if (this.#own === own) this.#own = undefined;
    });
    return own.endpoint;
  }

  async #connect(url: string): Promise<Endpoint> {
    this.#enter({ kind: "starting" });
    try {
      const { endpoint, model, version } = await connectOwn(url, await this.#deps.foreignToken(url));
      this.#enter({ kind: "ready", url, own: true, model, version });
      return endpoint;
    } catch (error) {
      this.#enter({ kind: "down", problem: reasonOf(error) });
      throw error;
    }
  }

  #wantedFolder(): string {
    return leaseFolder(this.#deps.folder, this.#deps.options().engines);
  }

  #enter(state: ServerState): void {
    this.#state = state;
    this.#changed.fire(state);
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
