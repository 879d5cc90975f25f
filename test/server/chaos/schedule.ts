/** What happens in which order, by a seed. Pure. */

/** Uniform random numbers that are the same for the same seed (xorshift32; nothing here needs better ones). */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Neighbouring seeds are to have nothing in common.
    this.#state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
    for (let round = 0; round < 8; round++) this.#next();
  }

  /** A whole number from 0 to below the bound. */
  below(bound: number): number {
    return Math.floor((this.#next() / 2 ** 32) * bound);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error("nothing to pick from");
    return item;
  }

  shuffled<T>(items: readonly T[]): T[] {
    const rest = [...items];
    return items.map(() => {
      const [item] = rest.splice(this.below(rest.length), 1);
      if (item === undefined) throw new Error("nothing is left");
      return item;
    });
  }

  #next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    this.#state >>>= 0;
    return this.#state;
  }
}

/**
 * `kill` (-9), `term`; `stop` and `hang` freeze the process, for a moment or until it was replaced; `cut` breaks the
 * connection in the middle of a reply, `half` ends the process there.
 */
export type Action = "kill" | "term" | "stop" | "hang" | "cut" | "half";

export type Deed =
  /** A process that gets to the step fails there. `by`: what makes one get there. */
  | { readonly step: string; readonly action: Action; readonly by: "start" | "use" | "pull" }
  /** Something that happens to a window, to its lines, to the disk, or to the version. */
  | {
      readonly step: "window" | "line cut" | "line slow" | "line refused" | "disk" | "version";
      readonly by: "world";
    };

/** Steps of a server that starts. */
const STARTING = [
  "spawn",
  "lease lock",
  "lease write",
  "lease rename, before",
  "lease rename, after",
] as const;
const SERVING = ["proof", "decode", "reply"] as const;
const PULLING = [
  "download",
  "download rename, before",
  "download rename, after",
  "convert",
  "install rename, before",
  "install rename, after",
] as const;

/** Everything that can happen, once each. `hang` takes seconds each time, so it is asked for. */
export function deeds(hang: boolean): Deed[] {
  const all: Deed[] = [];
  for (const step of STARTING) {
    for (const action of ["kill", "stop"] as const) all.push({ step, action, by: "start" });
  }
  for (const action of ["kill", "term", "stop"] as const)
    all.push({ step: "model load", action, by: "start" });
  for (const step of SERVING) {
    for (const action of ["kill", "term", "stop"] as const) all.push({ step, action, by: "use" });
  }
  for (const action of ["cut", "half"] as const) all.push({ step: "reply", action, by: "use" });
  for (const step of PULLING) all.push({ step, action: "kill", by: "pull" });
  all.push({ step: "download", action: "term", by: "pull" }, { step: "convert", action: "stop", by: "pull" });
  for (const step of ["window", "line cut", "line slow", "line refused", "disk", "version"] as const) {
    all.push({ step, by: "world" });
  }
  if (hang) for (const step of SERVING) all.push({ step, action: "hang", by: "use" });
  return all;
}

export function nameOf(deed: Deed): string {
  return "action" in deed ? `${deed.step}: ${deed.action}` : deed.step;
}
