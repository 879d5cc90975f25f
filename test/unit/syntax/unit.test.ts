import { describe, expect, test } from "vitest";
import type { Language } from "../../../shared/syntax/languages/languages.ts";
import { placeAt, unitOf, unitsIn } from "../../../shared/syntax/units/unit.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";

/** Source with the cursor as █, and what is expected around it. */
interface Sample {
  readonly language: Language;
  readonly text: string;
  readonly kind: "function" | "type" | "statement" | undefined;
  readonly name?: string;
  readonly starts?: string;
  readonly types?: readonly string[];
}

const SAMPLES: Record<string, Sample> = {
  "a method of a class, with its decorator": {
    language: "python",
    text: "class A:\n    @property\n    def size(self):\n        return █self.n\n",
    kind: "function",
    name: "size",
    starts: "@property",
    types: ["A"],
  },
  "a function around the function that the position is in": {
    language: "python",
    text: "def outer():\n    def inner():\n        return █1\n    return inner\n",
    kind: "function",
    name: "outer",
    types: [],
  },
  "an exported constant that holds a function": {
    language: "typescript",
    text: "export const twice = (n: number) => {\n  return █n * 2;\n};\n",
    kind: "function",
    name: "twice",
    starts: "export",
  },
  "a method of an object in an export": {
    language: "javascript",
    text: "export default {\n  methods: {\n    save() { return █1; },\n  },\n};\n",
    kind: "function",
    name: "save",
    starts: "save()",
  },
  "a test in nested suites": {
    language: "javascript",
    text: 'describe("a", () => {\n  describe("b", () => {\n    it("c", () => { █run(); });\n  });\n});\n',
    kind: "function",
    starts: 'it("c"',
  },
  "an interface for one of its members": {
    language: "typescript",
    text: "export interface Point { x: number; █y: number }\n",
    kind: "type",
    name: "Point",
    starts: "export",
  },
  "a class for its name": {
    language: "java",
    text: "class Sh█ape { int sides; }\n",
    kind: "type",
    name: "Shape",
  },
  "nothing between the members of a class": {
    language: "java",
    text: "class A {\n  int a() { return 1; }\n  █\n  int b() { return 2; }\n}\n",
    kind: undefined,
    types: ["A"],
  },
  "a method of a class template in a namespace": {
    language: "cpp",
    text: "namespace n {\ntemplate <class T> class Box {\n  T get() const { return █t; }\n  T t;\n};\n}\n",
    kind: "function",
    name: "get",
    types: ["Box"],
  },
  "a definition outside its class by its qualified name": {
    language: "cpp",
    text: "int Box::size() const { return █n; }\n",
    kind: "function",
    name: "Box::size",
  },
  "a function in a conditional group": {
    language: "c",
    text: "#ifdef A\nint f(void) { return █1; }\n#endif\n",
    kind: "function",
    name: "f",
  },
  "a method with a receiver": {
    language: "go",
    text: "package a\n\nfunc (b *Box) Size() int { return █b.n }\n",
    kind: "function",
    name: "Size",
  },
  "a struct for one of its fields": {
    language: "go",
    text: "package a\n\ntype Box struct {\n\t█n int\n}\n",
    kind: "type",
    name: "Box",
  },
  "a method in an implementation": {
    language: "rust",
    text: "impl Box {\n    fn size(&self) -> u32 { █self.n }\n}\n",
    kind: "function",
    name: "size",
  },
  "a property with accessors": {
    language: "csharp",
    text: "class A {\n  int N { get { return █n; } }\n}\n",
    kind: "function",
    name: "N",
    types: ["A"],
  },
  "a singleton method in nested modules": {
    language: "ruby",
    text: "module A\n  class B\n    def self.make\n      █new\n    end\n  end\nend\n",
    kind: "function",
    name: "make",
    types: ["B"],
  },
  "a method of a trait": {
    language: "php",
    text: "<?php\ntrait T {\n  public function f() { return █1; }\n}\n",
    kind: "function",
    name: "f",
    types: ["T"],
  },
  "a shell function": { language: "bash", text: "f() {\n  echo █1\n}\n", kind: "function", name: "f" },
  "a function of a companion object": {
    language: "kotlin",
    text: "class A {\n  companion object {\n    fun make() = █A()\n  }\n}\n",
    kind: "function",
    name: "make",
  },
  "a statement at the top level": {
    language: "bash",
    text: 'for f in *; do\n  █echo "$f"\ndone\n',
    kind: "statement",
  },
};

describe("the enclosing unit", () => {
  test.each(Object.entries(SAMPLES))("%s", async (_, sample) => {
    const runtime = await testRuntime();
    await runtime.load(sample.language);
    const at = sample.text.indexOf("█");
    const tree = runtime.parse(sample.language, sample.text.replace("█", ""));
    expect(tree?.rootNode.hasError).toBe(false);
    if (tree === null) return;
    const width = sample.kind === undefined ? 0 : 1;
    const place = placeAt(tree.rootNode, at, at + width);
    const unit = place.node === undefined ? undefined : unitOf(place.node, place.kind ?? "statement");
    expect(unit?.kind).toBe(sample.kind);
    if (sample.name !== undefined) expect(unit?.name).toBe(sample.name);
    if (sample.starts !== undefined) expect(place.node?.text.startsWith(sample.starts)).toBe(true);
    if (sample.types !== undefined) {
      expect(place.types.map((type) => unitOf(type, "type").name)).toEqual(sample.types);
    }
    tree.delete();
  });
});

test("units of a file are listed in order, methods after their class, without those inside functions", async () => {
  const runtime = await testRuntime();
  await runtime.load("python");
  const text = "class A:\n    def a(self):\n        def hidden(): pass\n\n\ndef b():\n    pass\n\nx = 1\n";
  const tree = runtime.parse("python", text);
  expect(tree && unitsIn(tree.rootNode).map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    "type A",
    "function a",
    "function b",
  ]);
  tree?.delete();
});

test("the content of a body starts behind its bracket, or behind the documentation string", async () => {
  const runtime = await testRuntime();
  await Promise.all([runtime.load("python"), runtime.load("java")]);
  const contentOf = (language: Language, text: string) => {
    const tree = runtime.parse(language, text);
    const unit = tree && unitsIn(tree.rootNode).find(({ kind }) => kind === "function");
    tree?.delete();
    return unit?.contentStart === undefined ? undefined : text.slice(unit.contentStart);
  };
  expect(contentOf("python", 'def f():\n    """Doc."""\n    return 1\n')).toBe("\n    return 1\n");
  expect(contentOf("java", "class A { int f() { return 1; } }\n")).toBe(" return 1; } }\n");
});

test("a position on a token named like a property of all objects is found", async () => {
  const runtime = await testRuntime();
  await runtime.load("kotlin");
  const tree = runtime.parse("kotlin", "class A constructor");
  expect(tree && placeAt(tree.rootNode, 8, 9)).toMatchObject({ kind: undefined, types: [] });
  tree?.delete();
});
