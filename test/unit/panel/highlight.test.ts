import { join } from "node:path";
import { expect, test } from "vitest";
import { LANGUAGES } from "../../../shared/syntax/languages/languages.ts";
import { wasmRuntime } from "../../../shared/syntax/parsing/parser.ts";
import { highlight } from "../../../src/panel/highlight.ts";

const runtime = await wasmRuntime({ grammarDir: join(__dirname, "../../../dist/grammars") });

test("keywords, names of functions, strings, numbers and comments are told apart", async () => {
  await runtime.load("python");
  const [line] = highlight('    return call("s", 12)  # note', 4, "python", runtime);
  const kindOf = (text: string) => line?.find(([piece]) => piece === text)?.[1];
  expect(kindOf("    ")).toBe("context");
  expect(kindOf("return")).toBe("keyword");
  expect(kindOf("call")).toBe("function");
  expect(kindOf('"s"')).toBe("string");
  expect(kindOf("12")).toBe("number");
  expect(kindOf("# note")).toBe("comment");
});

test.each(LANGUAGES)(
  "no character is lost or added in %s, also where it does not parse",
  async (language) => {
    await runtime.load(language);
    const text = 'if (x > 1) {\n  return "é\u202e" + 0x1f; // end\n\n} else {\n\t}}} ))';
    const lines = highlight(text, 3, language, runtime);
    expect(lines.map((tokens) => tokens.map(([piece]) => piece).join("")).join("\n")).toBe(text);
  },
);
