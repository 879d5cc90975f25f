/**
 * Chaos: five windows rank without a pause, while in every round one thing goes wrong: a process is killed or frozen at
 * a named step, a connection breaks, the disk is full, another version takes over. Nothing may be lost, wrong or left.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LOG_FILE, leaseUrl } from "../../../shared/sharing/lease.ts";
import { call } from "../../helpers/server-process.ts";
import { Downloads } from "./downloads.ts";
import { FaultInjector } from "./fault-injector.ts";
import { OwnServer } from "./program.ts";
import { BadLines } from "./proxy.ts";
import { type Deed, deeds, nameOf, Random } from "./schedule.ts";
import { difference, newRequest, type Request, type Rewards, Seat } from "./seat.ts";
import { requireSteady, type Size } from "./sizes.ts";
import { type Member, signal, sizeOf, World } from "./world.ts";

export interface ChaosOptions {
  readonly seed: number;
  /** Whether there is to be another round after so many. */
  more(rounds: number): boolean;
  /** Also freezes servers until others have replaced them, which takes half a minute each time. */
  readonly hang: boolean;
  say(line: string): void;
}

export interface ChaosReport {
  rounds: number;
  answered: number;
  /** Requests that were sent, with those that were sent again. */
  asked: number;
  /** How often a user had to start the server by hand, because it had died five times in five minutes. */
  restarted: number;
  readonly failures: Record<string, number>;
  /** Deed → how often it happened; and how often nobody got to the step. */
  readonly deeds: Record<string, { happened: number; missed: number }>;
  /** The last server, three times while nothing went wrong any more; the window that lived longest, all along. */
  readonly server: Size[];
  readonly window: Size[];
}

/** Windows of the shared server; one more has a server of its own. */
const SHARED = 4;
const TOKEN = "chaos-token";
/** Rounds without a fault at the end, each third of which is measured. */
const CALM_ROUNDS = 9;
/** So often a deed is tried that did not happen. */
const ATTEMPTS = 4;

/** @throws Error with the first thing that was lost, wrong or left, and the round it was in */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const world = await World.make();
  const chaos = new Chaos(world, options);
  try {
    return await chaos.run();
  } catch (error) {
    const log = existsSync(join(world.run, LOG_FILE)) ? readFileSync(join(world.run, LOG_FILE), "utf8") : "";
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`Seed ${options.seed}: ${message}\nThe log's end:\n${log.slice(-4000)}`, {
      cause: error,
    });
  } finally {
    await chaos.close();
    world.dispose();
  }
}

class Chaos {
  readonly #world: World;
  readonly #options: ChaosOptions;
  readonly #random: Random;
  readonly #lines: BadLines;
  readonly #own: OwnServer;
  /** Answers every request once more, and nothing happens to it. */
  readonly #reference: OwnServer;
  readonly #seats: Seat[] = [];
  #downloads: Downloads | undefined;
  #requests = 0;
  readonly #report: ChaosReport = {
    rounds: 0,
    answered: 0,
    asked: 0,
    restarted: 0,
    failures: {},
    deeds: {},
    server: [],
    window: [],
  };

  constructor(world: World, options: ChaosOptions) {
    this.#world = world;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#lines = new BadLines(this.#random);
    this.#own = new OwnServer(world.now.script, world.env, TOKEN);
    this.#own.onPort = (port) => {
      this.#lines.target = port;
    };
    const apart = { ...world.env, CODESCALER_HOME: join(world.home, "..", "reference") };
    this.#reference = new OwnServer(join(world.now.script, "..", "server.js"), apart, TOKEN);
  }

  async run(): Promise<ChaosReport> {
    this.#downloads = await Downloads.start(this.#world);
    const url = await this.#lines.listen();
    for (let index = 0; index < SHARED; index++) this.#seats.push(new Seat(this.#world));
    this.#seats.push(new Seat(this.#world, { url, token: TOKEN }));
    const faults = new FaultInjector({
      world: this.#world,
      random: this.#random,
      lines: this.#lines,
      downloads: this.#downloads,
      seats: this.#seats.slice(0, SHARED),
      newRequest: () => this.#newRequest(),
    });
    const all = deeds(this.#options.hang).filter(({ step }) => step !== "disk" || this.#world.ownDisk);
    let waiting: Deed[] = [];
    while (this.#options.more(this.#report.rounds)) {
      if (waiting.length === 0) waiting = this.#random.shuffled(all);
      const deed = waiting.shift();
      // Windows may find a server just when one was to start: then nobody got to the step.
      for (let attempt = 0; deed && attempt < ATTEMPTS && !(await this.#round(deed, faults)); attempt++);
      this.#report.rounds++;
    }
    for (let round = 0; round < CALM_ROUNDS; round++) {
      await this.#round(undefined, faults);
      if ((round + 1) % (CALM_ROUNDS / 3) === 0) this.#measure();
    }
    requireSteady(this.#report);
    await this.#leave();
    for (const seat of this.#seats) {
      this.#report.asked += seat.asked;
      this.#report.restarted += seat.restarted;
      for (const [code, times] of seat.failures) {
        this.#report.failures[code] = (this.#report.failures[code] ?? 0) + times;
      }
    }
    return this.#report;
  }

  async close(): Promise<void> {
    await Promise.all([
      this.#own.close(),
      this.#reference.close(),
      this.#lines.close(),
      this.#downloads?.close(),
    ]);
  }

  /**
   * All windows ask; meanwhile the deed is done, and its traces are looked after.
   * @returns whether it happened
   */
  async #round(deed: Deed | undefined, faults: FaultInjector): Promise<boolean> {
    const name = deed === undefined ? "nothing" : nameOf(deed);
    this.#options.say(`round ${this.#report.rounds}: ${name}`);
    const before = this.#world.fired().length;
    const watching = new AbortController();
    const watched = this.#thaw(before, watching.signal);
    let done = true;
    try {
      const doing = deed && faults.inject(deed);
      await Promise.all([doing, ...this.#seats.map((seat) => this.#ask(seat))]);
      if (deed !== undefined) {
        this.#world.disarm();
        const count = this.#report.deeds[name] ?? { happened: 0, missed: 0 };
        done = !("action" in deed) || this.#world.fired().length > before;
        if (done) count.happened++;
        else count.missed++;
        this.#report.deeds[name] = count;
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`round ${this.#report.rounds} (${name}): ${message}`, { cause: error });
    } finally {
      watching.abort();
      await watched;
    }
    const oldest = this.#seats[0] && sizeOf(this.#seats[0].window.pid);
    if (oldest) this.#report.window.push(oldest);
    return done;
  }

  async #ask(seat: Seat): Promise<void> {
    const request = this.#newRequest();
    const rewards = await seat.answer(request);
    const wrong = difference(rewards, await this.#right(request));
    if (wrong !== undefined) throw new Error(wrong);
    this.#report.answered++;
  }

  #newRequest(): Request {
    return newRequest(this.#random, `${this.#options.seed}_${++this.#requests}`);
  }

  /** The rewards as a server gives them that is left alone. */
  async #right(request: Request): Promise<Rewards> {
    while (this.#reference.port === 0) await sleep(20);
    const { text } = await call(`http://127.0.0.1:${this.#reference.port}`, "POST", "/v1/rank", request, {
      authorization: `Bearer ${TOKEN}`,
    });
    const { candidates }: { candidates: { id: string; reward: number | null }[] } = JSON.parse(text);
    return candidates.map(({ id, reward }) => [id, reward]);
  }

  /** Lets frozen processes go on: after a moment, or when another server has taken over. */
  async #thaw(from: number, stop: AbortSignal): Promise<void> {
    let seen = from;
    while (!stop.aborted) {
      const fired = this.#world.fired().slice(seen);
      seen += fired.length;
      for (const { action, pid } of fired) {
        if (action === "stop") await sleep(300);
        else if (action !== "hang") continue;
        for (let polls = 0; action === "hang" && polls < 1200 && this.#world.lease()?.pid === pid; polls++) {
          await sleep(50);
        }
        signal(pid, "SIGCONT");
      }
      await sleep(20);
    }
  }

  #measure(): void {
    const pid = this.#world.lease()?.pid;
    const size = pid === undefined ? undefined : sizeOf(pid);
    if (size === undefined) throw new Error("there is no server although nothing goes wrong any more");
    this.#report.server.push(size);
  }

  /** All windows close: then nothing may be left of anything. */
  async #leave(): Promise<void> {
    const { windows } = await this.#health();
    if (windows !== SHARED) throw new Error(`the server counts ${windows} windows where ${SHARED} are open`);
    await Promise.all(this.#seats.map((seat) => seat.window.tell({ do: "leave" })));
    await this.#own.close();
    let left: readonly Member[] = [];
    // A server that nobody uses ends after five seconds.
    for (let polls = 0; polls < 600; polls++) {
      left = this.#world.members();
      if (left.length === 0) break;
      await sleep(100);
    }
    if (left.length > 0) throw new Error(`processes are left: ${JSON.stringify(left)}`);
    const files = readdirSync(this.#world.run).filter((file) => file !== LOG_FILE);
    if (files.length > 0) throw new Error(`files are left beside the log: ${files}`);
    if (this.#lines.open > 0) throw new Error(`${this.#lines.open} connections are left`);
  }

  async #health(): Promise<{ readonly windows: number }> {
    const lease = this.#world.lease();
    if (!lease) throw new Error("there is no lease although nothing goes wrong any more");
    const { text } = await call(leaseUrl(lease), "GET", "/health", undefined, {
      authorization: `Bearer ${lease.token}`,
    });
    return JSON.parse(text);
  }
}
