import fc from "fast-check";
import { expect, test } from "vitest";
import { LANGUAGES } from "../../../shared/syntax/languages/languages.ts";
import { problemAt } from "../../../shared/syntax/units/problem.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { cursorCases } from "./cursor-corpus.ts";

const PREFIX = [
  "import json",
  "import os",
  "from decimal import Decimal",
  "",
  "LIMIT = 10",
  "",
  "def unrelated():",
  "    return 1",
  "",
  "class Cart:",
  "    def __init__(self):",
  "        self.items = []",
  "",
  "    def add(self, item):",
  "        self.items.append(item)",
  "",
  "    def total(self, discount: Decimal) -> Decimal:",
  '        """Sum of all prices,',
  '        less the discount."""',
  "        ",
].join("\n");

test("a method is asked for by its documentation, its signature, and what it may use", async () => {
  const problem = await problemAt({ prefix: PREFIX, suffix: "\n", language: "python" }, await testRuntime());
  expect(problem).toBe(
    [
      "Write the Python method `total` of `Cart`.",
      "",
      "Sum of all prices,",
      "less the discount.",
      "",
      "Signature:",
      "```python",
      "class Cart",
      "    def total(self, discount: Decimal) -> Decimal",
      "```",
      "",
      "It may use:",
      "```python",
      "import json",
      "import os",
      "from decimal import Decimal",
      "def unrelated()",
      "def __init__(self)",
      "self.items = []",
      "def add(self, item)",
      "```",
    ].join("\n"),
  );
});

test("an instruction comes first, and the file is named without its folder", async () => {
  const problem = await problemAt(
    {
      prefix: PREFIX,
      suffix: "\n",
      language: "python",
      path: "/home/me/shop/cart.py",
      instruction: "Round to cents.",
    },
    await testRuntime(),
  );
  expect(problem).toMatch(
    /^Write the Python method `total` of `Cart` in cart\.py\.\n\nRound to cents\.\n\nSum of all/,
  );
  expect(problem).not.toContain("/home");
});

test("a comment above an empty place says what is wanted there", async () => {
  const prefix = "class Disc {\n    double r;\n\n    /**\n     * Area of the disc.\n     */\n    ";
  const problem = await problemAt({ prefix, suffix: "\n}\n", language: "java" }, await testRuntime());
  expect(problem).toContain("Area of the disc.");
  expect(problem).toContain("class Disc");
  expect(problem).toContain("double r;");
});

test("a script without functions is asked for by what stands before the cursor", async () => {
  const prefix = "files=(*.log)\n";
  const problem = await problemAt({ prefix, suffix: "", language: "bash" }, await testRuntime());
  expect(problem).toContain("It follows on:\n```bash\nfiles=(*.log)\n```");
});

test("what is used comes before what is not, where not all fits", async () => {
  const others = Array.from(
    { length: 300 },
    (_, index) => `def other_${index}(value):\n    return ${index}\n\n`,
  );
  const prefix = `${others.join("")}def wanted(x):\n    y = other_299(x)\n    `;
  const problem = await problemAt({ prefix, suffix: "\n", language: "python" }, await testRuntime());
  expect(problem).toContain("def other_299(value)");
  expect(problem).toContain("def other_0(value)");
  expect(problem).not.toContain("def other_298(value)");
});

test("the problem is bounded, the same every time, and never fails", async () => {
  const runtime = await testRuntime();
  const cases = cursorCases();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...cases),
      fc.nat(500),
      fc.nat(500),
      fc.constantFrom(...LANGUAGES),
      async (one, cut, more, language) => {
        const text = one.prefix + one.suffix;
        const task = {
          prefix: text.slice(0, cut),
          suffix: text.slice(cut + more),
          language,
          instruction: one.completion,
        };
        const problem = await problemAt(task, runtime);
        expect(problem.length).toBeLessThan(10_000);
        expect(await problemAt(task, runtime)).toBe(problem);
      },
    ),
    { numRuns: 100 },
  );
  const long = await problemAt(
    {
      prefix: `# ${"x".repeat(100_000)}\n${"import a\n".repeat(9000)}`,
      suffix: "",
      language: "python",
      instruction: "y".repeat(50_000),
    },
    runtime,
  );
  expect(long.length).toBeLessThan(10_000);
}, 60_000);
