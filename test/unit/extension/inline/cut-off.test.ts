import { expect, test } from "vitest";
import { withoutCutOffEnd } from "../../../../src/inline/cut-off.ts";

test("the last line of several goes", () => {
  expect(withoutCutOffEnd("a = 1\n    b = value")).toBe("a = 1\n");
  expect(withoutCutOffEnd("\n    if a:\n        ret")).toBe("\n    if a:\n");
});

test("a text that ends with its line is kept", () => {
  expect(withoutCutOffEnd("a = 1\n")).toBe("a = 1\n");
});

test("of a single line the last word goes, which may be the start of a longer one", () => {
  expect(withoutCutOffEnd("values, keys.len")).toBe("values, keys.");
  expect(withoutCutOffEnd("\n    total")).toBe("\n    ");
  expect(withoutCutOffEnd("f(a)")).toBe("f(a)");
});
