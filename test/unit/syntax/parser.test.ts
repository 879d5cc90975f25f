import { expect, test } from "vitest";
import { LANGUAGES, type Language } from "../../../shared/syntax/languages/languages.ts";
import { MAX_TEXT_LENGTH } from "../../../shared/syntax/parsing/budget.ts";
import { testRuntime } from "./runtime.ts";

const SAMPLES: Record<Language, string> = {
  python: "def f(x):\n    return x + 1\n",
  javascript: "const f = (x) => <b>{x + 1}</b>;\n",
  typescript: "const f = (x: number): number => <number>x + 1;\n",
  tsx: "const f = (x: number) => <b>{x}</b>;\n",
  java: "class A { int f(int x) { return x + 1; } }\n",
  c: "int f(int x) { return x + 1; }\n",
  cpp: "template <class T> auto f(T x) { return x + 1; }\n",
  csharp: "class A { int F(int x) => x + 1; }\n",
  go: "package main\n\nfunc f(x int) int { return x + 1 }\n",
  rust: "fn f(x: i32) -> i32 { x + 1 }\n",
  ruby: "def f(x)\n  x + 1\nend\n",
  php: "function f($x) { return $x + 1; }\n",
  bash: 'f() {\n  echo "$(( $1 + 1 ))"\n}\n',
  kotlin: "fun f(x: Int): Int = x + 1\n",
};

test.each(LANGUAGES)(
  "a program in %s parses without errors, and without its last bracket with errors",
  async (language) => {
    const runtime = await testRuntime();
    await runtime.load(language);
    const whole = runtime.parse(language, SAMPLES[language]);
    expect(whole?.rootNode.hasError).toBe(false);
    whole?.delete();
    const broken = runtime.parse(language, `${SAMPLES[language].trimEnd()} ((`);
    expect(broken?.rootNode.hasError).toBe(true);
    broken?.delete();
  },
);

test("indices and positions count UTF-16 units", async () => {
  const runtime = await testRuntime();
  await runtime.load("python");
  const tree = runtime.parse("python", "a = '😀'; b = 1\n");
  const found = tree?.rootNode.descendantForIndex(10);
  expect(found?.text).toBe("b");
  expect(found?.startPosition).toEqual({ row: 0, column: 10 });
  tree?.delete();
});

test("PHP is understood with its opening tag, without it, and between HTML", async () => {
  const runtime = await testRuntime();
  await runtime.load("php");
  for (const text of ["<?php\necho 1;\n", "echo 1;\n", "<?php if ($a): ?>\n<b>yes</b>\n<?php endif; ?>\n"]) {
    const tree = runtime.parse("php", text);
    expect(tree?.rootNode.hasError, text).toBe(false);
    tree?.delete();
  }
  const prose = runtime.parse("php", "Here is the function that you asked for.\n");
  expect(prose?.rootNode.hasError).toBe(true);
  prose?.delete();
});

test("a text beyond the limit is not parsed", async () => {
  const runtime = await testRuntime();
  await runtime.load("c");
  expect(runtime.parse("c", " ".repeat(MAX_TEXT_LENGTH + 1))).toBeNull();
});

test("the text of nodes can be read any number of times", async () => {
  const runtime = await testRuntime();
  await runtime.load("python");
  const text = "first = 1\nlast = 2\n";
  const tree = runtime.parse("python", text);
  for (let times = 0; times < 1000; times++) tree?.rootNode.text;
  expect(tree?.rootNode.text).toBe(text);
  tree?.delete();
});
