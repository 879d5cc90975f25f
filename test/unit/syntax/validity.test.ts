import { expect, test } from "vitest";
import type { Language } from "../../../shared/syntax/languages/languages.ts";
import { check } from "../../../shared/syntax/programs/validity.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";

async function stateOf(language: Language, code: string): Promise<string> {
  const runtime = await testRuntime();
  await runtime.load(language);
  const { tree, verdict } = check(code, language, runtime);
  tree?.delete();
  return verdict.state;
}

const WRONG: readonly [Language, string, string][] = [
  ["python", "a block that is not indented", "def f():\nreturn 1"],
  ["python", "a missing block", "def f():"],
  ["python", "unexpected indentation", "x = 1\n  y = 2"],
  ["python", "indentation of no block", "def f():\n    a\n  b"],
  ["python", "tabs and spaces mixed", "def f():\n\ta\n        b"],
  ["python", "a print statement", "print 'x'"],
  ["python", "an operator of Python 2", "x <> y"],
  ["python", "a number of Python 2", "x = 0777"],
  ["javascript", "an object as a statement", '{"a": 1, "b": 2}'],
  ["javascript", "a function without a name", "function () {}"],
  ["python", "a parameter named twice", "def f(a, b, a):\n    return a"],
  [
    "python",
    "a default for a parameter named before",
    "class A:\n    def f(self, x, *, x=1):\n        pass\n    y = 1",
  ],
  ["python", "a lambda with a parameter named twice", "f = lambda x, x: x"],
  ["javascript", "a constant without a value", "const x;"],
  ["javascript", "a second constant without a value", "function f() { const a = 1, b; return a; }"],
  ["typescript", "a typed constant without a value", "const x: number;\nlet y = x;"],
  ["javascript", "an arrow function with a parameter named twice", "const f = (a, a) => a;"],
  ["javascript", "a method with a parameter named twice", "class A { f(a, b, a) { return a; } }"],
  ["javascript", "a default beside a parameter of the same name", "function f(a, a = 1) { return a; }"],
  ["typescript", "a typed parameter named twice", "export function f(a: number, a: string) { return a; }"],
  ["tsx", "a closing tag of another element", "const a = <h1>x</h2>;"],
  ["c", "a statement beside a function", "int f() { return 1; }\nf();"],
  ["java", "a statement beside a class", "class A { }\nSystem.out.println(1);"],
  ["go", "a brace on its own line", "func f()\n{\n}\n"],
  ["go", "imports behind a function", 'func f() {}\nimport "fmt"\n'],
  ["ruby", "an end too many", "def f\n  1\nend\nend"],
  ["bash", "a fi too many", "echo a\nfi"],
  ["php", "prose", "Here is the function you asked for."],
];

test.each(WRONG)("in %s, %s is invalid though the grammar takes it", async (language, _, code) => {
  expect(await stateOf(language, code)).toBe("invalid");
});

const RIGHT: readonly [Language, string, string][] = [
  ["python", "code in brackets over lines", "x = [\n  1,\n    2,\n]\n"],
  ["python", "a backslash at a line end", "x = 1 + \\\n        2\ny = 1\n"],
  ["python", "text at the margin in a string", 'def f():\n    """\nDoc:\n    """\n    return 1\n'],
  ["python", "comments at any indentation", "def f():\n# a\n    return 1\n  # b\nf()\n"],
  ["python", "a name that starts like a keyword", "printer = 1\nprint (1)\nexec_ = 2\n"],
  ["python", "a block on one line", "if a: b()\nelse: c()\n"],
  ["python", "parameters that look alike", "def f(a, b=a, *, c=(1, 1), **a_):\n    return lambda x, y=x: x"],
  ["javascript", "a name twice in sloppy code", "function f(a, a) { return a; }"],
  [
    "javascript",
    "constants in loops",
    "for (const x of xs) f(x);\nfor (const k in o) f(k);\nfor (const [a, b] of m) g(a, b);",
  ],
  ["javascript", "constants over lines", "const a = 1,\n  b = 2;\nconst\n  c = 3;"],
  [
    "typescript",
    "constants of a declaration",
    "declare const x: number;\ndeclare namespace A { const y: string; }",
  ],
  ["typescript", "enumerations and assertions", "const enum E { A }\nconst x = y as const;"],
  [
    "typescript",
    "overloads and types that repeat a name",
    "type F = (a: number, b: (a: number) => void) => void;\nfunction f(a: number): void;\nfunction f(a: string): void;\nfunction f(a: unknown) {}",
  ],
  ["kotlin", "a class on one line", "class A(val x: Int) { fun m() {} }"],
  ["c", "macros at the top", "TEST(a, b);\nint f() { return 1; }\n"],
  ["go", "a function without a package", "func f() int {\n\treturn 1\n}"],
  ["go", "a raw string with a brace", "func f() string {\n\treturn `if x\n{`\n}"],
  ["java", "a method without a class", "public int f(int x) { return x + 1; }"],
  ["java", "statements alone, as an excerpt", "int x = 1;\nSystem.out.println(x);"],
  ["tsx", "fragments and elements that close themselves", "const a = <><b /><c.d>x</c.d></>;"],
  ["rust", "macros at the top", "thread_local! { static A: u32 = 1; }\nfn f() {}\n"],
];

test.each(RIGHT)("in %s, %s is valid", async (language, _, code) => {
  expect(await stateOf(language, code)).toBe("valid");
});

test.each([
  ["python", "# only a comment"],
  ["python", "pass"],
  ["python", "..."],
  ["javascript", "// TODO\n"],
  ["java", "package a.b;"],
  ["c", "\n\n"],
] as const)("in %s, %j is nothing", async (language, code) => {
  expect(await stateOf(language, code)).toBe("nothing");
});

test.each([
  ["python", "(".repeat(100_000)],
  ["javascript", "case a: ".repeat(20_000)],
  ["typescript", "a<b,".repeat(16_000)],
  ["c", "x=>".repeat(5_000)],
  ["bash", "echo $(( ".repeat(3_000)],
] as const)(
  "in %s, what no parser gets through is too large or invalid, and the parser lives on",
  async (language, code) => {
    expect(["too large", "invalid"]).toContain(await stateOf(language, code));
    expect(await stateOf("python", "x = 1")).toBe("valid");
  },
);

test("faults name the place", async () => {
  const runtime = await testRuntime();
  await runtime.load("javascript");
  const { tree, verdict } = check("const a = 1;\nf(a;\n", "javascript", runtime);
  tree?.delete();
  expect(verdict).toMatchObject({ state: "invalid", faults: [{ at: { row: 1 } }] });
});

test("a token named like a property of all objects is a token like others", async () => {
  const runtime = await testRuntime();
  await runtime.load("kotlin");
  const { tree, verdict } = check("class A constructor", "kotlin", runtime);
  tree?.delete();
  const messages = verdict.state === "invalid" ? verdict.faults.map(({ message }) => message) : [];
  expect(messages.join()).not.toContain('"constructor" closes nothing');
  expect(verdict.state).toBe("invalid");
});
