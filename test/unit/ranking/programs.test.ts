import { expect, test } from "vitest";
import { programReader } from "../../../server/ranking/programs.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";

const INSIDE = "def f(a):\n    if a:\n        b()\n        c()";
const OUTSIDE = "def f(a):\n    if a:\n        b()\n    c()";
const COMMENTED = "def f(a):\n    if a:  # sometimes\n        b( )\n        c()";

function fenced(code: string): string {
  return `Here it is:\n\n\`\`\`python\n${code}\n\`\`\`\n`;
}

test("programs with the same tokens are one only where they have the same structure", async () => {
  const read = programReader(await testRuntime());
  const texts = [INSIDE, OUTSIDE, COMMENTED, INSIDE].map(fenced);
  const { entries } = await read({
    task: { question: "f calls c.", language: "python" },
    mode: "lenient",
    candidates: texts.map((text, index) => ({ id: String(index), text })),
  });
  const folded = entries.map(({ id, duplicates }) => [id, ...duplicates].sort().join(" "));
  expect(folded.sort()).toEqual(["0 2 3", "1"]);
});

test("completions with the same tokens are one only where they have the same structure", async () => {
  const read = programReader(await testRuntime());
  const texts = [INSIDE, OUTSIDE, COMMENTED].map((code) => code.replace("def f(a):\n", ""));
  const { entries } = await read({
    task: { prefix: "def f(a):\n", suffix: "", language: "python" },
    mode: "lenient",
    candidates: texts.map((text, index) => ({ id: String(index), text })),
  });
  const folded = entries.map(({ id, duplicates }) => [id, ...duplicates].sort().join(" "));
  expect(folded.sort()).toEqual(["0 2", "1"]);
});

test("programs of several blocks are folded with one of a single block", async () => {
  const read = programReader(await testRuntime());
  const [helper, main] = ["def g(x):\n    return x + 1", "def f(x):\n    return g(x) * 2"];
  const texts = [`${fenced(helper)}\nand then\n\n${fenced(main)}`, fenced(`${helper}\n\n\n${main}`)];
  const { entries } = await read({
    task: { question: "Write f and g.", language: "python" },
    mode: "lenient",
    candidates: texts.map((text, index) => ({ id: String(index), text })),
  });
  expect(entries.map(({ duplicates }) => duplicates.length)).toEqual([1]);
});
