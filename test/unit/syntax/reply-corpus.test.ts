import { describe, expect, test } from "vitest";
import { extract } from "../../../shared/syntax/extract/extract.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { type ReplyCase, replyCases, strayFiles, styleCases } from "./reply-corpus.ts";

const cases = replyCases();
const styles = styleCases();

test("the corpus is as large as promised and has no file that nobody reads", () => {
  expect(cases.length).toBeGreaterThanOrEqual(300);
  expect(styles.length).toBeGreaterThanOrEqual(60);
  expect(strayFiles()).toEqual([]);
});

describe("a reply of a chat model", () => {
  test.each(cases)("$title", async (one) => {
    const { reply, language, mode } = one;
    const result = await extract(reply, { language, mode }, await testRuntime());

    expect(result).toMatchObject(expectationOf(one));
    if (one.outcome !== "valid") expect(result.reason ?? "").not.toBe("");
    if (one.reason) expect(result.reason).toMatch(one.reason);
    if (one.at !== undefined) expect(result.diagnostics[0]?.line).toBe(one.at);
  });
});

/** What the case says about the result, and nothing that it leaves open. */
function expectationOf(one: ReplyCase): Record<string, unknown> {
  return {
    mode: one.mode,
    valid: one.outcome === "valid",
    ...(one.outcome === "valid" && { reason: null, language: one.reported }),
    ...(one.code !== undefined && { code: one.code }),
    ...(one.origin && { origin: one.origin }),
    ...(one.blocks !== undefined && { blocks: one.blocks }),
  };
}

describe("the same program in every style of reply", () => {
  test.each(styles)("$title", async ({ language, code, markdown, unfenced, prose, bare }) => {
    const found: Record<string, string> = {};
    for (const [style, reply] of Object.entries({ markdown, unfenced, prose, bare })) {
      found[style] = (await extract(reply, { language, mode: "lenient" }, await testRuntime())).code;
    }
    expect(found).toEqual({ markdown: code, unfenced: code, prose: code, bare: code });
  });

  test("does not depend on a language being given", async () => {
    const wrong: string[] = [];
    for (const { title, language, code, markdown, prose, bare } of styles) {
      for (const reply of [markdown.replaceAll(/^```\w+/gm, "```"), prose, bare]) {
        const result = await extract(reply, { language: undefined, mode: "lenient" }, await testRuntime());
        if (result.code !== code || result.language !== language) wrong.push(`${title}: ${result.language}`);
      }
    }
    // What is a program of C and of C++ alike may be called either.
    expect(wrong.filter((one) => !/cpp.*: c$/.test(one))).toEqual([]);
  });
});
