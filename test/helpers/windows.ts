/** Windows of the editor as processes, a home of their own for the server they share, and what is left of both. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot, serverScript } from "../../server/files/package-files.ts";
import { VERSION } from "../../shared/contract.ts";
import { LEASE_FILE, type Lease, LOG_FILE, parseLease, runtimeFolder } from "../../shared/sharing/lease.ts";
import { bundledProgram, startWindow } from "./window-process.ts";

export interface WindowSettings {
  readonly script: string;
  readonly version: string;
  readonly model: string;
  /** Engines on other hosts. */
  readonly engines: readonly string[];
}

export type Order =
  | { readonly do: "join" | "stop" | "restart" | "leave" }
  | {
      readonly do: "rank";
      readonly candidates: number;
      readonly lines: number;
      /** Stands in question and code. */
      readonly secret: string;
    };

/** A line of test/helpers/window.ts. */
interface Said {
  readonly id?: number;
  readonly value?: unknown;
  readonly error?: string;
  readonly state?: { readonly kind: string };
}

export interface Window {
  readonly pid: number;
  /** Kinds of the states it was in, in order. */
  readonly states: readonly string[];
  /** Rejects with the window's own words. */
  tell(order: Order): Promise<unknown>;
  kill(): Promise<void>;
}

/** A small request: the answer comes at once. */
export const SMALL = { do: "rank", candidates: 2, lines: 2, secret: "small" } as const satisfies Order;
/** A request that takes the embedded model the better part of a second. */
export const LARGE = { do: "rank", candidates: 24, lines: 30, secret: "large" } as const satisfies Order;

/** A home for one test: models, lease and log of nobody else. */
export class Home {
  readonly path = mkdtempSync(join(tmpdir(), "codescaler-windows-"));
  readonly folder = runtimeFolder({
    env: { CODESCALER_HOME: this.path },
    platform: process.platform,
    home: "",
    host: hostname(),
  });
  readonly #env: NodeJS.ProcessEnv;
  readonly #windows: Window[] = [];
  readonly #servers = new Set<number>();

  constructor(env: NodeJS.ProcessEnv = {}) {
    this.#env = { ...process.env, CODESCALER_THREADS: "1", CODESCALER_HOME: this.path, ...env };
    delete this.#env["CODESCALER_TOKEN"];
  }

  get env(): NodeJS.ProcessEnv {
    return this.#env;
  }

  async window(settings: Partial<WindowSettings> = {}): Promise<Window> {
    const script = join(this.path, "window.mjs");
    writeFileSync(script, await windowProgram());
    const all: WindowSettings = {
      script: serverScript,
      version: VERSION,
      model: "",
      engines: [],
      ...settings,
    };
    const states: string[] = [];
    const child = startWindow<Said>(script, all, this.#env, ({ state }) => {
      if (state) states.push(state.kind);
    });
    const window: Window = {
      pid: child.pid,
      states,
      tell: async (order) => {
        const answer = await child.ask(order);
        if (answer?.error !== undefined) throw new Error(answer.error);
        return answer?.value;
      },
      kill: child.kill,
    };
    this.#windows.push(window);
    return window;
  }

  lease(): Lease | undefined {
    const path = join(this.folder, LEASE_FILE);
    const lease = existsSync(path) ? parseLease(readFileSync(path, "utf8")) : undefined;
    if (lease) this.#servers.add(lease.pid);
    return lease;
  }

  /** How many servers got the lease and said so. */
  starts(): number {
    return this.log().split('"msg":"ready"').length - 1;
  }

  log(): string {
    const path = join(this.folder, LOG_FILE);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  /** Names in the runtime folder besides the log. */
  left(): string[] {
    return existsSync(this.folder) ? readdirSync(this.folder).filter((name) => name !== LOG_FILE) : [];
  }

  async dispose(): Promise<void> {
    for (const window of this.#windows) await window.kill();
    this.lease();
    for (const pid of this.#servers) if (isRunning(pid)) process.kill(pid, "SIGKILL");
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits until something holds; a test that waits in vain ends by its own time limit, with what it waited for. */
export async function until<T>(what: string, holds: () => T | undefined | false): Promise<T> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const value = holds();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`It never came to: ${what}.`);
}

let bundled: Promise<string> | undefined;

/** The text of the window's program, bundled once. */
function windowProgram(): Promise<string> {
  bundled ??= bundledProgram(join(packageRoot, "test", "helpers", "window.ts"));
  return bundled;
}
