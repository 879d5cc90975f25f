import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KvCache, type NativeCache } from "../../../server/engine/llama/kv-cache.ts";
import { compareTokens, countNodes } from "../../../server/engine/trie.ts";

/** Stands for the native cache: which tokens each sequence id holds. */
class Model implements NativeCache {
  readonly held = new Map<number, string[]>();
  clear(): void {
    this.held.clear();
  }
  copySequence(source: number, target: number, length: number): void {
    this.held.set(target, (this.held.get(source) ?? []).slice(0, length));
  }
  removeSequence(sequence: number, from: number): void {
    this.held.set(sequence, (this.held.get(sequence) ?? []).slice(0, from));
    if (from === 0) this.held.delete(sequence);
  }
  /** Cells in use: distinct prefixes. */
  get cells(): number {
    return new Set(
      [...this.held.values()].flatMap((ids) => ids.map((_, index) => ids.slice(0, index + 1).join())),
    ).size;
  }
}

const requests = fc.array(
  fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 10 }), {
    minLength: 1,
    maxLength: 6,
  }),
  { minLength: 1, maxLength: 12 },
);

describe("KV cache mirror", () => {
  test("over any series of requests it never exceeds its capacity and hands out true prefixes only", () => {
    const capacity = 24;
    fc.assert(
      fc.property(requests, (series) => {
        const native = new Model();
        const cache = new KvCache(native, capacity);
        for (const request of series) {
          const distinct = new Map(request.map((ids) => [ids.join(), Int32Array.from(ids)]));
          const group = [...distinct.values()].sort(compareTokens);
          const slots = cache.allocate(
            group,
            group.map((tokens) => tokens.length - 1),
          );
          if (!slots) {
            expect(countNodes(group)).toBeGreaterThan(capacity);
            continue;
          }
          slots.forEach((slot, index) => {
            const tokens = group[index] ?? new Int32Array();
            expect((native.held.get(slot.id) ?? []).join()).toBe([...tokens.slice(0, slot.resident)].join());
            // Now and then a group is interrupted, and its slots hold the beginning of their sequences.
            const held = tokens.subarray(0, Math.max(slot.resident, tokens.length - (index % 3)));
            native.held.set(slot.id, [...held].map(String));
            cache.hold(slot, held);
          });
          cache.compact();
          expect(cache.cells).toBe(native.cells);
          expect(native.cells).toBeLessThanOrEqual(capacity);
        }
      }),
    );
  });

  test("what is decoded anew is not in the cache twice, but for one token", () => {
    const native = new Model();
    const cache = new KvCache(native, 100);
    const tokens = Int32Array.from({ length: 10 }, (_, index) => index);
    const other = Int32Array.of(...tokens.subarray(0, 8), 50, 51);
    for (const sequence of [tokens, other]) {
      const [slot] = cache.allocate([sequence], [9]) ?? [];
      if (!slot) throw new Error("no slot");
      native.held.set(slot.id, [...sequence].map(String));
      cache.hold(slot, sequence);
    }
    const [slot] = cache.allocate([tokens], [3]) ?? [];
    expect(slot?.resident).toBe(3);
    // Both that begin so were shortened: nothing holds the fourth token any more.
    expect(Math.max(...[...native.held.values()].map((held) => held.length))).toBe(3);
    expect(native.cells).toBe(3);
  });

  test("trimming keeps what was used last", () => {
    const native = new Model();
    const cache = new KvCache(native, 100);
    for (const start of [1, 2, 3]) {
      const tokens = Int32Array.from({ length: 10 }, (_, index) => start * 100 + index);
      const [slot] = cache.allocate([tokens], [9]) ?? [];
      if (!slot) throw new Error("no slot");
      native.held.set(slot.id, [...tokens].map(String));
      cache.hold(slot, tokens);
    }
    cache.trim(15);
    expect(cache.cells).toBe(10);
    const slots = cache.allocate([Int32Array.of(100, 101, 102), Int32Array.of(300, 301, 302)], [2, 2]);
    expect(slots?.map((slot) => slot.resident)).toEqual([0, 2]);
  });
});
