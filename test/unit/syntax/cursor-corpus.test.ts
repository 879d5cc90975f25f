import { describe, expect, test } from "vitest";
import { assemble } from "../../../shared/syntax/cursor/assemble.ts";
import { LANGUAGES } from "../../../shared/syntax/languages/languages.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { cursorCases, strayFiles } from "./cursor-corpus.ts";

const cases = cursorCases();

test("the corpus has at least 200 cases, at least ten of each language, and no other files", () => {
  expect(cases.length).toBeGreaterThanOrEqual(200);
  for (const language of LANGUAGES) {
    expect(cases.filter((one) => one.language === language).length, language).toBeGreaterThanOrEqual(10);
  }
  expect(strayFiles()).toEqual([]);
});

describe.each(LANGUAGES)("%s", (language) => {
  const own = cases.filter((one) => one.language === language);
  test.each(own.map((one) => [one.title, one] as const))("%s", async (_, one) => {
    const found = await assemble(one, await testRuntime());
    const outcome = found.valid ? "valid" : found.insert === "" && found.unit === "" ? "nothing" : "invalid";
    const seen = { outcome, insert: found.insert, unit: found.unit };
    expect(seen).toEqual({
      outcome: one.outcome,
      insert: one.insert ?? seen.insert,
      unit: one.unit ?? seen.unit,
    });
    expect(found.reason === null).toBe(found.valid);
    if (one.reason !== undefined) expect(found.reason).toMatch(one.reason);
  });
});
