/** What models are told, and what is made of the names of models. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canInfill, infillPrompt } from "../../../src/sources/kinds/infill.ts";
import { chatMessages } from "../../../src/sources/kinds/prompt.ts";
import { REQUEST } from "./asking.ts";

const said = (request: Partial<typeof REQUEST>) =>
  chatMessages({ ...REQUEST, ...request }).map(({ content }) => content);

describe("a chat model", () => {
  test("is told language, file, both sides of the cursor and to answer with code only", () => {
    const [system = "", user = ""] = said({ prefix: "def f():\n    ", suffix: "\n\nf()\n" });
    expect(system).toContain("Python");
    expect(system).toContain("one fenced code block");
    expect(user).toBe("File: math/gcd.py\n\n```python\ndef f():\n    <CURSOR>\n\nf()\n\n```");
  });

  test("finds the cursor even where the code speaks of one", () => {
    const [system = "", user = ""] = said({ prefix: "replace('<CURSOR>', '<CURSOR_2>')", suffix: "" });
    expect(system).toContain("<CURSOR_3>");
    expect(user.split("<CURSOR_3>")).toHaveLength(2);
  });

  test("sees a block that the code cannot end, whatever the code is", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[`a\n<CURSO>]{0,40}$/), fc.string(), (prefix, suffix) => {
        const [, user = ""] = said({ prefix, suffix, path: "" });
        const [, fence = ""] = /^(`{3,})/.exec(user) ?? [];
        const body = user.slice(user.indexOf("\n") + 1, user.length - fence.length - 1);
        expect(fence.length).toBeGreaterThanOrEqual(3);
        expect(body).not.toContain(fence);
        expect(body.replace(/<CURSOR(?:_\d+)?>(?![\s\S]*<CURSOR)/, "").length).toBeLessThanOrEqual(
          body.length,
        );
        expect(body).toContain(prefix);
        expect(body).toContain(suffix);
      }),
    );
  });
});

describe("a model's own tokens", () => {
  test.each([
    ["qwen2.5-coder:7b", "<|fim_prefix|>A<|fim_suffix|>B<|fim_middle|>"],
    ["Qwen/Qwen3-Coder-30B-A3B-Instruct", "<|fim_prefix|>A<|fim_suffix|>B<|fim_middle|>"],
    ["deepseek-coder-v2:16b", "<｜fim▁begin｜>A<｜fim▁hole｜>B<｜fim▁end｜>"],
    ["bigcode/starcoder2-3b", "<fim_prefix>A<fim_suffix>B<fim_middle>"],
    ["ibm-granite/granite-8b-code-base", "<fim_prefix>A<fim_suffix>B<fim_middle>"],
    ["codellama:7b-code", "<PRE> A <SUF>B <MID>"],
    ["google/codegemma-2b", "<|fim_prefix|>A<|fim_suffix|>B<|fim_middle|>"],
    ["mistralai/Codestral-22B-v0.1", "[SUFFIX]B[PREFIX]A"],
  ])("%s", (model, prompt) => {
    expect(infillPrompt(model, "A", "B")?.prompt).toBe(prompt);
    const stop = infillPrompt(model, "A", "B")?.stop ?? [];
    expect(stop.length).toBeGreaterThan(0);
    expect(stop.length).toBeLessThanOrEqual(4);
  });

  test.each(["llama3.2:3b", "gpt-4o-mini", "google/gemma-3-4b", "qwen3:8b", ""])("%j has none", (model) => {
    expect(canInfill(model)).toBe(false);
  });
});
