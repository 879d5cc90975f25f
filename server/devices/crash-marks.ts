/**
 * Which builds took a process down while it worked on a GPU through them. A mark is set before the GPU is touched and
 * taken away when that went well, or failed in words. A mark whose process is gone means a crash, a hang that was ended,
 * a kill by force, or a power cut.
 */
import { randomUUID } from "node:crypto";
import { unlinkSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isRunning } from "../files/disk.ts";
import { cacheFolder } from "../files/folders.ts";

/** What a process does on a GPU: it loads a model, or ranks with one that is loaded. */
export type GpuWork = "loading" | "scoring";

/**
 * After so many losses a build is left alone. The first may have been a power cut, or too little memory; and whoever
 * scores without a pause is ended by force there, if anywhere. An editor starts a server four times.
 */
const MAX_LOST: Readonly<Record<GpuWork, number>> = { loading: 2, scoring: 3 };
const DOING: Readonly<Record<GpuWork, string>> = {
  loading: "loaded a model there",
  scoring: "ranked with a model there",
};
/** Losses are forgotten after a day. */
const FORGET_MS = 24 * 60 * 60 * 1000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** How often a process was lost on a build lately. */
export type Losses = Readonly<Record<GpuWork, number>>;

export interface Mark {
  /** The GPU did what it should, or failed in words. */
  clear(): void;
  /** Leaves the mark for the next start to find: what was begun does not end. */
  keep(): void;
}

/** A mark as it lies on the disk. */
interface FoundMark {
  readonly path: string;
  readonly work: GpuWork;
  readonly key: string;
  /** Its process is gone. */
  readonly lost: boolean;
}

/** Marks of this process, by path: an orderly end takes them away. */
const held = new Set<string>();

function marksFolder(): string {
  return join(cacheFolder(), "crash-marks");
}

/** How often a process was lost on this build lately. */
export async function losses(key: string, now: number = Date.now()): Promise<Losses> {
  const lost = { loading: 0, scoring: 0 };
  for (const mark of await allMarks(now)) if (mark.lost && mark.key === key) lost[mark.work]++;
  return lost;
}

/** Why a build that lost so many processes is left alone, as a part of a sentence; undefined while it is not. */
export function leftAlone(lost: Losses): string | undefined {
  for (const work of ["loading", "scoring"] as const) {
    if (lost[work] >= MAX_LOST[work])
      return `the program was lost ${lost[work]} times while it ${DOING[work]}`;
  }
  return undefined;
}

/** Forgets losses: all, or those of a build, or those of a build at one kind of work. */
export async function forgetLosses(key?: string, work?: GpuWork): Promise<void> {
  for (const mark of await allMarks(Date.now())) {
    const meant = (key === undefined || mark.key === key) && (work === undefined || mark.work === work);
    if (mark.lost && meant) await rm(mark.path, { force: true });
  }
}

/**
 * Marks that this process now works on a build. An orderly end of the process takes the mark away, so that Ctrl-C is no
 * loss. Where it cannot be written there is no protection from crash loops but the supervisor's restart budget.
 */
export async function mark(key: string, work: GpuWork): Promise<Mark> {
  const path = join(marksFolder(), randomUUID());
  listen();
  // Before it is written: another look of this process must not take it for one of an earlier process of this number.
  held.add(path);
  try {
    await mkdir(marksFolder(), { recursive: true });
    await writeFile(path, `${process.pid} ${work} ${key}`);
  } catch {
    // Nothing to protect with; what was written of it goes with `clear`.
  }
  return {
    clear: () => {
      if (held.delete(path)) remove(path);
    },
    keep: () => {
      held.delete(path);
    },
  };
}

/** What lies there and is no older than a day; older marks are removed. */
async function allMarks(now: number): Promise<FoundMark[]> {
  const folder = marksFolder();
  const found: FoundMark[] = [];
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats === undefined) continue;
    if (now - stats.mtimeMs > FORGET_MS) {
      await rm(path, { force: true });
      continue;
    }
    const parts = /^(\d+) (loading|scoring) (.*)$/.exec(await readFile(path, "utf8").catch(() => ""));
    if (parts === null) continue;
    const [, pid, work, key = ""] = parts;
    // In a container every server may have the same number: only what this process holds is its own.
    const lost = Number(pid) === process.pid ? !held.has(path) : !isRunning(Number(pid));
    found.push({ path, work: work === "scoring" ? work : "loading", key, lost });
  }
  return found;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was forgotten meanwhile, or could not be written.
  }
}

function removeHeld(): void {
  for (const path of held) remove(path);
  held.clear();
}

let listening = false;

/** Once for all marks, and for good: listeners that come and go with each request would be a warning, and a race. */
function listen(): void {
  if (listening) return;
  listening = true;
  process.on("exit", removeHeld);
  for (const signal of SIGNALS) {
    const ended = (): void => {
      // Whoever else listens ends the process in its own time; work goes on until then.
      if (process.listenerCount(signal) > 1) return;
      removeHeld();
      process.removeListener(signal, ended);
      process.kill(process.pid, signal);
    };
    // First of all, before listeners that hear a signal once have been taken away.
    process.prependListener(signal, ended);
  }
}
