/** What becomes of completions at cursor positions in real packages; the fixture's README says where they are from. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { assemble } from "../../../shared/syntax/cursor/assemble.ts";
import type { Language } from "../../../shared/syntax/languages/languages.ts";
import { testRuntime } from "./runtime.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures/syntax/cursor-real");
const MEASURED = ["python", "typescript", "go", "rust", "java"] as const satisfies readonly Language[];

const position = z.object({ kind: z.string(), start: z.number(), end: z.number(), resume: z.number() });
const file = z.object({
  file: z.string(),
  of: z.string(),
  language: z.enum(MEASURED),
  text: z.string(),
  positions: z.array(position),
});
const sample = z.object({ id: z.string(), text: z.string() });

interface Position {
  readonly id: string;
  readonly language: Language;
  readonly kind: string;
  readonly prefix: string;
  /** What the author wrote at the cursor. */
  readonly middle: string;
  readonly suffix: string;
}

function rows(name: string): unknown[] {
  const lines = gunzipSync(readFileSync(join(FIXTURES, name)))
    .toString("utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line));
}

function positionsIn(row: unknown): Position[] {
  const parsed = file.safeParse(row);
  if (!parsed.success) return [];
  const { text, language, of, file: path } = parsed.data;
  return parsed.data.positions.map(({ kind, start, end, resume }) => ({
    id: `${of}/${path}:${start}-${end}`,
    language,
    kind,
    prefix: text.slice(0, start),
    middle: text.slice(start, end),
    suffix: text.slice(resume),
  }));
}

let positions: Position[];
beforeAll(() => {
  positions = rows("corpus.jsonl.gz").flatMap(positionsIn);
});

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
  const samples = z.array(sample).parse(rows("samples-0.5b.jsonl.gz"));
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
