/** Where a user sits: a window, the requests that they make, and what they do when one fails. */
import type { CandidateInput, Task } from "../../../shared/contract.ts";
import type { Random } from "./schedule.ts";
import type { WindowSettings } from "./window.ts";
import type { Window, World } from "./world.ts";

export interface Request {
  readonly task: Task;
  readonly candidates: readonly CandidateInput[];
}

/** Rewards by candidate, best first; null for what does not parse. */
export type Rewards = readonly (readonly [id: string, reward: number | null])[];

/** Failures after which the same request may be sent again. */
const RETRYABLE = ["unreachable", "restarting", "too_busy"];
/** Of a server that the user runs: it is not started again by the window, and a health check of it has an end. */
const RETRYABLE_OWN = [...RETRYABLE, "timed_out"];
/** So often a user tries; each time a little later, up to half a second. */
const PATIENCE = 400;

export class Seat {
  readonly #world: World;
  readonly own: boolean;
  #settings: Partial<WindowSettings>;
  window: Window;
  /** Requests that were sent, answered or not; and how often the user had to start the server by hand. */
  asked = 0;
  restarted = 0;
  /** Failures by code. */
  readonly failures = new Map<string, number>();

  constructor(world: World, settings: Partial<WindowSettings> = {}) {
    this.#world = world;
    this.#settings = settings;
    this.own = settings.url !== undefined;
    this.window = world.window(settings);
  }

  /** Another window, perhaps of another version of the extension; requests of the old one are asked again in it. */
  replace(settings: Partial<WindowSettings> = this.#settings): void {
    this.#settings = settings;
    const old = this.window;
    this.window = this.#world.window(settings);
    old.kill();
  }

  /**
   * Asks until there is an answer.
   * @throws Error for a failure that says nothing of trying again, or when patience ends
   */
  async answer(request: Request): Promise<Rewards> {
    for (let attempt = 1; attempt <= PATIENCE; attempt++) {
      this.asked++;
      const answer = await this.window.tell({ do: "rank", ...request });
      if (answer !== undefined && "rewards" in answer) return answer.rewards;
      // The window was killed, and its request with it.
      if (answer === undefined) continue;
      const { code, message, state } = answer;
      this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
      if (!(this.own ? RETRYABLE_OWN : RETRYABLE).includes(code) || !/^\S.*[.”]$/s.test(message)) {
        throw new Error(`a request failed for good: ${code}: ${message}`);
      }
      if (state === "failed") {
        this.restarted++;
        await this.window.tell({ do: "restart" });
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(500, 25 * attempt)));
    }
    throw new Error(`a request was not answered after ${PATIENCE} attempts`);
  }
}

/** A request that was never made before: 2 to 7 candidates, one in ten of which does not parse. */
export function newRequest(random: Random, name: string): Request {
  const candidates = Array.from({ length: 2 + random.below(6) }, (_, index) => {
    const lines = 1 + random.below(6);
    const body = `    total = total ${random.pick(["+", "-", "*"])} ${random.below(1000)}\n`.repeat(lines);
    const end = random.below(10) === 0 ? "return (total" : "return total";
    return { id: String(index), text: `def f_${name}(total):\n${body}    ${end}\n` };
  });
  return { task: { question: `Write the function f_${name}.`, language: "python" }, candidates };
}

/** What is wrong with rewards, beside those of a server that nothing happened to; undefined when nothing is. */
export function difference(rewards: Rewards, reference: Rewards): string | undefined {
  const wanted = new Map(reference);
  if (rewards.length !== reference.length || rewards.some(([id]) => !wanted.has(id))) {
    return `answers candidates ${rewards.map(([id]) => id)} where ${reference.map(([id]) => id)} were asked about`;
  }
  for (const [index, [id, reward]] of rewards.entries()) {
    const right = wanted.get(id) ?? null;
    const same = reward === null || right === null ? reward === right : Math.abs(reward - right) <= TOLERANCE;
    if (!same) return `candidate ${id} has the reward ${reward} where ${right} is right`;
    const [, before = null] = rewards[index - 1] ?? [];
    if (index > 0 && (before ?? -Infinity) < (reward ?? -Infinity) - TOLERANCE) return "the order is wrong";
  }
  return undefined;
}

/** The embedded model's weights are quantised: other company in a batch gives slightly other sums. */
const TOLERANCE = 0.03;
