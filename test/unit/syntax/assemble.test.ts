import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assemble, MAX_COMPLETION_LENGTH } from "../../../shared/syntax/cursor/assemble.ts";
import { LANGUAGES, type Language } from "../../../shared/syntax/languages/languages.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { cursorCases } from "./cursor-corpus.ts";

const cases = cursorCases();
/** Property runs in all; each is some milliseconds. */
const RUNS = 150;

/** Bits of code that, put together at random, are nearly programs in one of the languages. */
const FRAGMENTS = [
  ..."(){}[];:,.\"'`#<>=/*\\|&$@!?\n\r\t ".split(""),
  ...[
    "def f(x):",
    "return x",
    "function f(x) {",
    "}\n",
    "    ",
    "end\n",
    "class A {",
    "```python\n",
    "\n```\n",
  ],
  ...[
    "if x:",
    "<div>",
    "</div>",
    '"""',
    "'''",
    "/*",
    "*/",
    "//",
    "\r\n",
    "<think>",
    "</think>",
    "fi",
    "done",
  ],
  ...[
    "${",
    "$(",
    "<<EOF\n",
    "\uD800",
    "\uFEFF",
    "é",
    "😀",
    "x",
    "1",
    "<?php ",
    "?>",
    'R"(',
    '@"',
    "=>",
    "->",
  ],
];
/** The text again and again with another number for N each time: real code does not repeat itself literally. */
function numbered(text: string, times: number): string {
  return Array.from({ length: times }, (_, index) => text.replaceAll("N", String(index * 7919 + 13))).join(
    "",
  );
}

const code = fc.array(fc.constantFrom(...FRAGMENTS), { maxLength: 60 }).map((parts) => parts.join(""));
const language = fc.constantFrom(...LANGUAGES);

test("any completion in any document gives a bounded result and never throws", async () => {
  const runtime = await testRuntime();
  await fc.assert(
    fc.asyncProperty(code, code, code, language, async (prefix, completion, suffix, one) => {
      const found = await assemble({ prefix, completion, suffix, language: one }, runtime);
      expect(found.reason === null).toBe(found.valid);
      if (found.valid) expect(found.insert.trim()).not.toBe("");
      expect(found.insert.length).toBeLessThanOrEqual(
        8 * completion.length + 100 * (completion.split(/\n|\r/).length + 1),
      );
      for (const diagnostic of found.diagnostics) {
        expect(diagnostic.line).toBeGreaterThan(0);
        expect(diagnostic.column).toBeGreaterThan(0);
      }
    }),
    { numRuns: RUNS },
  );
}, 120_000);

test("what is inserted consists of characters of the completion, in order, and white space", async () => {
  const runtime = await testRuntime();
  const solid = (text: string) => text.replace(/\s+/g, "");
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...cases), code, fc.nat(200), async (one, noise, at) => {
      const completion = one.completion.slice(0, at) + noise + one.completion.slice(at);
      const { insert } = await assemble({ ...one, completion }, runtime);
      // A subsequence: dropping parts is fine, adding or moving is not.
      let from = 0;
      const given = solid(completion);
      for (const character of solid(insert)) {
        from = given.indexOf(character, from) + 1;
        expect(from).toBeGreaterThan(0);
      }
    }),
    { numRuns: RUNS },
  );
}, 120_000);

test("the same completion gives the same result whatever was assembled before", async () => {
  const runtime = await testRuntime();
  const sample = cases.filter((_, index) => index % 9 === 0);
  const first = [];
  for (const one of sample) first.push(await assemble(one, runtime));
  for (const [index, one] of [...sample.entries()].reverse()) {
    expect(await assemble(one, runtime)).toEqual(first[index]);
  }
});

test("inserting what was found is final: the insertion itself assembles to itself", async () => {
  const runtime = await testRuntime();
  for (const one of cases.filter(({ outcome }) => outcome === "valid")) {
    const { insert, unit } = await assemble(one, runtime);
    const again = await assemble({ ...one, completion: insert }, runtime);
    expect({ title: one.title, insert: again.insert, unit: again.unit }).toEqual({
      title: one.title,
      insert,
      unit,
    });
  }
}, 120_000);

test("more document before the unit than fits the window changes nothing in what is inserted", async () => {
  const runtime = await testRuntime();
  const filler: Partial<Record<Language, string>> = {
    python: "def filler_N(value_N):\n    return value_N % N\n\n\n",
    javascript: "function fillerN(valueN) {\n  return valueN % N;\n}\n\n",
    c: "int fillerN(int valueN)\n{\n    return valueN % N;\n}\n\n",
    go: "func fillerN(valueN int) int {\n\treturn valueN % N\n}\n\n",
    ruby: "def filler_N(value_N)\n  value_N % N\nend\n\n",
    bash: 'filler_N() {\n  echo "$N" valueN\n}\n\n',
  };
  for (const one of cases.filter(({ prefix }, index) => /^\S/.test(prefix) && index % 4 === 0)) {
    const text = filler[one.language];
    // A module without functions, or one that is broken, is read differently when more stands before it.
    if (text === undefined || one.outcome !== "valid" || /broken|open at the end|relative/.test(one.name))
      continue;
    const plain = await assemble(one, runtime);
    const long = await assemble({ ...one, prefix: numbered(text, 1200) + one.prefix }, runtime);
    expect({ title: one.title, insert: long.insert, valid: long.valid }).toEqual({
      title: one.title,
      insert: plain.insert,
      valid: true,
    });
  }
}, 120_000);

describe("large and hostile inputs", () => {
  const hostile: Record<string, string> = {
    "nested brackets": "(".repeat(10_000) + ")".repeat(10_000),
    "open brackets": "[{(".repeat(8_000),
    backticks: "`".repeat(30_000),
    "one long line": "x = 1; ".repeat(4_500),
    "equal lines": "x\n".repeat(15_000),
    "closing brackets": "}\n".repeat(15_000),
    quotes: "\"'".repeat(15_000),
    "invalid UTF-16": "\uD800".repeat(20_000),
    "blank lines": "\n".repeat(30_000),
    "deep indentation": Array.from({ length: 250 }, (_, depth) => `${" ".repeat(depth)}if x:`).join("\n"),
    fences: "```\n".repeat(7_000),
    "deep expressions": Array.from({ length: 900 }, (_, index) => `!-~a${index} < `).join("("),
    "deep comparisons": Array.from({ length: 3_000 }, (_, index) => `a<b${index}<`).join(""),
  };
  test.each(Object.entries(hostile))(
    "%s: an answer for every language",
    async (_, completion) => {
      const runtime = await testRuntime();
      for (const one of LANGUAGES) {
        const found = await assemble(
          { prefix: "f(a) {\n    ", completion, suffix: "\n}\n", language: one },
          runtime,
        );
        expect(found.reason === null).toBe(found.valid);
        expect(found.unit.length).toBeLessThan(100_000);
      }
    },
    120_000,
  );

  test.each(Object.entries(hostile))(
    "a document of %s",
    async (_, text) => {
      const runtime = await testRuntime();
      for (const one of LANGUAGES) {
        const found = await assemble(
          { prefix: text, completion: "x = 1", suffix: text, language: one },
          runtime,
        );
        expect(found.reason === null).toBe(found.valid);
      }
    },
    120_000,
  );

  test("a completion beyond the limit is too large, and says so", async () => {
    const completion = "x = 1\n".repeat(MAX_COMPLETION_LENGTH / 6 + 1);
    const found = await assemble(
      { prefix: "", completion, suffix: "", language: "python" },
      await testRuntime(),
    );
    expect(found).toMatchObject({ insert: "", valid: false });
    expect(found.reason).toMatch(/too large/);
  });

  test("in a file of 50,000 lines the unit and the insertion are those of a small one", async () => {
    const runtime = await testRuntime();
    const methods = numbered(
      "    def step_N(self, value):\n        count_N = value + N\n        return count_N\n\n",
      6000,
    );
    const prefix = `class Machine:\n${methods}    def last(self, value):\n        total = 0\n        `;
    const completion =
      "for item in value:\n            total += item\n        return total\n\n    def step_7(self):\n        pass\n";
    const found = await assemble(
      { prefix, completion, suffix: `\n\n${methods}`, language: "python" },
      runtime,
    );
    expect(found).toMatchObject({
      insert: "for item in value:\n            total += item\n        return total",
      unit: "def last(self, value):\n    total = 0\n    for item in value:\n        total += item\n    return total",
      valid: true,
    });
  });

  test("inside a class longer than the window, what follows the class's method is cut off all the same", async () => {
    const runtime = await testRuntime();
    const methods = numbered("    int stepN(int valueN) {\n        return valueN + N;\n    }\n\n", 3000);
    const prefix = `package a;\n\nclass Machine {\n${methods}    int last(int value) {\n        `;
    const completion = "return value * 2;\n    }\n\n    void other() {\n    }\n}\n";
    const suffix = `\n    }\n\n${methods}}\n`;
    const found = await assemble({ prefix, completion, suffix, language: "java" }, runtime);
    expect(found).toMatchObject({
      insert: "return value * 2;",
      unit: "int last(int value) {\n    return value * 2;\n}",
      valid: true,
    });
    const bad = await assemble(
      { prefix, completion: "return value * (2;", suffix, language: "java" },
      runtime,
    );
    expect(bad.valid).toBe(false);
  });
});

test("diagnostics name the line of the document with the insertion", async () => {
  const prefix = "def f(x):\n    y = 1\n    ";
  const completion = "z = (x\n    return y";
  const found = await assemble({ prefix, completion, suffix: "\n", language: "python" }, await testRuntime());
  expect(found.valid).toBe(false);
  expect(found.diagnostics[0]?.line).toBeGreaterThanOrEqual(3);
  expect(found.diagnostics[0]?.line).toBeLessThanOrEqual(4);
  expect(found.reason).toContain(`line ${found.diagnostics[0]?.line}`);
});
