/**
 * Which builds took a process down while it loaded on them. A mark is set before the GPU is touched and taken away when
 * that went well, or failed in words. A mark whose process is gone means a crash, a hang that was ended, or a power cut.
 */
import { randomUUID } from "node:crypto";
import { unlinkSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isRunning } from "../models/disk.ts";
import { cacheFolder } from "../models/folders.ts";

/** After so many crashes a build is left alone; the first may have been a power cut, or too little memory. */
export const MAX_CRASHES = 2;
/** Crashes are forgotten after a day. */
const FORGET_MS = 24 * 60 * 60 * 1000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Mark {
  /** The GPU did what it should, or failed in words. */
  clear(): Promise<void>;
  /** Leaves the mark for the next start to find: what was begun does not end. */
  keep(): void;
}

function marksFolder(): string {
  return join(cacheFolder(), "devices-tried");
}

/** How often a process was lost on this build lately. */
export async function crashes(key: string, now: number = Date.now()): Promise<number> {
  const folder = marksFolder();
  let count = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const [pid, ...rest] = (await readFile(path, "utf8").catch(() => "")).split(" ");
    const stats = await stat(path).catch(() => undefined);
    if (stats === undefined) continue;
    if (now - stats.mtimeMs > FORGET_MS) await rm(path, { force: true });
    else if (rest.join(" ") === key && (pid === "lost" || !isRunning(Number(pid)))) count++;
  }
  return count;
}

/** Forgets crashes of a build, or of all. */
export async function forgetCrashes(key?: string): Promise<void> {
  const folder = marksFolder();
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const [pid, ...rest] = (await readFile(path, "utf8").catch(() => "")).split(" ");
    const running = pid !== "lost" && isRunning(Number(pid));
    if (!running && (key === undefined || rest.join(" ") === key)) await rm(path, { force: true });
  }
}

/**
 * Marks that this process now tries a build. An orderly end of the process takes the mark away, so that Ctrl-C is no
 * crash. Where it cannot be written there is no protection from crash loops but the supervisor's restart budget.
 */
export async function mark(key: string): Promise<Mark> {
  const path = join(marksFolder(), randomUUID());
  try {
    await mkdir(marksFolder(), { recursive: true });
    await writeFile(path, `${process.pid} ${key}`);
  } catch {
    return { clear: async () => {}, keep: () => {} };
  }
  const remove = (): void => {
    try {
      unlinkSync(path);
    } catch {
      // It was forgotten meanwhile.
    }
  };
  const ended = (signal: NodeJS.Signals): void => {
    remove();
    // Ours alone: without a listener the signal would have ended the process.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const release = (): void => {
    process.removeListener("exit", remove);
    for (const signal of SIGNALS) process.removeListener(signal, ended);
  };
  process.once("exit", remove);
  for (const signal of SIGNALS) process.once(signal, ended);
  return {
    async clear() {
      release();
      remove();
    },
    keep: release,
  };
}
