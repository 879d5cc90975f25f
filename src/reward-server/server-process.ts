/** Starts the reward server that all windows share: it outlives this window, and speaks through a file. */
import { spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openFile } from "../../shared/regular-file.ts";
import { LOG_FILE } from "../../shared/sharing/lease.ts";
import { isPrivate } from "../../shared/sharing/read-lease.ts";
import { scriptEnvironment } from "../base/node-process.ts";

export interface ServerCommand {
  /** The program that runs JavaScript: the editor's own Node. */
  readonly execPath: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Of its lease and its log, for this user only. */
  readonly folder: string;
  /** Beside the editor's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A line of the log that begins so stands before all that a server says. */
export const START_MARK = "Starting: ";

/** How a process ended; both null when it could not be started. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  readonly ended: Promise<Exit>;
  /** How it ended; undefined while it runs. */
  exit(): Exit | undefined;
  kill(): void;
}

/** @throws Error when its folder cannot be used */
export async function startServer({
  execPath,
  script,
  args,
  folder,
  env,
}: ServerCommand): Promise<ServerProcess> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!(await isPrivate(folder))) {
    throw new Error(
      `${folder} is open to other users, so no access token is kept there. Make it yours alone (chmod 700), or remove it.`,
    );
  }
  const logFile = join(folder, LOG_FILE);
  const log = await openFile(logFile, "append");
  try {
    // What stands before it in the log is of another server.
    await log.appendFile(`${START_MARK}${args.join(" ")}\n`);
    const child = spawn(execPath, [script, ...args], {
      env: scriptEnvironment(process.env, env),
      // Of its own session, and with nothing of ours but the log: the end of this window is not its end.
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      // A workspace that a process stands in cannot be removed on Windows.
      cwd: folder,
      windowsHide: true,
    });
    child.unref();
    let exit: Exit | undefined;
    const ended = new Promise<Exit>((resolve) => {
      const settle = (how: Exit, words: string) => {
        exit = how;
        // Other windows only see that it is gone, and read here why.
        note(logFile, words).then(
          () => resolve(how),
          () => resolve(how),
        );
      };
      child.once("exit", (code, signal) => {
        if (code === 0) {
          exit = { code, signal };
          resolve(exit);
        } else settle({ code, signal }, `Process ${child.pid} ended with ${signal ?? `code ${code}`}.`);
      });
      child.once("error", (error) => {
        if (child.pid !== undefined) return;
        settle({ code: null, signal: null }, `The process cannot be started: ${error.message}`);
      });
    });
    return { pid: child.pid, ended, exit: () => exit, kill: () => child.kill("SIGKILL") };
  } finally {
    await log.close();
  }
}

async function note(logFile: string, words: string): Promise<void> {
  const log = await openFile(logFile, "append");
  try {
    await log.appendFile(`${words}\n`);
  } finally {
    await log.close();
  }
}
