import fc from "fast-check";
import { expect, test } from "vitest";
import { lineChanges } from "../../../src/panel/differences.ts";

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
