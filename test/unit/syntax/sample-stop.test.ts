import { describe, expect, test } from "vitest";
import { documentOf } from "../../../shared/syntax/cursor/assemble.ts";
import type { CursorDocument } from "../../../shared/syntax/cursor/document/document.ts";
import { type Stop, stopOf } from "../../../shared/syntax/cursor/sample-stop.ts";
import type { Language } from "../../../shared/syntax/languages/languages.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";
import { realPositions } from "./real-positions.ts";

/** A document with the cursor as █, and what a model writes there; ¦ is where it is cut. */
interface Sample {
  readonly language: Language;
  readonly document: string;
  readonly sample: string;
  /** Undefined where the sample goes on. */
  readonly because?: Stop["because"];
}

const SAMPLES: Record<string, Sample> = {
  "a function ends with the first line at its own margin": {
    language: "python",
    document: "def total(items):\n    █\n",
    sample:
      "result = 0\n    for item in items:\n        result += item\n    return result¦\n\n\ndef other():\n",
    because: "unit",
  },
  "a method ends where the next one starts": {
    language: "python",
    document: "class Stack:\n    def pop(self):\n        █\n",
    sample: "return self.items.pop()¦\n\n    def push(self, item):\n",
    because: "unit",
  },
  "a comment in front of the next function is left out": {
    language: "python",
    document: "def a():\n    █",
    sample: "return 1¦\n\n# The other one.\ndef b():\n",
    because: "unit",
  },
  "text at the margin in a string does not end a function": {
    language: "python",
    document: "def usage():\n    █",
    sample: 'print("""\nusage: tool\n""")\n    return 1\n',
  },
  "a block ends where its branch goes on below": {
    language: "python",
    document: "def f(a):\n    if a:\n        █\n    else:\n        return 2\n",
    sample: "return 1¦\n    print(a)\n",
    because: "block",
  },
  "a text runs into the next line of the document": {
    language: "python",
    document: "def f(items):\n    total = 0\n    █\n    return total\n",
    sample: "for item in items:\n        total += item¦\n    return total\n",
    because: "suffix",
  },
  "a statement ends where the document goes on below": {
    language: "python",
    document: "def f(a):\n    width = █\n    height = 2\n    return width * height\n",
    sample: "max(\n        a,\n        1,\n    )¦\n    depth = 3\n",
    because: "statement",
  },
  "a first function under a comment is one": {
    language: "python",
    document: "# Adds two numbers.\n█",
    sample: "def add(a, b):\n    return a + b¦\n\ndef sub(a, b):\n",
    because: "unit",
  },
  "statements at the top of a file go on": {
    language: "python",
    document: "import sys\n█",
    sample: "import os\n\nroot = os.getcwd()\nprint(root)\n",
  },
  "the body ends in front of the bracket that the document has": {
    language: "typescript",
    document: "function area(r: number): number {\n  █\n}\n\nexport const x = 1;\n",
    sample: "return Math.PI * r * r;¦\n}\n\nfunction b() {\n",
    because: "block",
  },
  "a branch that goes on is no end": {
    language: "typescript",
    document: "function f(a: number) {\n  if (a > 0) {\n    █\n  }\n}\n",
    sample: "return 1;\n  } else {\n    return 2;\n",
  },
  "the closer of a function that the document lacks belongs to it": {
    language: "typescript",
    document: "export const twice = (n: number) => {\n  █",
    sample: "return n * 2;\n};¦\n\nexport const x",
    because: "unit",
  },
  "arguments end in front of the document's bracket": {
    language: "typescript",
    document: "console.log(█);\nrun();\n",
    sample: "a, b¦);\nrun",
    because: "block",
  },
  "a string ends in front of the document's quote": {
    language: "typescript",
    document: 'const name = "█";\n',
    sample: 'Ada Lovelace¦";\nconst age',
    because: "suffix",
  },
  "a statement within a line ends with the line": {
    language: "typescript",
    document: "const total = █ + tax;\nexport { total };\n",
    sample: "price * count¦\nconst x = 1",
    because: "statement",
  },
  "an expression goes on over lines that start with an operator": {
    language: "typescript",
    document: "function f(list: number[]) {\n  const odd = █\n  return odd;\n}\n",
    sample: "list\n    .filter((n) => n % 2)\n    .map((n) => n + 1);¦\n  return odd;\n",
    because: "statement",
  },
  "a bracket in a string closes nothing": {
    language: "typescript",
    document: "function f() {\n  █\n}\n",
    sample: 'return "}";\n',
  },
  "a method ends with its bracket": {
    language: "java",
    document: "class A {\n  int size() {\n    █",
    sample: "return n;\n  }¦\n\n  int other() {\n",
    because: "unit",
  },
  "a loop's body ends in front of its bracket": {
    language: "java",
    document:
      "class A {\n  int sum(int[] a) {\n    int s = 0;\n    for (int x : a) {\n      █\n    }\n    return s;\n  }\n}\n",
    sample: "s += x;¦\n    }\n    return s;\n",
    because: "block",
  },
  "a try goes on with its catch": {
    language: "java",
    document: "class A {\n  void f() {\n    try {\n      █\n    }\n  }\n}\n",
    sample: "run();\n    } catch (Exception e) {\n      stop();\n",
  },
  "a function of a file ends with its bracket": {
    language: "go",
    document: "package main\n\nfunc add(a, b int) int {\n\t█",
    sample: "return a + b\n}¦\n\nfunc sub",
    because: "unit",
  },
  "a whole function at the top of a file is one": {
    language: "go",
    document: "package main\n\n█",
    sample: "func add(a, b int) int {\n\treturn a + b\n}¦\n\nfunc sub",
    because: "unit",
  },
  "an if with its else goes on": {
    language: "go",
    document: "package main\n\nfunc f(a int) int {\n\tif a > 0 {\n\t\t█\n\t}\n\treturn 0\n}\n",
    sample: "return 1\n\t} else if a < 0 {\n\t\treturn -1\n",
  },
  "a match ends in front of the document's bracket": {
    language: "rust",
    document: "fn f(a: Option<i32>) -> i32 {\n    match a {\n        █\n    }\n}\n",
    sample: "Some(x) => { x }\n        None => 0,¦\n    }\n}\n",
    because: "block",
  },
  "an impl's function is one": {
    language: "rust",
    document: "struct A;\n\nimpl A {\n    █\n}\n",
    sample: "fn one(&self) -> i32 {\n        1\n    }¦\n\n    fn two(&self)",
    because: "unit",
  },
  "a def ends with the word that closes it": {
    language: "ruby",
    document: "def total(items)\n  █",
    sample: "items.each do |item|\n    puts item\n  end\n  items.sum\nend¦\n\ndef other",
    because: "unit",
  },
  "a block ends in front of the document's word": {
    language: "ruby",
    document: "def f(a)\n  if a\n    █\n  end\nend\n",
    sample: "puts 1¦\n  end\nend\n",
    because: "block",
  },
  "a loop of a shell ends in front of its word": {
    language: "bash",
    document: "for f in *; do\n  █\ndone\necho end\n",
    sample: 'rm "$f"¦\ndone\necho end\n',
    because: "block",
  },
  "a carriage return counts": {
    language: "csharp",
    document: "class A\r\n{\r\n    int Size()\r\n    {\r\n        █",
    sample: "var n = 1;\r\n        return n;\r\n    }¦\r\n\r\n    int Other()",
    because: "unit",
  },
};

describe("a sample", () => {
  test.each(Object.entries(SAMPLES))("%s", async (_, { language, document, sample, because }) => {
    const runtime = await testRuntime();
    await runtime.load(language);
    const [prefix = "", suffix = ""] = document.split("█");
    const place = documentOf({ prefix, suffix, language }, runtime);
    const text = sample.replace("¦", "");
    const stop = firstStop(place, text);
    const kept = stop && text.slice(0, stop.cut);
    expect({ kept, because: stop?.because }).toEqual({
      kept: because && sample.slice(0, sample.indexOf("¦")),
      because,
    });
  });

  test("of real code is seldom cut before its end, and mostly at it", { timeout: 120_000 }, async () => {
    const found = { exact: 0, early: 0, other: 0 };
    for (const [index, { language, prefix, middle, suffix }] of realPositions().entries()) {
      if (index % STRIDE !== 0) continue;
      const runtime = await testRuntime();
      await runtime.load(language);
      // What a model that knows the file would write: it goes on with what the document has already.
      const text = (middle + suffix).slice(0, middle.length + BEYOND);
      const place = documentOf({ prefix, suffix, language }, runtime);
      const kept = text.slice(0, firstStop(place, text)?.cut).trimEnd().length;
      const whole = middle.trimEnd().length;
      found[kept === whole ? "exact" : kept < whole ? "early" : "other"] += 1;
    }
    const all = found.exact + found.early + found.other;
    expect(all).toBeGreaterThan(100);
    expect(found.early / all).toBeLessThan(0.02);
    expect(found.exact / all).toBeGreaterThan(0.8);
  });
});

/** Every so many positions of the corpus are tried, and so much of what follows is written. */
const STRIDE = 9;
const BEYOND = 300;

/** Asks after every few characters, as a sampler asks after every few tokens. */
function firstStop(document: CursorDocument, text: string): Stop | undefined {
  for (let length = 3; length < text.length + 3; length += 3) {
    const stop = stopOf(document, text.slice(0, length));
    if (stop !== undefined) return stop;
  }
  return undefined;
}
