/** What becomes of completions at cursor positions in real packages; the fixture's README says where they are from. */
import { describe, expect, test } from "vitest";
import { assemble } from "../../../shared/syntax/cursor/assemble.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { realPositions, realSamples } from "./real-positions.ts";

const MEASURED = ["python", "typescript", "go", "rust", "java"] as const;
const positions = realPositions();

test("the corpus has at least 1,000 positions, 200 in each language, of five kinds", () => {
  expect(positions.length).toBeGreaterThanOrEqual(1000);
  for (const language of MEASURED) {
    expect(positions.filter((one) => one.language === language).length, language).toBeGreaterThan(200);
  }
  expect([...new Set(positions.map(({ kind }) => kind))].sort()).toEqual(
    ["brackets", "line", "literal", "unclosed", "word"], // As the README names them.
  );
});

describe("what the author wrote", () => {
  test.each(MEASURED)(
    "comes through unchanged at 99 of 100 positions: %s",
    async (language) => {
      const own = positions.filter((one) => one.language === language);
      const lost: string[] = [];
      for (const one of own) {
        const found = await assemble({ ...one, completion: one.middle }, await testRuntime());
        if (!found.valid || found.insert.trim() !== one.middle.trim()) lost.push(one.id);
      }
      expect(lost.length / own.length, lost.join("\n")).toBeLessThanOrEqual(0.01);
    },
    60_000,
  );
});

test("of what a real model wrote inside brackets, nothing that is inserted leaves them", async () => {
  const known = new Map(positions.map((one) => [one.id, one]));
  const samples = realSamples("0.5b");
  expect(samples.length).toBeGreaterThanOrEqual(600);
  const leaving: string[] = [];
  for (const { id, text } of samples) {
    const one = known.get(id);
    if (one === undefined) throw new Error(`The corpus has no position ${id}.`);
    if (one.kind !== "brackets") continue;
    const { insert, valid } = await assemble({ ...one, completion: text }, await testRuntime());
    if (valid && leaves(insert)) leaving.push(`${id}: ${insert}`);
  }
  expect(leaving).toEqual([]);
}, 60_000);

/** A bracket is closed that the text did not open; strings are skipped. */
function leaves(text: string): boolean {
  let depth = 0;
  for (const character of text.replace(/"[^"\n]*"|'[^'\n]*'|`[^`]*`/g, "")) {
    if ("([{".includes(character)) depth += 1;
    if (")]}".includes(character)) depth -= 1;
    if (depth < 0) return true;
  }
  return false;
}
