/** Owns the reward server: starts it when first needed, restarts it within a budget, knows how it is. */
import { randomBytes } from "node:crypto";
import { Emitter, type Event } from "./emitter.ts";
import { type Log, reasonOf } from "./log.ts";
import { LINE_LENGTH } from "./node-process.ts";
import { checkHealth, type Endpoint, RankError } from "./ranking/client.ts";
import { restartDelay } from "./restart-budget.ts";
import { hintFor } from "./server-hints.ts";
import { type Exit, type ServerProcess, startServer } from "./server-process.ts";

/** What people need to know of the server. `down` and `failed` carry a sentence with the way out. */
export type ServerState =
  /** Not needed yet, or stopped by the user. */
  | { readonly kind: "stopped" }
  | { readonly kind: "starting" }
  | {
      readonly kind: "ready";
      readonly url: string;
      /** The user's own, which we neither start nor stop. */
      readonly own: boolean;
      readonly model: string;
      readonly version: string;
    }
  /** Ended by itself; it starts again after a pause, or when it is needed. */
  | { readonly kind: "down"; readonly problem: string }
  /** Given up: other settings or the user start it again. */
  | { readonly kind: "failed"; readonly problem: string };

/** How the server is to be run; a change restarts it. */
export interface ServerOptions {
  /** A server of the user's own; none is started then. */
  readonly url: string;
  readonly model: string;
  readonly device: "auto" | "gpu" | "cpu";
}

export interface SupervisorDependencies {
  /** The program that runs JavaScript: the editor's own Node. */
  readonly execPath: string;
  readonly script: string;
  readonly log: Log;
  options(): ServerOptions;
  /** Token of the user's own server at this address; undefined when none was set. */
  foreignToken(url: string): Promise<string | undefined>;
}

export interface RewardServer {
  readonly state: ServerState;
  readonly onDidChange: Event<ServerState>;
  /**
   * Where it answers; starts it where needed and waits until it is ready.
   * @throws RankError unreachable with what is wrong; the signal's reason when aborted
   */
  endpoint(signal: AbortSignal): Promise<Endpoint>;
  /** Stops and starts it with the present options, and forgets earlier crashes. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Someone's connection to it broke: it is looked at again before the next use. */
  lost(endpoint: Endpoint, problem: string): void;
  /** Its last lines on stderr, oldest first. */
  output(): readonly string[];
}

/** Enough for a stack trace or the engine's words about memory. */
const OUTPUT_LINES = 200;
/** Lines in which the reason of an end is looked for. */
const LAST_LINES = 20;
/** Exit codes by which the command line says that it refused, rather than that it broke. */
const REFUSED: readonly (number | null)[] = [1, 2];

/** One start, and what became of it. */
interface Run {
  readonly process: ServerProcess;
  readonly endpoint: Promise<Endpoint>;
  readonly options: ServerOptions;
  /** Where it answers, once it does. */
  address: string | undefined;
}

export class Supervisor implements RewardServer {
  readonly #deps: SupervisorDependencies;
  readonly #changed = new Emitter<ServerState>();
  readonly #output: string[] = [];
  #state: ServerState = { kind: "stopped" };
  /** The process in use; one that is being stopped is none. */
  #run: Run | undefined;
  /** When it ended by itself. */
  #ends: readonly number[] = [];
  #restartTimer: NodeJS.Timeout | undefined;
  /** The user's own server, by its address. */
  #own: { readonly url: string; readonly endpoint: Promise<Endpoint> } | undefined;
  #disposed = false;

  readonly onDidChange: Event<ServerState> = this.#changed.event;

  constructor(deps: SupervisorDependencies) {
    this.#deps = deps;
  }

  get state(): ServerState {
    return this.#state;
  }

  output(): readonly string[] {
    return this.#output;
  }

  async endpoint(signal: AbortSignal): Promise<Endpoint> {
    signal.throwIfAborted();
    return orAborted(this.#available(), signal);
  }

  /** Starts it if it is not running, for a use that is about to come. Its failure is in the state. */
  warm(): void {
    if (this.#state.kind === "stopped") this.#available().catch(() => {});
  }

  lost(endpoint: Endpoint, problem: string): void {
    if (this.#own?.url === endpoint.url) {
      this.#own = undefined;
      this.#enter({ kind: "down", problem });
      return;
    }
    // Its end may be noticed only after its socket's: whoever asks next must not get the dead one.
    const run = this.#run;
    if (run?.address !== endpoint.url) return;
    run.process.kill();
    this.#ended(run, problem, undefined);
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#ends = [];
    await this.#available();
  }

  /** Restarts a running server whose options are no longer the present ones. */
  async optionsChanged(): Promise<void> {
    const { url, model, device } = this.#deps.options();
    const { options } = this.#run ?? {};
    const moved = this.#own !== undefined && this.#own.url !== url;
    const changed =
      options !== undefined && (url !== "" || model !== options.model || device !== options.device);
    if (this.#state.kind === "failed" || this.#state.kind === "down") {
      // Other options deserve a fresh try, when someone needs it.
      this.#ends = [];
      await this.stop();
    } else if (moved || changed) {
      // Nobody waits for it here: a failure is in the state.
      await this.restart().catch(() => {});
    }
  }

  async stop(): Promise<void> {
    clearTimeout(this.#restartTimer);
    this.#own = undefined;
    const run = this.#run;
    this.#run = undefined;
    this.#enter({ kind: "stopped" });
    await run?.process.end();
  }

  /** Ends the server with the extension; resolves when it is gone. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.stop();
    this.#changed.dispose();
  }

  #available(): Promise<Endpoint> {
    const { url } = this.#deps.options();
    if (url !== "") return this.#connected(url);
    if (this.#run) return this.#run.endpoint;
    if (this.#disposed) return Promise.reject(new RankError("unreachable", "CodeScaler is shutting down."));
    if (this.#state.kind === "failed") {
      return Promise.reject(new RankError("unreachable", this.#state.problem));
    }
    clearTimeout(this.#restartTimer);
    return this.#start().endpoint;
  }

  #start(): Run {
    const { execPath, script, log } = this.#deps;
    const options = this.#deps.options();
    const token = randomBytes(32).toString("base64url");
    const args = ["serve", "--exit-with-stdin", "--device", options.device];
    if (options.model !== "") args.push("--model", options.model);
    this.#enter({ kind: "starting" });
    log.info(`Starting the reward server: ${args.join(" ")}`);
    const process = startServer({ execPath, script, args, token, onOutput: (line) => this.#keep(line) });
    const run: Run = { process, endpoint: this.#whenReady(process, token), options, address: undefined };
    this.#run = run;
    run.endpoint.then(
      ({ url }) => {
        run.address = url;
      },
      // Whoever asked for it hears why.
      () => {},
    );
    process.ended.then((exit) => this.#ended(run, this.#deathOf(exit), exit));
    return run;
  }

  async #whenReady(process: ServerProcess, token: string): Promise<Endpoint> {
    const ready = await process.ready;
    if (!ready) throw new RankError("unreachable", this.#deathOf(await process.ended));
    const { url, model, version, pid } = ready;
    if (this.#run?.process === process) this.#enter({ kind: "ready", url, own: false, model, version });
    this.#deps.log.info(`Reward server ready: ${model} at ${url}, process ${pid}`);
    return { url, token };
  }

  /** The process is gone, and not because we ended it: then it is no longer the one in use. */
  #ended(run: Run, problem: string, exit: Exit | undefined): void {
    if (this.#run !== run) return;
    this.#run = undefined;
    const now = Date.now();
    this.#ends = [...this.#ends, now];
    this.#deps.log.error(problem);
    if (run.address === undefined && exit && REFUSED.includes(exit.code)) {
      // It said what is wrong and did not crash: the same start would end the same way.
      this.#enter({ kind: "failed", problem });
      return;
    }
    const delay = restartDelay(this.#ends, now);
    if (delay === undefined) {
      const times = this.#ends.length - 1;
      const way = `It was restarted ${times} times; restart it by hand once the cause is gone.`;
      this.#enter({ kind: "failed", problem: `${problem} ${way}` });
      return;
    }
    this.#enter({ kind: "down", problem });
    this.#restartTimer = setTimeout(() => {
      // A failure is in the state, and the next request hears of it.
      this.#available().catch(() => {});
    }, delay);
  }

  #deathOf({ code, signal }: Exit): string {
    const how = signal ? `signal ${signal}` : `code ${code}`;
    const last = [...this.#output.slice(-LAST_LINES), signal ?? ""].join("\n");
    return `The reward server ended (${how}). ${hintFor(last) ?? lastSentence(this.#output)}`;
  }

  #keep(line: string): void {
    const text = line.slice(0, LINE_LENGTH);
    this.#output.push(text);
    if (this.#output.length > OUTPUT_LINES) this.#output.shift();
    this.#deps.log.debug(`server: ${text}`);
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
      if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
        throw new RankError(
          "unreachable",
          `“${url}” is no address of a server. Set codescaler.server.url to one like http://127.0.0.1:8137.`,
        );
      }
      const endpoint = { url, token: (await this.#deps.foreignToken(url)) ?? "" };
      const { model, version } = await checkHealth(endpoint, new AbortController().signal);
      this.#enter({ kind: "ready", url, own: true, model: model ?? "", version });
      return endpoint;
    } catch (error) {
      this.#enter({ kind: "down", problem: reasonOf(error) });
      throw error;
    }
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

/** The last line that is a sentence for people rather than a record of the log. */
function lastSentence(output: readonly string[]): string {
  const sentence = output.findLast((line) => !line.startsWith("{") && !/^\s+at /.test(line));
  return sentence ?? "Its output says nothing; restart it with codescaler.device set to cpu.";
}
