import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tooCostly } from "../../../server/http/body-shape.ts";

describe("what a body's JSON may cost", () => {
  test("nested more deeply than anything sensible it is refused, whatever follows", () => {
    expect(tooCostly("[".repeat(30 * 2 ** 20))).toContain("nested more than 64 levels deep");
    expect(tooCostly('{"a":'.repeat(65))).toContain("nested more than 64 levels deep");
    expect(tooCostly(`${"[".repeat(64)}${"]".repeat(64)}`)).toBeUndefined();
  });
  test("of more arrays or values than a full request has it is refused", () => {
    expect(tooCostly(`[${"[],".repeat(200_000)}[]]`)).toContain("more than 200000 arrays and objects");
    expect(tooCostly(`[${"1,".repeat(5_000_000)}1]`)).toContain("more than 5000000 values");
  });
  test("a full request passes", () => {
    const messages = Array.from({ length: 64 }, () => ({ role: "user", content: "[[[{{{,,," }));
    const items = Array.from({ length: 2048 }, () => ({ messages }));
    expect(tooCostly(JSON.stringify({ items }))).toBeUndefined();
  });
  test("brackets and commas inside strings count for nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const brackets = '["'.repeat(100);
        expect(tooCostly(JSON.stringify([text, brackets, { [brackets]: "\\" }]))).toBeUndefined();
      }),
    );
  });
});
