/**
 * Token sequences kept in canonical order, each with the length of the prefix that it shares with the one before.
 * Both change by one search when a sequence comes or goes, so that the size of the trie and the longest match are
 * always at hand: a request of 256 candidates asks for them at every group.
 */
import type { Tokens } from "./engine.ts";
import { commonPrefix, compareTokens } from "./trie.ts";

/** Whatever has tokens; they must not change while it is in a list. */
export interface Sequence {
  readonly tokens: Tokens;
}

interface Entry<T> {
  readonly item: T;
  /** Tokens shared with the entry before; 0 for the first one. */
  shared: number;
}

export class SequenceList<T extends Sequence> {
  readonly #entries: Entry<T>[] = [];
  #nodes = 0;

  /** Trie nodes of all sequences together, in tokens. */
  get nodes(): number {
    return this.#nodes;
  }

  add(item: T): void {
    const at = this.#placeOf(item.tokens);
    const before = this.#entries[at - 1];
    const after = this.#entries[at];
    const shared = before ? commonPrefix(before.item.tokens, item.tokens) : 0;
    this.#nodes += item.tokens.length - shared;
    if (after) this.#share(after, commonPrefix(item.tokens, after.item.tokens));
    this.#entries.splice(at, 0, { item, shared });
  }

  remove(item: T): void {
    const at = this.#entries.findIndex((entry) => entry.item === item);
    const entry = this.#entries[at];
    if (!entry) return;
    this.#nodes -= item.tokens.length - entry.shared;
    const after = this.#entries[at + 1];
    if (after) this.#share(after, Math.min(entry.shared, after.shared));
    this.#entries.splice(at, 1);
  }

  clear(): void {
    this.#entries.length = 0;
    this.#nodes = 0;
  }

  /** What shares the longest prefix with a sequence, and its length; no item where that is 0. */
  longestMatch(tokens: Tokens): { readonly item: T | undefined; readonly length: number } {
    const at = this.#placeOf(tokens);
    let item: T | undefined;
    let length = 0;
    // In canonical order the best match is a neighbour.
    for (const entry of [this.#entries[at - 1], this.#entries[at]]) {
      const shared = entry ? commonPrefix(entry.item.tokens, tokens) : 0;
      if (shared <= length) continue;
      item = entry?.item;
      length = shared;
    }
    return { item, length };
  }

  /** What is wholly the beginning of another sequence of the list, or empty: it adds no node. */
  redundant(): T[] {
    return this.#entries
      .filter(({ item }, index) => item.tokens.length === (this.#entries[index + 1]?.shared ?? 0))
      .map(({ item }) => item);
  }

  #share(entry: Entry<T>, shared: number): void {
    this.#nodes += entry.shared - shared;
    entry.shared = shared;
  }

  /** Index of the first entry that does not come before the tokens. */
  #placeOf(tokens: Tokens): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const entry = this.#entries[middle];
      if (entry && compareTokens(entry.item.tokens, tokens) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
