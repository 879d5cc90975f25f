import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Anchor, afterEdits, anchorAt, type Edit, withAnchor } from "../../../../src/ranking/anchors.ts";

function anchor(start: number, end: number, candidateId = "c1"): Anchor {
  return { start, end, rankingId: "r1", candidateId, origin: "scored", stale: false };
}
function apply(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.offset - a.offset)
    .reduce(
      (now, { offset, length, text: added }) => now.slice(0, offset) + added + now.slice(offset + length),
      text,
    );
}

describe("a score's range", () => {
  it("moves with edits before it and stays with edits behind it", () => {
    const [moved] = afterEdits(
      [anchor(10, 20)],
      [
        { offset: 0, length: 2, text: "12345" },
        { offset: 20, length: 0, text: "x" },
      ],
    );
    expect(moved).toEqual(anchor(13, 23));
  });

  it("goes stale and covers the edit when its text changes", () => {
    expect(afterEdits([anchor(10, 20)], [{ offset: 12, length: 3, text: "abcdef" }])).toEqual([
      { ...anchor(10, 23), stale: true },
    ]);
    expect(afterEdits([anchor(10, 20)], [{ offset: 8, length: 4, text: "" }])).toEqual([
      { ...anchor(8, 16), stale: true },
    ]);
    expect(afterEdits([anchor(10, 20)], [{ offset: 18, length: 4, text: "y" }])).toEqual([
      { ...anchor(10, 19), stale: true },
    ]);
  });

  it("is gone when all of its text is replaced", () => {
    expect(afterEdits([anchor(10, 20)], [{ offset: 10, length: 10, text: "other" }])).toEqual([]);
    expect(afterEdits([anchor(10, 20)], [{ offset: 0, length: 30, text: "" }])).toEqual([]);
  });

  it("holds the same text after any edits, unless it is stale or gone", () => {
    const edits = fc.array(
      fc.record({ offset: fc.nat(99), length: fc.nat(5), text: fc.string({ maxLength: 5 }) }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(
        fc.string({ minLength: 110, maxLength: 110 }),
        fc.nat(80),
        fc.integer({ min: 1, max: 20 }),
        edits,
        (text, start, length, all) => {
          // The editor's changes of one event never overlap.
          const apart = all
            .sort((a, b) => a.offset - b.offset)
            .filter(
              (edit, index, sorted) => index === 0 || (sorted[index - 1]?.offset ?? 0) + 6 <= edit.offset,
            );
          const [after] = afterEdits([anchor(start, start + length)], apart);
          const now = apply(text, apart);
          if (after && !after.stale)
            expect(now.slice(after.start, after.end)).toBe(text.slice(start, start + length));
          if (after) expect(after.start).toBeLessThanOrEqual(after.end);
        },
      ),
    );
  });

  it("gives way to a newer one that covers it", () => {
    expect(withAnchor([anchor(5, 8), anchor(0, 30)], anchor(4, 10, "c2"))).toEqual([
      anchor(0, 30),
      anchor(4, 10, "c2"),
    ]);
  });

  it("is found by an offset, the smallest first", () => {
    const all = [anchor(0, 30), anchor(4, 10, "c2")];
    expect(anchorAt(all, 5)?.candidateId).toBe("c2");
    expect(anchorAt(all, 20)?.candidateId).toBe("c1");
    expect(anchorAt(all, 40)).toBeUndefined();
  });
});
