/**
 * Mirror of the native KV cache: which sequence ids hold which tokens, and how many cells that takes.
 * Shared prefixes share cells (`seq_cp`), so the cells in use are the trie nodes of the resident sequences.
 */
import { MAX_SEQUENCES } from "./bindings.ts";
import type { Tokens } from "./engine.ts";
import { commonPrefix, compareTokens, countNodes } from "./trie.ts";

/** The three operations of the native cache that the mirror drives. */
export interface NativeCache {
  clear(): void;
  copySequence(source: number, target: number, length: number): void;
  removeSequence(sequence: number): void;
}

interface Resident {
  readonly id: number;
  tokens: Tokens;
  /** Logical time of last use; the smallest is evicted first. */
  used: number;
}

/** A sequence id handed out for scoring, with the leading tokens it got from the cache. */
export interface Slot {
  readonly id: number;
  readonly resident: number;
}

export class KvCache {
  readonly #native: NativeCache;
  readonly #capacity: number;
  readonly #residents = new Map<number, Resident>();
  readonly #freeIds: number[] = Array.from({ length: MAX_SEQUENCES }, (_, id) => MAX_SEQUENCES - 1 - id);
  #clock = 0;

  /** @param capacity cells that may be used, in tokens */
  constructor(native: NativeCache, capacity: number) {
    this.#native = native;
    this.#capacity = capacity;
  }

  /** Cells in use, in tokens. */
  get cells(): number {
    return countNodes(this.#sorted().map((resident) => resident.tokens));
  }

  /** How many leading tokens of a sequence are resident (at most all but its last). */
  residentPrefix(sequence: Tokens): number {
    return this.#longestMatch(sequence).length;
  }

  /**
   * Gives each sequence an id that holds its resident prefix already, evicting what was used longest ago
   * until the new nodes fit.
   * @param group distinct sequences in canonical order, at most half of MAX_SEQUENCES
   * @returns the slots, or undefined when the group cannot fit even in an empty cache
   */
  allocate(group: readonly Tokens[]): Slot[] | undefined {
    if (countNodes(group) > this.#capacity) return undefined;
    this.#clock += 2;
    const matches = group.map((sequence) => this.#longestMatch(sequence));
    for (const { source } of matches) if (source) source.used = this.#clock - 1;
    while (this.#freeIds.length < group.length) this.#evictOldest();
    const slots = group.map((sequence, index): Slot => {
      const { source, length } = matches[index] ?? { source: undefined, length: 0 };
      const id = this.#freeIds.pop();
      if (id === undefined) throw new Error("no free sequence id after eviction");
      if (source && length > 0) this.#native.copySequence(source.id, id, length);
      this.#residents.set(id, { id, tokens: sequence.subarray(0, length), used: this.#clock });
      return { id, resident: length };
    });
    const wanted = new Set(slots.map((slot) => slot.id));
    this.#evictUntilFits(group, wanted, this.#capacity);
    return slots;
  }

  /** Records what a slot holds now. */
  hold(slot: Slot, tokens: Tokens): void {
    const resident = this.#residents.get(slot.id);
    if (resident) resident.tokens = tokens;
  }

  /** Gives back ids whose whole content another sequence holds too: duplicates and unfinished prefixes. */
  compact(): void {
    const sorted = this.#sorted();
    sorted.forEach((resident, index) => {
      const next = sorted[index + 1];
      if (
        resident.tokens.length === 0 ||
        (next && commonPrefix(resident.tokens, next.tokens) === resident.tokens.length)
      ) {
        this.#remove(resident);
      }
    });
  }

  /** Evicts what was used longest ago until at most `cells` are in use. */
  trim(cells: number): void {
    this.#evictUntilFits([], new Set(), cells);
  }

  /** Forgets everything, here and in the native cache. */
  clear(): void {
    this.#native.clear();
    for (const id of this.#residents.keys()) this.#freeIds.push(id);
    this.#residents.clear();
  }

  #sorted(): Resident[] {
    return [...this.#residents.values()].sort((a, b) => compareTokens(a.tokens, b.tokens));
  }

  #longestMatch(sequence: Tokens): { source: Resident | undefined; length: number } {
    let source: Resident | undefined;
    let length = 0;
    for (const resident of this.#residents.values()) {
      const shared = Math.min(commonPrefix(resident.tokens, sequence), sequence.length - 1);
      if (shared > length) {
        source = resident;
        length = shared;
      }
    }
    return { source, length };
  }

  /** Evicts the fewest oldest residents (slots of the group excepted) that let the whole group fit. */
  #evictUntilFits(group: readonly Tokens[], slots: ReadonlySet<number>, cells: number): void {
    const others = [...this.#residents.values()]
      .filter((resident) => !slots.has(resident.id))
      .sort((a, b) => a.used - b.used);
    const cellsWithout = (evicted: number) =>
      countNodes([...others.slice(evicted).map((resident) => resident.tokens), ...group].sort(compareTokens));
    // Cells fall as more is evicted: bisect for the smallest number that is enough.
    let low = 0;
    let high = others.length;
    if (cellsWithout(0) <= cells) return;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cellsWithout(middle) <= cells) high = middle;
      else low = middle + 1;
    }
    for (const resident of others.slice(0, low)) this.#remove(resident);
  }

  #evictOldest(): void {
    let oldest: Resident | undefined;
    for (const resident of this.#residents.values()) {
      if (!oldest || resident.used < oldest.used) oldest = resident;
    }
    if (!oldest) throw new Error("nothing left to evict");
    this.#remove(oldest);
  }

  #remove(resident: Resident): void {
    this.#native.removeSequence(resident.id);
    this.#residents.delete(resident.id);
    this.#freeIds.push(resident.id);
  }
}
