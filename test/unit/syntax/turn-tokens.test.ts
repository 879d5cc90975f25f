/** Tokens that end a turn are no part of a program, unless the program speaks of them. */
import { beforeAll, expect, test } from "vitest";
import { grammarFolder } from "../../../server/files/package-files.ts";
import { extract } from "../../../shared/syntax/extract/extract.ts";
import { type SyntaxRuntime, wasmRuntime } from "../../../shared/syntax/parsing/parser.ts";

let runtime: SyntaxRuntime;
beforeAll(async () => {
  runtime = await wasmRuntime({ grammarDir: grammarFolder });
});
const codeOf = async (reply: string) => (await extract(reply, { language: "python" }, runtime)).code;

test.each([
  ["behind an unclosed block", "```python\nx = 1\ny = 2<|im_end|>\n", "x = 1\ny = 2"],
  ["behind the closing fence", "```python\nx = 1\n```<|im_end|>", "x = 1"],
  ["on a line of its own", "```python\nx = 1\n```\n<|im_end|>\n<|im_start|>assistant\n", "x = 1"],
  ["before the reply", "<|im_start|>assistant\ndef f():\n    return 1\n", "def f():\n    return 1"],
])("a turn token %s is taken off", async (_where, reply, code) => {
  expect(await codeOf(reply)).toBe(code);
});

test("a program that writes turn tokens stays as it is", async () => {
  const code = `def prompt(text):\n    head = "<|im_start|>user"\n    return head + text + """\n<|im_end|>\n<|im_start|>assistant\n"""`;
  expect(await codeOf(`\`\`\`python\n${code}\n\`\`\`\n`)).toBe(code);
});
