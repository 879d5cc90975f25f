import { expect, test } from "vitest";
import type { Language } from "../../../shared/syntax/languages/languages.ts";
import { normalForm } from "../../../shared/syntax/programs/normal-form.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";

async function same(language: Language, first: string, second: string): Promise<boolean> {
  const runtime = await testRuntime();
  return (await normalForm(first, language, runtime)) === (await normalForm(second, language, runtime));
}

const EQUAL: readonly [name: string, Language, string, string][] = [
  [
    "comments and blank lines",
    "python",
    "def f(x):\n    # double it\n    return 2 * x  # done\n",
    "def f(x):\n\n    return 2*x",
  ],
  ["a comment alone in a block", "python", "if a:\n    # why\n    b()\n", "if a:\n    b()\n"],
  ["indentation", "python", "if a:\n    b()\n    c()\n", "if a:\n  b()\n  c()\n"],
  ["a block on one line", "python", "if a: b()\n", "if a:\n    b()\n"],
  ["quotes", "python", "x = 'it' + \"'\"\n", "x = \"it\" + '\\''\n"],
  ["trailing commas and wrapping", "python", "f(\n    a,\n    b,\n)\n", "f(a, b)"],
  ["line continuation", "python", "x = a + \\\n    b\n", "x = a + b\n"],
  ["semicolons at line ends", "javascript", "const a = 1;\nf(a);\n", "const a = 1\nf(a)\n"],
  ["quotes in scripts", "typescript", "import { a } from 'b';\n", 'import {a} from "b"\n'],
  ["chains over lines", "javascript", "a.b()\n  .c()\n  .d();\n", "a.b().c().d();\n"],
  [
    "where the brace stands",
    "java",
    "class A\n{\n  int f()\n  {\n    return 1;\n  }\n}\n",
    "class A { int f() { return 1; } }",
  ],
  [
    "comments over lines",
    "cpp",
    "/* one\n two */ int f(int a /* in */) { return a; }\n",
    "int f(int a) { return a; }\n",
  ],
  [
    "documentation",
    "rust",
    "/// Adds.\nfn f(a: i32,) -> i32 {\n    a // it\n}\n",
    "fn f(a: i32) -> i32 { a }",
  ],
  ["alignment", "go", "func f() {\n\tx   := 1\n\n\tg(x)\n}\n", "func f() {\n\tx := 1\n\tg(x)\n}\n"],
  ["wrapped arguments", "kotlin", "fun f() = g(\n    1,\n    2,\n)\n", "fun f() = g(1, 2)\n"],
  ["then on its own line", "bash", "if a\nthen\n  b\nfi\n", "if a; then b; fi\n"],
  ["white space between tags", "tsx", "const a = <b>\n  hi\n</b>;\n", "const a = <b>hi</b>;\n"],
];

test.each(EQUAL)("programs that differ only in %s are the same", async (_, language, first, second) => {
  expect(await same(language, first, second)).toBe(true);
});

const DIFFERENT: readonly [name: string, Language, string, string][] = [
  ["names", "python", "def f(x):\n    return x\n", "def f(y):\n    return y\n"],
  ["what belongs to a block", "python", "if a:\n    b()\nc()\n", "if a:\n    b()\n    c()\n"],
  ["a tuple of one", "python", "x = (1,)\n", "x = (1)\n"],
  ["the text of a string", "python", 'x = "a  b"\n', 'x = "a b"\n'],
  ["what looks like a comment in a string", "python", 'x = "# a"\n', 'x = "# b"\n'],
  ["raw strings", "python", 'x = r"\\n"\n', 'x = "\\n"\n'],
  ["interpolation", "ruby", 'x = "#{a}"\n', "x = '#{a}'\n"],
  ["expansion", "bash", 'echo "$a"\n', "echo '$a'\n"],
  ["a hole in an array", "javascript", "const a = [1,,];\n", "const a = [1,];\n"],
  ["a value and a statement", "rust", "fn f() -> i32 { 1 }\n", "fn f() { 1; }\n"],
  ["two operators and one", "c", "int x = a - -b;\n", "int x = a-- - b;\n"],
  ["a character and a string", "java", "class A { Object a = 'x'; }\n", 'class A { Object a = "x"; }\n'],
  ["the parts of a loop", "javascript", "for (a(); ; ) {}\n", "for (; a(); ) {}\n"],
];

test.each(DIFFERENT)("programs that differ in %s are different", async (_, language, first, second) => {
  expect(await same(language, first, second)).toBe(false);
});

test("the form of a form is itself, and what is too large to parse is its own form", async () => {
  const runtime = await testRuntime();
  const form = await normalForm("def f(x): return x", "python", runtime);
  expect(await normalForm(form, "python", runtime)).toBe(form);
  const large = "(".repeat(100_000);
  expect(await normalForm(large, "python", runtime)).not.toBe(
    await normalForm(`${large}(`, "python", runtime),
  );
});
