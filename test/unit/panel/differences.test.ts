import fc from "fast-check";
import { expect, test } from "vitest";
import { changedPart, lineChanges, replacedLines } from "../../../src/panel/differences.ts";

const lines = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 12 });

test("the changes lead from the old lines to the new ones, whatever they are", () => {
  fc.assert(
    fc.property(lines, lines, (from, to) => {
      const changes = lineChanges(from, to);
      const before = changes.flatMap((line) => (line.change === "added" ? [] : [from[line.from]]));
      const after = changes.flatMap((line) => (line.change === "removed" ? [] : [to[line.to]]));
      expect(before).toEqual(from);
      expect(after).toEqual(to);
      for (const line of changes) if (line.change === "same") expect(from[line.from]).toBe(to[line.to]);
    }),
  );
});

test("equal lines are kept, as many as possible", () => {
  const changes = lineChanges(["x", "a", "y", "b"], ["a", "z", "b"]);
  expect(changes.map(({ change }) => change)).toEqual(["removed", "same", "removed", "added", "same"]);
});

test("the changed part of a line lies between what both lines begin and end with", () => {
  const from = "return [sum(values[i:i + size]) / size for i in range(len(values))]";
  const to = "return [sum(values[i:i + size]) / size for i in range(len(values) - size + 1)]";
  const part = changedPart(from, to);
  expect(part && [from.slice(part.start, part.fromEnd), to.slice(part.start, part.toEnd)]).toEqual([
    "",
    " - size + 1",
  ]);
});

test("the changed parts put together with the rest give both lines, and no character is cut in two", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "b", " ", "😀", "😁"), maxLength: 12 });
  fc.assert(
    fc.property(line, line, (from, to) => {
      const part = changedPart(from, to);
      if (!part) return;
      expect(from.slice(0, part.start)).toBe(to.slice(0, part.start));
      expect(from.slice(part.fromEnd)).toBe(to.slice(part.toEnd));
      expect(part.fromEnd).toBeGreaterThanOrEqual(part.start);
      expect(part.toEnd).toBeGreaterThanOrEqual(part.start);
      for (const piece of [from.slice(0, part.start), from.slice(part.fromEnd)]) {
        expect(piece).toBe([...piece].filter((one) => one.codePointAt(0) !== undefined).join(""));
        expect(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(piece)).toBe(
          false,
        );
      }
    }),
  );
});

test("lines that have little in common are different as a whole", () => {
  expect(changedPart("return a + b", "while True:")).toBeUndefined();
});

test("a removed line is replaced by the added one in its place", () => {
  const changes = lineChanges(["x", "same", "y", "z"], ["a", "same", "b"]);
  expect(replacedLines(changes)).toEqual([
    [0, 0],
    [2, 2],
  ]);
});
