/** Where chaos happens: a home on a small disk of its own, copies of the program in two versions, and its processes. */
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../../server/files/package-files.ts";
import { VERSION } from "../../../shared/contract.ts";
import { LEASE_FILE, type Lease, parseLease, runtimeFolder } from "../../../shared/sharing/lease.ts";
import { bundledProgram, serverOfVersion, startWindow } from "../../helpers/window-process.ts";
import type { Action } from "./schedule.ts";
import type { Answer, Order, WindowSettings } from "./window.ts";

/** Room for a model beside what the program leaves free (64 MiB). */
const DISK_BYTES = 128 * 2 ** 20;

/** A copy of the program, which no build beside the test can change. */
export interface Program {
  readonly version: string;
  readonly script: string;
}

/** A failure that a process ran into. */
export interface Fired {
  readonly id: string;
  readonly step: string;
  readonly action: Action;
  readonly pid: number;
}

/** A process of this world. */
export interface Member {
  readonly pid: number;
  readonly command: string;
}

/** A line of test/server/chaos/window.ts. */
interface Said {
  readonly id?: number;
  readonly answer?: Answer;
}

export interface Window {
  readonly pid: number;
  /** Undefined when the window ends before it answers. */
  tell(order: Order): Promise<Answer | undefined>;
  kill(): void;
}

export class World {
  readonly #base = mkdtempSync(join(tmpdir(), "codescaler-chaos-"));
  readonly #control = join(this.#base, "control");
  readonly home = join(this.#base, "home");
  readonly models = join(this.home, "models");
  /** Of lease, lock and log. */
  readonly run = runtimeFolder({
    env: { CODESCALER_HOME: this.home },
    platform: process.platform,
    home: "",
    host: hostname(),
  });
  /** Whether the home is a disk of its own, which can be filled: only the superuser can have one. */
  readonly ownDisk: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly now: Program;
  readonly next: Program;
  #armed = 0;
  #windowScript = "";

  private constructor() {
    mkdirSync(this.home);
    mkdirSync(this.#control);
    this.ownDisk = mounted(this.home);
    this.env = {
      ...process.env,
      CODESCALER_THREADS: "1",
      CODESCALER_HOME: this.home,
      // The last server ends soon after the last window, so that it can be seen that it does.
      CODESCALER_EXIT_AFTER: "5",
      CHAOS_FOLDER: this.#control,
    };
    delete this.env["CODESCALER_TOKEN"];
    this.now = this.#program("now", VERSION);
    this.next = this.#program("next", "99.0.0");
  }

  static async make(): Promise<World> {
    const world = new World();
    world.#windowScript = join(world.#base, "window.mjs");
    const program = join(packageRoot, "test", "server", "chaos", "window.ts");
    writeFileSync(world.#windowScript, await bundledProgram(program));
    return world;
  }

  window(settings: Partial<WindowSettings> = {}): Window {
    const all: WindowSettings = { ...this.now, url: "", token: "", ...settings };
    const { pid, ask, kill } = startWindow<Said>(this.#windowScript, all, this.env);
    return { pid, tell: async (order) => (await ask(order))?.answer, kill: () => void kill() };
  }

  /** The first process that gets there for the nth time takes the failure. */
  arm(step: string, action: Action, nth: number): string {
    const id = String(++this.#armed);
    writeFileSync(join(this.#control, "armed"), JSON.stringify({ id, step, action, nth }));
    return id;
  }

  disarm(): void {
    rmSync(join(this.#control, "armed"), { force: true });
  }

  fired(): Fired[] {
    const path = join(this.#control, "fired");
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, "utf8").trim().split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  }

  lease(): Lease | undefined {
    try {
      return parseLease(readFileSync(join(this.run, LEASE_FILE), "utf8"));
    } catch {
      return undefined;
    }
  }

  /** Everything that runs in this home, whoever started it and whether or not its parent lives. */
  members(): Member[] {
    const mark = `CODESCALER_HOME=${this.home}\0`;
    return readdirSync("/proc").flatMap((name) => {
      const pid = Number(name);
      if (!Number.isInteger(pid) || pid === process.pid) return [];
      try {
        if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(mark)) return [];
        // A process that ended and whose parent has not asked yet has no command.
        const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
        return command === "" ? [] : [{ pid, command }];
      } catch {
        return [];
      }
    });
  }

  /** Takes all room that the home's disk has. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.home);
    writeFileSync(join(this.home, "filler"), Buffer.alloc(bavail * bsize));
  }

  free(): void {
    rmSync(join(this.home, "filler"), { force: true });
  }

  dispose(): void {
    for (const { pid } of this.members()) signal(pid, "SIGKILL");
    if (this.ownDisk) execFileSync("umount", ["--lazy", this.home]);
    rmSync(this.#base, { recursive: true, force: true });
  }

  /** A copy of the built program that says to be of this version, behind the failpoints. */
  #program(name: string, version: string): Program {
    const folder = join(this.#base, name);
    mkdirSync(join(folder, "dist"), { recursive: true });
    symlinkSync(join(packageRoot, "node_modules"), join(folder, "node_modules"));
    mkdirSync(join(folder, "media"));
    for (const file of ["nano.gguf", "golden.gguf", "golden.json"]) {
      cpSync(join(packageRoot, "media", file), join(folder, "media", file));
    }
    symlinkSync(join(packageRoot, "dist", "grammars"), join(folder, "dist", "grammars"));
    cpSync(join(packageRoot, "dist", "vocabulary.wasm"), join(folder, "dist", "vocabulary.wasm"));
    cpSync(join(packageRoot, "package.json"), join(folder, "package.json"));
    const program = join(folder, "dist", "server.js");
    writeFileSync(program, serverOfVersion(version));
    const script = join(folder, "dist", "chaos.cjs");
    const failpoints = join(packageRoot, "test", "server", "chaos", "failpoints.cjs");
    writeFileSync(
      script,
      [failpoints, program].map((file) => `require(${JSON.stringify(file)});\n`).join(""),
    );
    return { version, script };
  }
}

/** Sends a signal to a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is gone, which is as good.
  }
}

/** Resident memory in bytes and open descriptors of a process; undefined when it is gone. */
export function sizeOf(pid: number): { readonly bytes: number; readonly descriptors: number } | undefined {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
    return { bytes: pages * 4096, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

function mounted(folder: string): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
