/** Owns the reward server: starts it when first needed, restarts it within a budget, ends it softly, then hard. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Readable, Writable } from "node:stream";
import type { ReadyLine } from "../server/contract.ts";
import { Emitter, type Event } from "./emitter.ts";
import { type Log, reasonOf } from "./log.ts";
import { LINE_LENGTH, onLines, scriptEnvironment } from "./node-process.ts";
import { checkHealth, type Endpoint, RankError } from "./ranking/client.ts";
import { restartDelay } from "./restart-budget.ts";
import { hintFor } from "./server-hints.ts";

/** What people need to know of the server. `down` and `failed` carry a sentence with the way out. */
export type ServerState =
  /** Not needed yet, or stopped by the user. */
  | { readonly kind: "stopped" }
  | { readonly kind: "starting" }
  | {
      readonly kind: "ready";
      readonly url: string;
      readonly own: boolean;
      readonly model: string;
      readonly version: string;
    }
  /** Ended by itself; it starts again at once or after a pause. */
  | { readonly kind: "down"; readonly problem: string }
  /** Given up: only the user starts it again. */
  | { readonly kind: "failed"; readonly problem: string };

/** How the server is to be run; a change restarts it. */
export interface ServerOptions {
  /** A server of the user's own; our own is not started then. */
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
   * @throws RankError unreachable with what is wrong
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

/** A model of 8 billion parameters on a slow disk takes a minute; beyond this it hangs. */
const READY_TIMEOUT_MS = 180_000;
/** The server itself ends what still runs after 5 s. */
const SOFT_KILL_MS = 6000;
const HARD_KILL_MS = 2000;
/** Enough for a stack trace or the engine's words about memory. */
const OUTPUT_LINES = 200;

type ServerProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/** One start: the process and what became of it. */
interface Run {
  readonly process: ServerProcess;
  readonly ready: Promise<Endpoint>;
  readonly ended: Promise<void>;
  /** Where it answers, once it does. */
  address: string | undefined;
  /** Its end is our doing. */
  stopping: boolean;
  /** How it was asked to run. */
  readonly options: ServerOptions;
}

export class Supervisor implements RewardServer {
  readonly #deps: SupervisorDependencies;
  readonly #changed = new Emitter<ServerState>();
  readonly #output: string[] = [];
  #state: ServerState = { kind: "stopped" };
  #run: Run | undefined;
  #ends: number[] = [];
  #restartTimer: NodeJS.Timeout | undefined;
  /** The user's own server once it was seen to answer, by its address. */
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
    const { url } = this.#deps.options();
    return orAborted(url === "" ? this.#started() : this.#connected(url), signal);
  }

  /** Starts it if it is not running, for a use that is about to come. Its failure is in the state. */
  warm(): void {
    if (this.#state.kind === "stopped") this.endpoint(new AbortController().signal).catch(() => {});
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
    this.#deps.log.warn(problem);
    run.process.kill("SIGKILL");
    this.#ended(run, run.process.exitCode, run.process.signalCode);
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#ends = [];
    const { url } = this.#deps.options();
    await (url === "" ? this.#started() : this.#connected(url));
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
    if (run) await end(run);
  }

  /** Ends the server with the extension; resolves when it is gone. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.stop();
    this.#changed.dispose();
  }

  #started(): Promise<Endpoint> {
    if (this.#run) return this.#run.ready;
    if (this.#disposed) return Promise.reject(new RankError("unreachable", "CodeScaler is shutting down."));
    if (this.#state.kind === "failed") {
      return Promise.reject(new RankError("unreachable", this.#state.problem));
    }
    clearTimeout(this.#restartTimer);
    const run = this.#start();
    this.#run = run;
    return run.ready;
  }

  #start(): Run {
    const { execPath, script, log } = this.#deps;
    const options = this.#deps.options();
    const { model, device } = options;
    const token = randomBytes(32).toString("base64url");
    const args = [script, "serve", "--exit-with-stdin", "--device", device];
    if (model !== "") args.push("--model", model);
    this.#enter({ kind: "starting" });
    log.info(`Starting the reward server: ${args.slice(1).join(" ")}`);
    const child = spawn(execPath, args, {
      env: scriptEnvironment(process.env, { CODESCALER_TOKEN: token }),
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
    });
    // A pipe whose reader died must not end the extension host; the process's end is what is acted upon.
    child.stdin.on("error", () => {});
    child.stderr.setEncoding("utf8");
    onLines(child.stderr, (line) => this.#keep(line));
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const ready = this.#whenReady(child, token);
    const run: Run = { process: child, ready, ended, options, address: undefined, stopping: false };
    ready.then(
      ({ url }) => {
        run.address = url;
      },
      () => {
        // Whoever asked for the endpoint hears the reason; a process that never became ready is of no use.
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      },
    );
    child.once("close", (code, signal) => this.#ended(run, code, signal));
    child.once("error", (error) => {
      this.#keep(`The process cannot be started: ${error.message}`);
    });
    return run;
  }

  #whenReady(child: ServerProcess, token: string): Promise<Endpoint> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new RankError(
            "unreachable",
            `The reward server was not ready after ${READY_TIMEOUT_MS / 1000} s. Choose a smaller reward model, or see its output.`,
          ),
        );
      }, READY_TIMEOUT_MS);
      child.stdout.setEncoding("utf8");
      onLines(child.stdout, (line) => {
        const ready = readyLine(line);
        if (!ready) return;
        clearTimeout(timer);
        this.#enter({
          kind: "ready",
          url: ready.url,
          own: false,
          model: ready.model,
          version: ready.version,
        });
        this.#deps.log.info(`Reward server ready: ${ready.model} at ${ready.url}, process ${ready.pid}`);
        resolve({ url: ready.url, token });
      });
      child.once("close", (code, signal) => {
        clearTimeout(timer);
        reject(new RankError("unreachable", this.#deathOf(code, signal)));
      });
      child.once("error", (error) => {
        clearTimeout(timer);
        reject(new RankError("unreachable", `The reward server cannot be started: ${error.message}.`));
      });
    });
  }

  /** The process is gone, by its own doing or ours. */
  #ended(run: Run, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#run !== run) return;
    this.#run = undefined;
    if (run.stopping || this.#disposed) return;
    const now = Date.now();
    this.#ends = [...this.#ends, now];
    const problem = this.#deathOf(code, signal);
    const refused = run.address === undefined && (code === 1 || code === 2);
    const delay = restartDelay(this.#ends, now);
    this.#deps.log.error(problem);
    if (refused) {
      // It said what is wrong and did not crash: the same start would end the same way.
      this.#enter({ kind: "failed", problem });
      return;
    }
    if (delay === undefined) {
      this.#enter({
        kind: "failed",
        problem: `${problem} It was restarted ${this.#ends.length - 1} times; restart it by hand once the cause is gone.`,
      });
      return;
    }
    this.#enter({ kind: "down", problem });
    this.#restartTimer = setTimeout(() => {
      // A failure is in the state, and the next request hears of it.
      this.#started().catch(() => {});
    }, delay);
  }

  #deathOf(code: number | null, signal: NodeJS.Signals | null): string {
    const how = signal ? `signal ${signal}` : `code ${code}`;
    const last = this.#output.slice(-20).join("\n");
    const hint = hintFor(`${last}\n${signal ?? ""}`) ?? lastSentence(this.#output);
    return `The reward server ended (${how}). ${hint}`;
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
    const endpoint = this.#connect(url);
    const own = { url, endpoint };
    this.#own = own;
    endpoint.catch(() => {
      // Asked again at the next request: it may run by then.
      if (this.#own === own) this.#own = undefined;
    });
    return endpoint;
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

/** Ends a run: its stdin first, which it obeys; then by signals. */
async function end(run: Run): Promise<void> {
  run.stopping = true;
  const { process: child, ended } = run;
  child.stdin.end();
  if (await within(ended, SOFT_KILL_MS)) return;
  child.kill("SIGTERM");
  if (await within(ended, HARD_KILL_MS)) return;
  child.kill("SIGKILL");
  await ended;
}

async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function readyLine(line: string): ReadyLine | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isReady =
      typeof value === "object" && value !== null && "url" in value && "pid" in value && "model" in value;
    return isReady ? (value as ReadyLine) : undefined;
  } catch {
    return undefined;
  }
}

/** The last line that is a sentence for people rather than a record of the log. */
function lastSentence(output: readonly string[]): string {
  const sentence = output.findLast((line) => !line.startsWith("{") && !/^\s+at /.test(line));
  return sentence ?? "Its output says nothing; restart it with codescaler.device set to cpu.";
}
