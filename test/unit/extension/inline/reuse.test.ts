import { describe, expect, it } from "vitest";
import { isSameCursor, restOf, typedSince } from "../../../../src/inline/reuse.ts";
import { cursorIn } from "../cursor.ts";

/** What is left of a suggestion made at one place when the cursor is at another; undefined when it is gone. */
function left(asked: string, insert: string, now: string): { text: string; replaces: number } | undefined {
  const from = typedSince(cursorIn(asked), cursorIn(now));
  const suggestion = { id: "c1", insert, rest: insert, replaces: 0, probability: null, ranked: false };
  const rest = from && restOf(suggestion, from);
  return rest && { text: rest.rest, replaces: rest.replaces };
}

describe("a cursor after the document has changed", () => {
  const same = (before: string, now: string) => isSameCursor(cursorIn(before), cursorIn(now));

  it("is the same where the text around it is", () => {
    expect(same("a = 1\nreturn █\n", "a = 1\nreturn █\n")).toBe(true);
  });

  it("is another one where a line above has come or gone, though line and column are the same", () => {
    expect(same('x = 0\nif y:\n    █\nreturn "A"\n', 'if y:\n    x\nretu█rn "A"\n')).toBe(false);
  });

  it("is another one where the text after it is another", () => {
    expect(same('    █\n    return "A"\n', '    █return "A"\n')).toBe(false);
    expect(same("f(█\n", "f(█)\n")).toBe(false);
  });

  it("is none in a document that is gone", () => {
    expect(isSameCursor(cursorIn("return █"), undefined)).toBe(false);
  });
});

describe("reuse of an earlier suggestion", () => {
  it("gives all of it where it was asked for", () => {
    expect(left("return █", "a + b", "return █")).toEqual({ text: "a + b", replaces: 0 });
  });

  it("gives the rest of what was typed along", () => {
    expect(left("return █", "a + b", "return a +█")).toEqual({ text: " b", replaces: 0 });
  });

  it("gives the rest across lines and indentation that the editor added", () => {
    const insert = "if a:\n        return b\n    return a";
    expect(left("    █\nx", insert, "    if a:\n        █\nx")).toEqual({
      text: "return b\n    return a",
      replaces: 0,
    });
  });

  it("gives nothing when something else was typed", () => {
    expect(left("return █", "a + b", "return x█")).toBeUndefined();
  });

  it("gives nothing when all of it was typed", () => {
    expect(left("return █", "a", "return a█")).toBeUndefined();
  });

  it("gives nothing before the place", () => {
    expect(left("return █", "a + b", "retur█")).toBeUndefined();
  });

  it("gives nothing when the text before or behind the cursor has changed", () => {
    expect(left("x = 1\nreturn █", "a", "x = 2\nreturn █")).toBeUndefined();
    expect(left("return █\nx = 1", "a", "return █\nx = 2")).toBeUndefined();
  });

  it("gives nothing in another document", () => {
    expect(typedSince(cursorIn("return █"), cursorIn("return █", "file:///b.py"))).toBeUndefined();
  });

  it("replaces brackets that the editor closed while the suggestion was typed along", () => {
    expect(left("x = █\n", "f(a, [b])", "x = f(█)\n")).toEqual({ text: "a, [b])", replaces: 1 });
    expect(left("x = █\n", "f(a, [b])", "x = f(a, [█])\n")).toEqual({ text: "b])", replaces: 2 });
    expect(left("x = █", "f(a)", "x = f(█)")).toEqual({ text: "a)", replaces: 1 });
  });

  it("gives nothing when the editor closed what the suggestion leaves open", () => {
    expect(left("x = █\n", "f(a", "x = f(█)\n")).toBeUndefined();
  });

  it("works at the end of what was read of a long document", () => {
    const line = "value = 1\n";
    const before = line.repeat(5000);
    const old = cursorIn(`${before}return █\n${before}`);
    // A window moved by one line: its start differs, its end does not.
    const now = {
      ...cursorIn(`${before}return a█\n${before}`),
      prefix: `${before}return a`.slice(line.length),
    };
    expect(typedSince(old, now)).toEqual({ typed: "a", closers: "" });
  });
});
