/**
 * Mirror of the native KV cache: which sequence ids hold which tokens, and how many cells that takes.
 * Shared prefixes share cells (`seq_cp`), so the cells in use are the trie nodes of the resident sequences.
 */

import type { Tokens } from "../engine.ts";
import { SequenceList } from "../sequence-list.ts";
import { commonPrefix, countNodes, levelled } from "../trie.ts";
import { MAX_SEQUENCES } from "./bindings.ts";

/** The three operations of the native cache that the mirror drives. */
export interface NativeCache {
  clear(): void;
  copySequence(source: number, target: number, length: number): void;
  /** Removes what the sequence holds from a position on. */
  removeSequence(sequence: number, from: number): void;
}

interface Resident {
  readonly id: number;
  readonly tokens: Tokens;
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
  readonly #list = new SequenceList<Resident>();
  readonly #freeIds: number[];
  #clock = 0;

  /**
   * @param capacity cells that may be used, in tokens
   * @param sequences ids from 0 on that may be used
   */
  constructor(native: NativeCache, capacity: number, sequences: number = MAX_SEQUENCES) {
    this.#native = native;
    this.#freeIds = Array.from({ length: sequences }, (_, id) => sequences - 1 - id);
    this.#capacity = capacity;
  }

  /** Cells in use, in tokens; between `allocate` and `hold` those that the group will take are counted. */
  get cells(): number {
    return this.#list.nodes;
  }

  /**
   * Gives each sequence an id that holds its resident prefix already, evicting what was used longest ago
   * until the new nodes fit. Every slot must be given to `hold` afterwards.
   * @param group distinct sequences in canonical order, at most half as many as ids
   * @param reusable how many leading tokens of each may come from the cache, fewer than it has; what follows is decoded
   *   anew because its result is wanted
   * @returns the slots, or undefined when the group cannot fit even in an empty cache
   */
  allocate(group: readonly Tokens[], reusable: readonly number[]): Slot[] | undefined {
    if (countNodes(group) > this.#capacity) return undefined;
    this.#clock += 2;
    const matches = group.map((sequence) => this.#list.longestMatch(sequence));
    for (const { item: source } of matches) if (source) source.used = this.#clock - 1;
    while (this.#freeIds.length < group.length) this.#evictOldest();
    const lengths = levelled(
      group,
      matches.map(({ length }, index) => Math.min(length, reusable[index] ?? 0)),
    );
    group.forEach((tokens, index) => {
      const length = lengths[index] ?? 0;
      // One token more than is reused fits the spare cells; more of them would be in the cache twice.
      if ((matches[index]?.length ?? 0) > length + 1) this.#shorten(tokens, length);
    });
    const slots = group.map((tokens, index): Slot => {
      const source = matches[index]?.item;
      const resident = lengths[index] ?? 0;
      const id = this.#freeIds.pop();
      if (id === undefined) throw new Error("no free sequence id after eviction");
      if (source && resident > 0) this.#native.copySequence(source.id, id, resident);
      this.#add({ id, tokens, used: this.#clock });
      return { id, resident };
    });
    // The group alone fits, and is the last to go.
    this.trim(this.#capacity);
    return slots;
  }

  /** Records what a slot holds now: its sequence or the beginning of it. */
  hold(slot: Slot, tokens: Tokens): void {
    const resident = this.#residents.get(slot.id);
    if (!resident || resident.tokens.length === tokens.length) return;
    this.#list.remove(resident);
    this.#add({ ...resident, tokens });
  }

  /** Gives back ids whose whole content another sequence holds too: duplicates and unfinished prefixes. */
  compact(): void {
    for (const resident of this.#list.redundant()) this.#remove(resident);
  }

  /** Evicts what was used longest ago until at most `cells` are in use. */
  trim(cells: number): void {
    while (this.cells > cells) this.#evictOldest();
  }

  /** Forgets everything, here and in the native cache. */
  clear(): void {
    this.#native.clear();
    for (const id of this.#residents.keys()) this.#freeIds.push(id);
    this.#residents.clear();
    this.#list.clear();
  }

  /** Takes from all that begin like these tokens what they hold after the first `length` of them. */
  #shorten(tokens: Tokens, length: number): void {
    for (const resident of [...this.#residents.values()]) {
      if (commonPrefix(resident.tokens, tokens) <= length) continue;
      this.#native.removeSequence(resident.id, length);
      this.#list.remove(resident);
      this.#add({ ...resident, tokens: resident.tokens.subarray(0, length) });
    }
  }

  #evictOldest(): void {
    let oldest: Resident | undefined;
    for (const resident of this.#residents.values()) {
      if (!oldest || resident.used < oldest.used) oldest = resident;
    }
    if (!oldest) throw new Error("nothing left to evict");
    this.#remove(oldest);
  }

  #add(resident: Resident): void {
    this.#residents.set(resident.id, resident);
    this.#list.add(resident);
  }

  #remove(resident: Resident): void {
    this.#native.removeSequence(resident.id, 0);
    this.#residents.delete(resident.id);
    this.#list.remove(resident);
    this.#freeIds.push(resident.id);
  }
}
