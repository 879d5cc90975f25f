/** Syntax in the extension's thread, as it is built. */
import { dirname } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { Syntax } from "../../../src/syntax/syntax.ts";
import { GRAMMAR_DIR } from "../../helpers/syntax-runtime.ts";
import { cursorIn } from "./cursor.ts";

const syntax = new Syntax(dirname(GRAMMAR_DIR));
afterAll(() => syntax.dispose());

const CURSOR = cursorIn("def add(a, b):\n    █\n");

test("a completion is judged in its place", async () => {
  expect(await syntax.check(CURSOR, "return a + b")).toMatchObject({ insert: "return a + b", valid: true });
  const broken = await syntax.check(CURSOR, "return (a +");
  expect(broken.valid).toBe(false);
  expect(broken.reason).toMatch(/syntax error/);
});

test("many questions at once are all answered, each by its own", async () => {
  const sums = Array.from({ length: 30 }, (_, index) => `return a + ${index}`);
  const answers = await Promise.all(sums.map((text) => syntax.check(CURSOR, text)));
  expect(answers.map(({ insert }) => insert)).toEqual(sums);
});

test("functions are found, and code comes back in coloured pieces", async () => {
  const code = "def f():\n    return 1\n\n\ndef g():\n    return f()\n";
  const found = await syntax.functionsIn(code, "python");
  expect(found.map(({ name }) => name)).toEqual(["f", "g"]);
  expect((await syntax.functionAt(code, 40, "python"))?.name).toBe("g");
  const [lines] = await syntax.highlight([{ text: "return 1", context: 0, language: "python" }]);
  expect(lines?.[0]).toContainEqual(["return", "keyword"]);
});

test("what a model reads has the problem and each completion in its unit", async () => {
  const { problem, units } = await syntax.reading(CURSOR, ["return a + b", "return (a"]);
  expect(problem).toContain("add");
  expect(units[0]).toContain("return a + b");
  expect(units[1]).toBeNull();
});

test("a stream is stopped once it writes on behind the unit, and not before", async () => {
  const stop = syntax.stopperFor(CURSOR);
  expect(stop("return a + b")).toBe(false);
  const behind = "return a + b\n\n\ndef other():\n    pass\n\n";
  await vi.waitFor(() => expect(stop(behind)).toBe(true), { timeout: 60_000 });
  expect(stop(`${behind}x = 1`)).toBe(true);
  expect(stop("return a - b")).toBe(false);
});
