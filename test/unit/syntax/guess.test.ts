/** Replies that do not say what is what: the language of a block, the extent of a script. */
import { expect, test } from "vitest";
import { extract } from "../../../shared/syntax/extract/extract.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";

const CPP: readonly [string, string][] = [
  ["references", "void swap(int &a, int &b) {\n    int t = a;\n    a = b;\n    b = t;\n}"],
  [
    "a string by value",
    "bool palindrome(string s) {\n    int i = 0, j = s.length() - 1;\n    while (i < j) if (s[i++] != s[j--]) return false;\n    return true;\n}",
  ],
  [
    "a loop over a range",
    "int sum(int xs[], int n) {\n    int total = 0;\n    for (auto x : view(xs, n)) total += x;\n    return total;\n}",
  ],
  ["methods of containers", "void fill(int n) {\n    for (int i = 0; i < n; i++) out.push_back(i);\n}"],
  [
    "a lambda and nothing else",
    'int main() {\n    int k = 3;\n    int r = [k](int x) { return x * k; }(4);\n    printf("%d\\n", r);\n    return 0;\n}',
  ],
  ["an operator", "struct P { int x, y; };\nP operator+(P a, P b) { return {a.x + b.x, a.y + b.y}; }"],
];

test.each(CPP)("C++ is told from C by %s", async (_, code) => {
  const { language, valid } = await extract(`\`\`\`\n${code}\n\`\`\``, {}, await testRuntime());
  expect({ language, valid }).toEqual({ language: "cpp", valid: true });
});

const C: readonly [string, string][] = [
  ["pointers", "void swap(int *a, int *b) {\n    int t = *a;\n    *a = *b;\n    *b = t;\n}"],
  [
    "addresses and bits",
    'int f(int a, int b) {\n    int c = a & b;\n    scanf("%d", &a);\n    g(a &b, c);\n    return c;\n}',
  ],
  [
    "a structure",
    "#include <stdlib.h>\nstruct node { int v; struct node *next; };\nstruct node *make(int v) {\n    struct node *n = malloc(sizeof *n);\n    n->v = v;\n    return n;\n}",
  ],
];

test.each(C)("C stays C with %s", async (_, code) => {
  const { language, valid } = await extract(`\`\`\`\n${code}\n\`\`\``, {}, await testRuntime());
  expect({ language, valid }).toEqual({ language: "c", valid: true });
});

test("a script keeps its lines that are nothing but the names of programs", async () => {
  const script = '#!/bin/bash\nset -e\n\necho "one"\n\ncargo test\n\necho "two"\ncd ..';
  const { code, valid } = await extract(script, { language: "bash" }, await testRuntime());
  expect({ code, valid }).toEqual({ code: script, valid: true });
});

test("words behind a script are no part of it", async () => {
  const script = '#!/bin/bash\nset -e\necho "one"';
  const reply = `${script}\n\nRun it like this:\n\n./one.sh --fast\n`;
  const { code } = await extract(reply, { language: "bash" }, await testRuntime());
  expect(code).not.toContain("Run it");
});
