import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { windowAround } from "../../../server/rendering/window.ts";

const lines = (count: number, size = 40) =>
  Array.from({ length: count }, (_, index) => `${index}`.padEnd(size, "x")).join("\n");

describe("the window around a cursor", () => {
  test("is everything where that is not much", () => {
    expect(windowAround("a\nb", "c\nd")).toEqual({ prefix: "a\nb", suffix: "c\nd", cut: false });
  });

  test("is what is next to the cursor on both sides, in whole lines", () => {
    const [before, after] = [lines(1000), lines(1000)];
    const { prefix, suffix, cut } = windowAround(before, after);
    expect(cut).toBe(true);
    expect(before.endsWith(`\n${prefix}`)).toBe(true);
    expect(after.startsWith(suffix)).toBe(true);
    expect(suffix.endsWith("\n")).toBe(true);
    expect(prefix.length).toBeGreaterThan(4000);
    expect(prefix.length).toBeLessThanOrEqual(8192);
  });

  test("begins at the same place while somebody types on", () => {
    const before = lines(1000);
    const starts = Array.from({ length: 400 }, (_, typed) => {
      const { prefix } = windowAround(before + "y".repeat(typed), "");
      return before.length + typed - prefix.length;
    });
    expect(new Set(starts).size).toBeLessThanOrEqual(2);
  });

  test("never parts a character, also in lines without end", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5000 }), (pad) => {
        const { prefix, suffix } = windowAround(
          `${"y".repeat(pad)}${"🙂".repeat(9000)}`,
          `${"y".repeat(pad % 2)}${"🙂".repeat(9000)}`,
        );
        expect(prefix + suffix).not.toMatch(/\p{Surrogate}/u);
      }),
    );
  });
});
