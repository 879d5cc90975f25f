/** Samples that differ: the ways that samples have gone, and where one that came out like an earlier one leaves them. Pure. */

/** A token of a way, and the probability with which it is drawn there. */
export interface PathStep {
  readonly token: number;
  readonly share: number;
}

interface Node {
  /** By token. */
  readonly next: Map<number, { readonly share: number; readonly node: Node }>;
  /** Share of the probability from here on that leads to a sample there is. */
  used: number;
}

export interface Exit {
  /** Tokens of the way that are kept. */
  readonly place: number;
  /** What leads to nothing new after them. */
  readonly banned: ReadonlySet<number>;
}

/** Chance below which another way is none: what a model gives that little to is no program. */
const LEAST_CHANCE = 1e-4;
/** A place is used up when so much of its probability is. */
const USED_UP = 1 - 1e-6;

export class UsedPaths {
  readonly #root: Node = { next: new Map(), used: 0 };

  /** Adds the way of a sample that has ended: whatever would follow, the text would be the same. */
  add(path: readonly PathStep[]): void {
    const nodes = [this.#root];
    for (const { token, share } of path) {
      const node = nodes.at(-1) ?? this.#root;
      const known = node.next.get(token);
      const child = known?.node ?? { next: new Map(), used: 0 };
      if (!known) node.next.set(token, { share, node: child });
      nodes.push(child);
    }
    for (const [index, node] of [...nodes.entries()].reverse()) {
      node.used = index === path.length ? 1 : usedOf(node, undefined);
    }
  }

  /**
   * Draws the place where a sample leaves its way for what no other has: as if it were drawn again and again until it is
   * new, without the drawing.
   * @param path a way that was added
   * @param random a number from 0 to 1, exclusive
   * @returns undefined where hardly anything new is left
   */
  exit(path: readonly PathStep[], random: number): Exit | undefined {
    const exits: { readonly chance: number; readonly node: Node; readonly own: number }[] = [];
    let node = this.#root;
    let reached = 1;
    for (const { token } of path) {
      const own = node.next.get(token);
      if (!own) break;
      const chance = reached * Math.max(0, 1 - own.share - usedOf(node, token));
      exits.push({ chance, node, own: token });
      reached *= own.share;
      node = own.node;
    }
    const sum = exits.reduce((total, { chance }) => total + chance, 0);
    if (sum < LEAST_CHANCE) return undefined;
    let left = random * sum;
    const drawn = exits.findIndex(({ chance }) => {
      left -= chance;
      return left < 0;
    });
    const place = drawn === -1 ? exits.findLastIndex(({ chance }) => chance > 0) : drawn;
    const exit = exits[place];
    if (!exit) return undefined;
    const usedUp = [...exit.node.next].filter(([, { node: child }]) => child.used >= USED_UP);
    return { place, banned: new Set([exit.own, ...usedUp.map(([token]) => token)]) };
  }
}

/** Probability that leads from a place to samples there are, but for those after one token. */
function usedOf({ next }: Node, without: number | undefined): number {
  let used = 0;
  for (const [token, { share, node }] of next) if (token !== without) used += share * node.used;
  return Math.min(1, used);
}
