/** What a model is given to write: at a cursor and in a chat, within its room. */
import { describe, expect, test } from "vitest";
import type { LanguageTokenizer } from "../../../server/engine/engine.ts";
import { createPromptRenderer, type PromptModel } from "../../../server/rendering/prompt.ts";

const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
const MODEL: PromptModel = {
  chatTemplate: CHATML,
  normalizer: "none",
  bosToken: undefined,
  eosToken: "<|im_end|>",
};
const CONTROL = [
  "<|im_start|>",
  "<|im_end|>",
  "<|fim_prefix|>",
  "<|fim_suffix|>",
  "<|fim_middle|>",
  "<|file_sep|>",
];

/** One token a character. */
const tokenizer: LanguageTokenizer = {
  encode: (text) => Int32Array.from(text, (character) => character.codePointAt(0) ?? 0),
  encodeRendered: () => new Int32Array(),
  bytesOf: () => new Uint8Array(),
  added: new Map(CONTROL.map((spelling, index) => [spelling, 1_200_000 + index])),
  start: undefined,
  fillIn: undefined,
};
const id = (spelling: string) => tokenizer.added.get(spelling) ?? 0;
const filling: LanguageTokenizer = {
  ...tokenizer,
  fillIn: {
    prefix: id("<|fim_prefix|>"),
    suffix: id("<|fim_suffix|>"),
    middle: id("<|fim_middle|>"),
    repository: undefined,
    file: id("<|file_sep|>"),
  },
};
const text = (tokens: Iterable<number>) =>
  Array.from(
    tokens,
    (token) => CONTROL.find((spelling) => id(spelling) === token) ?? String.fromCodePoint(token),
  ).join("");

describe("a prompt at a cursor", () => {
  const renderer = createPromptRenderer(MODEL, filling);
  const cursor = { prefix: "def f():\n    ", suffix: "\n\nf()\n" };

  test("is what goes before and after it, in the model's own way of filling in", () => {
    const { tokens, cut } = renderer.cursor(cursor, 1000);
    expect(text(tokens)).toBe("<|fim_prefix|>def f():\n    <|fim_suffix|>\n\nf()\n<|fim_middle|>");
    expect(cut).toBe(false);
  });

  test("has other files before it, each under its path", () => {
    const context = [
      { path: "a.py", text: "A = 1" },
      { path: "b.py", text: "B = 2" },
    ];
    const { tokens } = renderer.cursor({ ...cursor, path: "main.py", context }, 1000);
    expect(text(tokens)).toBe(
      "<|file_sep|>a.py\nA = 1\n<|file_sep|>b.py\nB = 2\n<|file_sep|>main.py\n" +
        "<|fim_prefix|>def f():\n    <|fim_suffix|>\n\nf()\n<|fim_middle|>",
    );
  });

  test("leaves out other files before anything at the cursor, and says so", () => {
    const context = [{ path: "long.py", text: "x".repeat(5000) }];
    const { tokens, cut } = renderer.cursor({ ...cursor, context }, 400);
    expect(cut).toBe(true);
    expect(tokens.length).toBeLessThanOrEqual(400);
    expect(text(tokens)).toMatch(/^<\|file_sep\|>long\.py\nx+<\|file_sep\|>file\n<\|fim_prefix\|>def f/);
  });

  test("that is longer than its room keeps what is next to the cursor on both sides", () => {
    const { tokens, cut } = renderer.cursor(
      { prefix: `${"p".repeat(3000)}HERE`, suffix: `THERE${"s".repeat(1000)}` },
      400,
    );
    expect(cut).toBe(true);
    expect(tokens.length).toBe(400);
    expect(text(tokens)).toMatch(/^<\|fim_prefix\|>p+HERE<\|fim_suffix\|>THEREs+<\|fim_middle\|>$/);
    expect(text(tokens).split("<|fim_suffix|>")[1]?.length).toBeGreaterThan(95);
  });

  test("cannot hold a control token", () => {
    const { tokens } = renderer.cursor({ prefix: "<|fim_middle|>", suffix: "<|im_end|>" }, 1000);
    expect([...tokens].filter((token) => token >= 1_000_000).length).toBe(3);
  });

  test("of a model that does not fill in is the text before it", () => {
    const plain = createPromptRenderer(MODEL, { ...tokenizer, start: id("<|im_start|>") });
    expect(text(plain.cursor(cursor, 1000).tokens)).toBe(`<|im_start|>${cursor.prefix}`);
  });
});

describe("a prompt for a question", () => {
  const question = [{ role: "user" as const, content: "Add <|im_end|> two numbers." }];

  test("is the conversation in the model's template, with the assistant's turn begun", () => {
    const { tokens } = createPromptRenderer(MODEL, tokenizer).chat(question, "python", 1000);
    expect(text(tokens)).toBe(
      "<|im_start|>user\nAdd <|im_end|> two numbers.<|im_end|>\n<|im_start|>assistant\n",
    );
    // Its own spelling of a control token stays text.
    expect([...tokens].filter((token) => token >= 1_000_000).length).toBe(3);
  });

  test("of a model without a template is the question and the beginning of a fence", () => {
    const { tokens, stops } = createPromptRenderer({ ...MODEL, chatTemplate: undefined }, tokenizer).chat(
      question,
      "go",
      1000,
    );
    expect(text(tokens)).toMatch(/two numbers\.\n\n```go\n$/);
    expect(stops).toEqual(["\n```"]);
  });

  test("that is longer than its room is refused with the numbers", () => {
    expect(() => createPromptRenderer(MODEL, tokenizer).chat(question, undefined, 20)).toThrow(
      /has \d+ tokens, and 20 have room/,
    );
  });
});
