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
  removeSequence(sequence: number): void {
    this.held.delete(sequence);
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
          const slots = cache.allocate(group);
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

  test("trimming keeps what was used last", () => {
    const native = new Model();
    const cache = new KvCache(native, 100);
    for (const start of [1, 2, 3]) {
      const tokens = Int32Array.from({ length: 10 }, (_, index) => start * 100 + index);
      const [slot] = cache.allocate([tokens]) ?? [];
      if (!slot) throw new Error("no slot");
      native.held.set(slot.id, [...tokens].map(String));
      cache.hold(slot, tokens);
    }
    cache.trim(15);
    expect(cache.cells).toBe(10);
    const slots = cache.allocate([Int32Array.of(100, 101, 102), Int32Array.of(300, 301, 302)]);
    expect(slots?.map((slot) => slot.resident)).toEqual([0, 2]);
  });
});
