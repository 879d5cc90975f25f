import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SequenceList } from "../../../server/engine/sequence-list.ts";
import { commonPrefix, compareTokens, countNodes } from "../../../server/engine/trie.ts";

/** Short sequences over few ids share prefixes often, and are often equal. */
const sequence = fc
  .array(fc.integer({ min: 0, max: 2 }), { maxLength: 7 })
  .map((ids) => Int32Array.from(ids));
/** A sequence to add, or the index of one to remove. */
const steps = fc.array(fc.oneof(sequence, fc.nat({ max: 20 })), { maxLength: 40 });

describe("sequence list", () => {
  test("over any series of changes it knows what a look at all sequences tells", () => {
    fc.assert(
      fc.property(steps, sequence, (series, probe) => {
        const list = new SequenceList<{ readonly tokens: Int32Array }>();
        const all: { readonly tokens: Int32Array }[] = [];
        for (const step of series) {
          if (typeof step === "number") {
            const [gone] = all.splice(step % Math.max(1, all.length), 1);
            if (gone) list.remove(gone);
          } else {
            const item = { tokens: step };
            all.push(item);
            list.add(item);
          }
          expect(list.nodes).toBe(countNodes(all.map(({ tokens }) => tokens).sort(compareTokens)));
        }
        const { item, length } = list.longestMatch(probe);
        expect(length).toBe(Math.max(0, ...all.map(({ tokens }) => commonPrefix(tokens, probe))));
        expect(item ? commonPrefix(item.tokens, probe) : 0).toBe(length);

        const redundant = list.redundant();
        for (const one of redundant) list.remove(one);
        const kept = all.filter((one) => !redundant.includes(one));
        expect(list.nodes).toBe(countNodes(all.map(({ tokens }) => tokens).sort(compareTokens)));
        for (const { tokens } of kept) {
          expect(kept.filter((other) => commonPrefix(other.tokens, tokens) === tokens.length)).toHaveLength(
            1,
          );
        }
      }),
    );
  });
});
