/**
 * No regular expression of the product takes more than linear time on a hostile text, by recheck. Its verdicts are kept in
 * test/fixtures/patterns.json, since finding them all takes minutes: new patterns are checked here, and
 * `UPDATE_PATTERNS=1 npx vitest run test/unit/patterns` keeps their verdicts.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "recheck";
import { beforeAll, expect, test } from "vitest";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { BOUNDS, MOST_STEPS } from "./bounded.ts";
import { type Literal, literals, readSource, sourceFiles } from "./literals.ts";

const KEPT = join(import.meta.dirname, "../../fixtures/patterns.json");
/** Time for one pattern; the hardest take a fifth of it. */
const PATTERN_MS = 120_000;

/** The exponent of a pattern's time, 1 for linear; null for an exponential one. */
type Degree = number | null;

const kept: Readonly<Record<string, Degree>> = JSON.parse(readFileSync(KEPT, "utf8"));
const degrees = new Map<string, Degree>();
let all: Literal[];
beforeAll(async () => {
  all = await literals(await testRuntime());
  for (const { key, pattern, flags } of all) {
    const known = kept[key];
    degrees.set(key, known === undefined ? await degreeOf(pattern, flags) : known);
  }
  if (process.env["UPDATE_PATTERNS"] !== "1") return;
  const sorted = [...degrees].sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(KEPT, `${JSON.stringify(Object.fromEntries(sorted), null, 1)}\n`);
}, 3_600_000);

async function degreeOf(pattern: string, flags: string): Promise<Degree> {
  const verdict = await check(pattern, flags, { timeout: PATTERN_MS });
  if (verdict.status === "unknown") {
    throw new Error(`recheck says nothing on /${pattern}/${flags}: ${verdict.error.kind}`);
  }
  const { type } = verdict.complexity;
  if (type === "exponential") return null;
  return type === "polynomial" ? verdict.complexity.degree : 1;
}

function steps(most: number, degree: Degree): number {
  return degree === null ? Number.POSITIVE_INFINITY : most ** degree;
}

test("regular expressions are found at all, and the catastrophic kind is told", async () => {
  expect(all.length).toBeGreaterThan(400);
  expect(await degreeOf("^(?:[ \\t]*(?:>[ \\t]?|[-*+]))*x$", "")).toBe(null);
  expect(await degreeOf("\\s+$", "")).toBe(2);
  expect(await degreeOf("^\\s+", "")).toBe(1);
});

test("every one is linear, or reads a short text", () => {
  const slow = all.filter(({ key, files }) => {
    const degree = degrees.get(key) ?? null;
    if (degree === 1) return false;
    return files.some((file) => {
      const bound = BOUNDS.find(
        (one) => one.files.test(file) && (one.patterns?.some((pattern) => pattern.test(key)) ?? true),
      );
      return bound === undefined || steps(bound.most, degree) > MOST_STEPS;
    });
  });
  expect(slow.map(({ key, files }) => `${key} in ${files.join(", ")}: degree ${degrees.get(key)}`)).toEqual(
    [],
  );
});

test("every exception is still needed", () => {
  for (const { files, patterns, because } of BOUNDS) {
    const slow = all.filter(
      (one) =>
        degrees.get(one.key) !== 1 &&
        one.files.some((file) => files.test(file)) &&
        (patterns?.some((pattern) => pattern.test(one.key)) ?? true),
    );
    expect(slow.length, because).toBeGreaterThan(0);
  }
});

test("patterns made while the program runs are made of known words in these files alone", () => {
  const makers = sourceFiles().filter((file) => /\bRegExp\(/.test(readSource(file)));
  const known = [
    // Words of a model's vocabulary, one of them at a place, and a set of characters.
    "server/rendering/fragments.ts",
    "server/rendering/content-guard.ts",
    // Sets of characters.
    "server/rendering/python-strings.ts",
    // A run of blanks of fixed length.
    "server/rendering/template.ts",
    // Names of commands, on 240 characters of a line.
    "shared/syntax/languages/bash.ts",
    // Types of nodes.
    "shared/syntax/programs/normal-form.ts",
    // Control tokens, each of which is delimited.
    "shared/syntax/replies/reasoning.ts",
    "shared/syntax/replies/turn-tokens.ts",
    // The name of a tag.
    "shared/syntax/replies/wrappers.ts",
  ];
  expect(makers.sort()).toEqual(known.sort());
});
