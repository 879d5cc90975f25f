/** The cursor that a prompt with a model's own marks means. */
import { expect, test } from "vitest";
import { cursorOf } from "../../../server/openai/fill-in.ts";

test.each([
  ["Qwen", "<|fim_prefix|>before<|fim_suffix|>after<|fim_middle|>"],
  ["StarCoder", "<fim_prefix>before<fim_suffix>after<fim_middle>"],
  ["suffix first", "<fim_suffix>after<fim_prefix>before<fim_middle>"],
  ["DeepSeek", "<｜fim▁begin｜>before<｜fim▁hole｜>after<｜fim▁end｜>"],
  ["Code Llama", "<PRE> before <SUF> after <MID>"],
  [
    "other files in front",
    "<|repo_name|>x<|file_sep|>a.py\ncode<|fim_prefix|>before<|fim_suffix|>after<|fim_middle|>",
  ],
])("%s", (_, prompt) => expect(cursorOf(prompt, "")).toEqual({ prefix: "before", suffix: "after" }));

test("without marks all of the prompt is before the cursor, and the suffix behind it", () => {
  expect(cursorOf("def f():\n", "\nf()")).toEqual({ prefix: "def f():\n", suffix: "\nf()" });
});
