import { expect, test } from "vitest";
import { MAX_TEXT_LENGTH } from "../../../shared/syntax/parsing/budget.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";

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
