/** One start of the reward server: its process, its ready line, its end. What follows from them is the supervisor's. */
import { spawn } from "node:child_process";
import type { ReadyLine } from "../server/contract.ts";
import { onLines, scriptEnvironment } from "./node-process.ts";

export interface ServerCommand {
  /** The program that runs JavaScript: the editor's own Node. */
  readonly execPath: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly token: string;
  /** Called with every line on stderr. */
  readonly onOutput: (line: string) => void;
}

/** How a process ended; both null when it could not be started. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  /** Undefined when the process ended, or the time was over, before it was ready. */
  readonly ready: Promise<ReadyLine | undefined>;
  readonly ended: Promise<Exit>;
  kill(): void;
  /** Ends it softly, then hard; resolves when it is gone. */
  end(): Promise<void>;
}

/** A model of 8 billion parameters on a slow disk takes a minute; beyond this it hangs. */
export const READY_TIMEOUT_MS = 180_000;
/** The server itself ends what still runs after 5 s. */
const SOFT_KILL_MS = 6000;
const HARD_KILL_MS = 2000;

export function startServer({ execPath, script, args, token, onOutput }: ServerCommand): ServerProcess {
  const child = spawn(execPath, [script, ...args], {
    env: scriptEnvironment(process.env, { CODESCALER_TOKEN: token }),
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  // A pipe whose reader died must not end the extension host; the process's end is what is acted upon.
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8");
  child.stderr.setEncoding("utf8");
  onLines(child.stderr, onOutput);

  const ended = new Promise<Exit>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("error", (error) => {
      onOutput(`The process cannot be started: ${error.message}`);
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  const ready = new Promise<ReadyLine | undefined>((resolve) => {
    const timer = setTimeout(() => {
      onOutput(`The server was not ready after ${READY_TIMEOUT_MS / 1000} s and was ended.`);
      child.kill("SIGKILL");
      resolve(undefined);
    }, READY_TIMEOUT_MS);
    const settle = (line: ReadyLine | undefined) => {
      clearTimeout(timer);
      resolve(line);
    };
    onLines(child.stdout, (line) => {
      const found = readyLine(line);
      if (found) settle(found);
    });
    ended.then(() => settle(undefined));
  });
  const gone = ended.then(() => {});
  return {
    ready,
    ended,
    kill: () => child.kill("SIGKILL"),
    async end() {
      child.stdin.end();
      if (await within(gone, SOFT_KILL_MS)) return;
      child.kill("SIGTERM");
      if (await within(gone, HARD_KILL_MS)) return;
      child.kill("SIGKILL");
      await gone;
    },
  };
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
