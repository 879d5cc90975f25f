import { expect, test } from "vitest";
import { extract } from "../../../shared/syntax/extract/extract.ts";
import { tagOf } from "../../../shared/syntax/replies/fence-tags.ts";
import { fencesIn, readFences } from "../../../shared/syntax/replies/fences.ts";
import { linesOf, textOf } from "../../../shared/syntax/replies/lines.ts";
import { testRuntime } from "../../helpers/syntax-runtime.ts";

function blocks(text: string): { info: string; code: string; closed: boolean }[] {
  return fencesIn(readFences(linesOf(text))).map(({ info, lines, closed }) => ({
    info,
    code: textOf(lines),
    closed,
  }));
}

test("backticks and tildes of any length enclose a block, and only a fence as long closes it", () => {
  expect(blocks("````md\n```\ninner\n```\n````\n")).toEqual([
    { info: "md", code: "```\ninner\n```", closed: true },
  ]);
  expect(blocks("~~~\n```\n~~~\n")).toEqual([{ info: "", code: "```", closed: true }]);
});

test("line ends of any kind and a byte order mark are understood", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    expect(blocks(`\uFEFF\`\`\`py${end}a = 1${end}b = 2${end}\`\`\`${end}`)).toEqual([
      { info: "py", code: "a = 1\nb = 2", closed: true },
    ]);
  }
});

test("a fence with text behind it closes nothing", () => {
  expect(blocks("```\na\n``` b\nc\n```")[0]?.code).toBe("a\n``` b\nc");
});

test("backticks in an info string make no block, in that of tildes they may stand", () => {
  expect(blocks("``` a`b\nx\n")).toEqual([]);
  expect(blocks("~~~ a`b\nx\n~~~\n")[0]?.info).toBe("a`b");
});

test("four spaces make an indented line, not a fence, outside of a list", () => {
  expect(blocks("    ```\n    x\n    ```\n")).toEqual([]);
  expect(blocks("1. one:\n\n    ```\n    x\n    ```\n")[0]?.code).toBe("x");
});

test("the indentation of the fence is taken from the content, up to as much", () => {
  expect(blocks("  ```\n   aaa\n aaa\naaa\n  ```\n")[0]?.code).toBe(" aaa\naaa\naaa");
});

test("a fence in quotes ends with the quotes", () => {
  expect(blocks("> ```\n> a\n>  b\n\nc\n")).toEqual([{ info: "", code: "a\n b", closed: false }]);
});

test("content in a list that is not indented keeps its own indentation", () => {
  expect(blocks("- x\n\n  ```py\ndef f():\n    pass\n  ```\n")[0]?.code).toBe("def f():\n    pass");
});

test("a block without an end goes to the end of the reply", () => {
  expect(blocks("```\na\n\nb")).toEqual([{ info: "", code: "a\n\nb", closed: false }]);
});

test("an empty block has no line", () => {
  expect(blocks("```\n```\n")).toEqual([{ info: "", code: "", closed: true }]);
});

test("lines know where they stand in the reply", () => {
  const [fence] = fencesIn(readFences(linesOf("a\n> - ```\n>   x = 1\n>   ```\n")));
  expect(fence?.lines[0]).toEqual({ text: "x = 1", number: 2, column: 4 });
});

test.each([
  ['python title="x"', "python"],
  ["c++", "cpp"],
  ["{.python}", "python"],
  ["{.js .numberLines}", "javascript"],
  ["language-rust", "rust"],
  ["python:main.py", "python"],
  ["js {1,3}", "javascript"],
  ["C#", "csharp"],
  ["Golang", "go"],
  ["sh", "bash"],
  ["text", undefined],
  ["", undefined],
])("the info string %s names %s", (info, language) => {
  expect(tagOf(info).language).toBe(language);
});

test("a line of hundreds of quote marks or list marks is read at once", () => {
  for (const mark of ["> ", ">", "- ", "1. ", "> - "]) {
    const marks = mark.repeat(300);
    expect(blocks(`${marks}x \`\`\`\n`)).toEqual([]);
    expect(blocks(`${marks}\`\`\`py\n`)[0]?.info).toBe("py");
  }
});

test("a block of nothing but closing fences that are none is read in linear time", async () => {
  const reply = `\`\`\`\n/* never closed\n${"``` a b\n".repeat(15_000)}`;
  const { valid } = await extract(reply, {}, await testRuntime());
  expect(valid).toBe(false);
});
