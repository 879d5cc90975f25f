import { describe, expect, it } from "vitest";
import {
  firstPart,
  type Lines,
  lastPart,
  PREFIX_LENGTH,
  SUFFIX_LENGTH,
  textAround,
  withEarlierCells,
} from "../../../../src/editor/cursor-context.ts";

/** A document that counts how many of its lines are read. */
function documentOf(text: string): Lines & { readonly reads: () => number } {
  const lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
  const lines = text.split(lineEnd);
  let reads = 0;
  return {
    count: lines.length,
    at: (index) => {
      reads += 1;
      return lines[index] ?? "";
    },
    lineEnd,
    reads: () => reads,
  };
}

describe("the text around a cursor", () => {
  it("is the whole document where that is short", () => {
    expect(textAround(documentOf("ab\ncd\nef"), { line: 1, character: 1 })).toEqual({
      prefix: "ab\nc",
      suffix: "d\nef",
    });
  });

  it("keeps the document's line ends", () => {
    expect(textAround(documentOf("ab\r\ncd\r\n"), { line: 1, character: 0 })).toEqual({
      prefix: "ab\r\n",
      suffix: "cd\r\n",
    });
  });

  it("is bounded at whole lines in a document of 50,000 lines, of which few are read", () => {
    const document = documentOf(
      Array.from({ length: 50_000 }, (_, index) => `value_${index} = ${index}`).join("\n"),
    );
    const { prefix, suffix } = textAround(document, { line: 25_000, character: 5 });
    expect(prefix.length).toBeLessThanOrEqual(PREFIX_LENGTH);
    expect(prefix.length).toBeGreaterThan(PREFIX_LENGTH - 100);
    expect(prefix).toMatch(/^value_\d+ = /);
    expect(prefix.endsWith("value")).toBe(true);
    expect(suffix.length).toBeLessThanOrEqual(SUFFIX_LENGTH);
    expect(suffix).toMatch(/value_\d+ = \d+$/);
    expect(document.reads()).toBeLessThan(5000);
  });

  it("is cut within one line that is too long by itself", () => {
    const { prefix, suffix } = textAround(documentOf(`x\n${"a".repeat(500_000)}\ny`), {
      line: 1,
      character: 250_000,
    });
    expect(prefix).toBe("a".repeat(PREFIX_LENGTH));
    expect(suffix).toBe("a".repeat(SUFFIX_LENGTH));
  });
});

describe("the text of a notebook cell", () => {
  it("has the cells before it, without what speaks to the notebook", () => {
    expect(
      withEarlierCells(["%load_ext c\nimport a\n%matplotlib inline", "!pip install b"], "a.", "\n"),
    ).toBe("import a\n\na.");
  });

  it("has the nearest cells where not all fit", () => {
    const far = "x".repeat(PREFIX_LENGTH);
    expect(withEarlierCells([far, "near"], "a.", "\n")).toBe("near\n\na.");
  });
});

describe("what a completion model reads", () => {
  it("starts and ends at a line where one is near", () => {
    expect(lastPart("aaaa\nbbbb", 6)).toBe("bbbb");
    expect(firstPart("aaaa\nbbbb", 6)).toBe("aaaa");
  });

  it("is cut within a line that is too long", () => {
    expect(lastPart("aaaaaaaa", 4)).toBe("aaaa");
    expect(firstPart("aaaaaaaa", 4)).toBe("aaaa");
  });
});
