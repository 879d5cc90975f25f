import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tokens } from "../../../server/engine/engine.ts";
import { commonPrefix, compareTokens, countNodes, levelled, planGroup } from "../../../server/engine/trie.ts";

/** Short sequences over few ids share prefixes often. */
const sequence = fc
  .array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 8 })
  .map((ids) => Int32Array.from(ids));
const group = fc
  .uniqueArray(sequence, { minLength: 1, maxLength: 12, selector: (tokens) => tokens.join() })
  .map((all) => all.sort(compareTokens));

/** Distinct non-empty prefixes, counted the plain way. */
function prefixes(sequences: readonly Tokens[]): Set<string> {
  return new Set(
    sequences.flatMap((tokens) => Array.from(tokens, (_, index) => tokens.slice(0, index + 1).join())),
  );
}
const isStrictPrefix = (a: Tokens, b: Tokens) => a.length < b.length && commonPrefix(a, b) === a.length;

describe("token trie", () => {
  test("the canonical order puts a prefix before what it begins", () => {
    const sorted = [[2], [1, 2], [1], [1, 2, 0]].map((ids) => Int32Array.from(ids)).sort(compareTokens);
    expect(sorted.map((tokens) => tokens.join())).toEqual(["1", "1,2", "1,2,0", "2"]);
  });

  test("nodes are the distinct prefixes", () => {
    fc.assert(fc.property(group, (all) => countNodes(all) === prefixes(all).size));
  });

  test("a plan decodes every node once, for exactly the members that share it", () => {
    fc.assert(
      fc.property(group, (all) => {
        const { inner, last } = planGroup(
          all,
          all.map(() => 0),
        );
        const seen = all.map((): number[] => []);
        for (const { token, position, members } of [...inner, ...last]) {
          for (const member of members) {
            expect(position).toBe(seen[member]?.length);
            seen[member]?.push(token);
          }
        }
        expect(seen.map((ids) => ids.join())).toEqual(all.map((tokens) => tokens.join()));
        // Only a last token that lies inside another sequence is decoded a second time.
        const repeated = all.filter((tokens) => all.some((other) => isStrictPrefix(tokens, other))).length;
        expect(inner.length + last.length).toBe(prefixes(all).size + repeated);
      }),
    );
  });

  test("what is resident is not decoded again", () => {
    fc.assert(
      fc.property(group, group, (all, cached) => {
        const resident = all.map((tokens) =>
          Math.max(...cached.map((other) => Math.min(commonPrefix(tokens, other), tokens.length - 1))),
        );
        const known = prefixes(cached);
        const { inner } = planGroup(all, resident);
        for (const { position, members } of inner) {
          for (const member of members)
            expect(known.has(all[member]?.slice(0, position + 1).join() ?? "")).toBe(false);
        }
      }),
    );
  });

  test("tokens of a member come in order, so that a batch may end anywhere", () => {
    fc.assert(
      fc.property(group, (all) => {
        const next = all.map(() => 0);
        for (const { position, members } of planGroup(all, next).inner) {
          // llama.cpp wants sequences that share a token to hold equally many before it.
          expect(new Set(members.map((member) => next[member])).size).toBe(1);
          for (const member of members) next[member] = position + 1;
        }
      }),
    );
  });

  test("members that go the same way have the same of it decoded anew, and none more than it asked for", () => {
    fc.assert(
      fc.property(group, fc.array(fc.nat(7), { minLength: 12, maxLength: 12 }), (all, wishes) => {
        const resident = all.map((tokens, index) => Math.min(wishes[index] ?? 0, tokens.length - 1));
        const lengths = levelled(all, resident);
        lengths.forEach((length, index) => {
          expect(length).toBeLessThanOrEqual(resident[index] ?? 0);
        });
        all.forEach((one, index) => {
          all.forEach((other, place) => {
            const shared = Math.min(commonPrefix(one, other), one.length - 1, other.length - 1);
            const [here, there] = [lengths[index] ?? 0, lengths[place] ?? 0];
            if (index !== place && there < shared) expect(here).toBeLessThanOrEqual(there);
          });
        });
      }),
    );
  });
});
