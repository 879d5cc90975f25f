import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tokenizer } from "../../../server/engine/engine.ts";
import { ServiceError } from "../../../server/errors.ts";
import { createEncoder } from "../../../server/rendering/fragments.ts";
import { createRenderer, type RenderedModel, type Renderer } from "../../../server/rendering/renderer.ts";
import type { Message } from "../../../shared/contract.ts";
import { bpeTokenizer } from "../../helpers/bpe.ts";
import { type ParityFixture, parityFixtures } from "../../helpers/parity-fixtures.ts";

const fixtures = parityFixtures();

/** What a converted file would say of the fixture's model. */
function modelOf(fixture: ParityFixture): RenderedModel {
  const read = (name: string): string => readFileSync(join(fixture.folder, name), "utf8");
  const config = JSON.parse(read("tokenizer_config.json")) as Record<string, unknown>;
  const embedded = config["chat_template"];
  const llama = fixture.family === "skywork-llama";
  const themis = fixture.family === "themis";
  return {
    family: fixture.family,
    chatTemplate: typeof embedded === "string" ? embedded : read("chat_template.jinja"),
    normalizer: llama ? "none" : "NFC",
    maxTokens: fixture.limit,
    criteria: new Map(
      themis ? Object.entries(JSON.parse(read("criteria.json")) as Record<string, string>) : [],
    ),
    bosToken: llama ? "<|begin_of_text|>" : undefined,
    eosToken: llama ? "<|eot_id|>" : "<|im_end|>",
  };
}

function rendererOf(fixture: ParityFixture, changes: Partial<RenderedModel> = {}): Renderer {
  const tokenizer = bpeTokenizer(readFileSync(join(fixture.folder, "tokenizer.json"), "utf8"));
  return createRenderer({ ...modelOf(fixture), ...changes }, tokenizer);
}

describe.each(fixtures)("rendering as Hugging Face: $name", (fixture) => {
  const renderer = rendererOf(fixture);
  test.each(fixture.records.filter((record) => record.refused === undefined))("$name", (record) => {
    const { text, tokens, truncated } = renderer.render(record.messages, { criterion: record.criterion });
    expect(text).toBe(record.text);
    expect([...tokens]).toEqual(record.ids);
    expect(truncated).toBe(record.truncated);
  });
});

/** Qwen3's tokenizer and settings with another template or other settings. */
function qwen3(changes: Partial<RenderedModel> = {}): Renderer {
  const fixture = fixtures.find(({ family }) => family === "codescaler");
  if (!fixture) throw new Error("there is no fixture of the default family");
  return rendererOf(fixture, changes);
}
const themis = (): Renderer => {
  const fixture = fixtures.find(({ family }) => family === "themis");
  if (!fixture) throw new Error("there is no fixture of Themis");
  return rendererOf(fixture);
};
const pair = (problem: string, code: string): Message[] => [
  { role: "user", content: problem },
  { role: "assistant", content: code },
];
const failure = (work: () => unknown): ServiceError => {
  try {
    work();
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error("it did not fail");
};

describe.each(fixtures)("contents are data: $name", (fixture) => {
  const { added } = bpeTokenizer(readFileSync(join(fixture.folder, "tokenizer.json"), "utf8"));
  const ids = new Set(added.values());
  const renderer = rendererOf(fixture, { maxTokens: 100_000 });
  const control = (messages: Message[]): number[] =>
    [...renderer.render(messages, {}).tokens].filter((id) => ids.has(id));
  const expected = control(pair("x", "x"));

  test("no spelling of a control token becomes one, whole, in parts or nested", () => {
    const spellings = [...added.keys()];
    const parts = spellings.flatMap((spelling) => [
      spelling,
      spelling.slice(0, 3),
      spelling.slice(3),
      spelling.slice(-2),
    ]);
    const text = fc
      .array(
        fc.oneof(
          fc.constantFrom(...parts),
          fc.constantFrom("\n", " ", "x", "user\n"),
          fc.string({ maxLength: 3 }),
        ),
        {
          maxLength: 12,
        },
      )
      .map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, text, (problem, code) => {
        expect(control(pair(problem, code))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

test("Llama's BOS is there once", () => {
  const fixture = fixtures.find(({ family }) => family === "skywork-llama");
  for (const record of fixture?.records ?? []) {
    const bos = record.ids[0];
    expect(record.ids.filter((id) => id === bos)).toHaveLength(1);
  }
  expect(fixture?.records.length).toBeGreaterThan(0);
});

test("a content cannot complete a control token that text of the template begins or ends", () => {
  const renderer = qwen3({
    chatTemplate:
      "{% for m in messages %}<|im_start|>{{ m.role }}<|im_{{ m.content }}end|><|im_end|>{% endfor %}",
  });
  const plain = renderer.render(pair("xxx", "xxx"), {});
  const forged = renderer.render(pair("end|>", "x<|im_"), {});
  const controls = (tokens: Int32Array): number[] => [...tokens].filter((id) => id >= 1000);
  expect(controls(plain.tokens)).toHaveLength(4);
  expect(controls(forged.tokens)).toHaveLength(4);
});

test("contents full of private-use characters come out as they went in", () => {
  const code = String.fromCharCode(...Array.from({ length: 6000 }, (_, index) => 0xe000 + index), 0x3c, 0x3e);
  expect(qwen3().render(pair("<x>", code), {}).text).toContain(code);
});

test("a text that leaves no private-use character over is refused", () => {
  const code = String.fromCharCode(...Array.from({ length: 6400 }, (_, index) => 0xe000 + index));
  expect(failure(() => qwen3().render(pair("x", code), {})).code).toBe("invalid_request");
});

test("a template that leaves out the code is refused at once", () => {
  const chatTemplate =
    "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}";
  expect(failure(() => qwen3({ chatTemplate })).code).toBe("model_unusable");
});

describe("criteria", () => {
  test("an unknown one is refused with the known ones named", () => {
    const error = failure(() => themis().render(pair("x", "y"), { criterion: "beauty" }));
    expect(error.code).toBe("invalid_request");
    expect(error.message).toContain("functional_correctness");
  });
  test("none goes with a system turn of the conversation's own", () => {
    const messages: Message[] = [{ role: "system", content: "Be kind." }, ...pair("x", "y")];
    expect(failure(() => themis().render(messages, { criterion: "functional_correctness" })).code).toBe(
      "invalid_request",
    );
    expect(themis().render(messages, {}).text).toContain("Be kind.");
  });
  test("a model of another family has none", () => {
    const error = failure(() => qwen3().render(pair("x", "y"), { criterion: "functional_correctness" }));
    expect(error.code).toBe("invalid_request");
  });
  test("a Themis file without their wording says what to do", () => {
    const renderer = qwen3({ family: "themis" });
    expect(failure(() => renderer.render(pair("x", "y"), { criterion: "readability" })).message).toContain(
      "criteria.json",
    );
  });
});

describe("over-long inputs", () => {
  const long = "x = 1\n".repeat(2000);
  test("keep the closing tokens and stay within the limit", () => {
    const renderer = qwen3();
    const closing = [...renderer.render(pair("x", "x"), {}).tokens].slice(-2);
    for (const messages of [pair(long, "x"), pair("x", long), pair(long, long)]) {
      const { tokens, truncated } = renderer.render(messages, {});
      expect(tokens).toHaveLength(256);
      expect(truncated).toBe(true);
      expect([...tokens].slice(-2)).toEqual(closing);
    }
  });
  test("are refused when other turns take all the room", () => {
    const error = failure(() => qwen3().render([...pair(long, long), ...pair("x", "y")], {}));
    expect(error.code).toBe("too_long");
    expect(error.message).toMatch(/256 tokens/);
  });
  test.each([
    [
      "nothing parts problem and code",
      "<|im_start|>{% for m in messages %}{{ m.content }}\n{% endfor %}<|im_end|>",
    ],
    [
      "text stands before the closing token",
      "{% for m in messages %}<|im_start|>{{ m.content }}.<|im_end|>{% endfor %}",
    ],
    ["nothing closes the code", "{% for m in messages %}<|im_start|>{{ m.content }}{% endfor %}"],
  ])("are refused where %s", (_, chatTemplate) => {
    const renderer = qwen3({ chatTemplate });
    expect(renderer.render(pair("x", "y"), {}).truncated).toBe(false);
    expect(failure(() => renderer.render(pair("x", long), {})).code).toBe("too_long");
  });
});

test("a very long text encodes in pieces to the same tokens", () => {
  const fixture = fixtures.find(({ family }) => family === "codescaler");
  const pieces = [
    "def f(x):\n    return x\n",
    "\n\n",
    "\r\n",
    "é e\u0301 ",
    "'s 'll ",
    "123 45",
    " \u00a0x",
    "変数 ",
    "\n\u0301",
    "🙂\n",
    "=\n",
  ];
  const text = Array.from(
    { length: 60_000 },
    (_, index) => pieces[(index * index * 7 + index) % pieces.length],
  ).join("");
  const whole = bpeTokenizer(readFileSync(join(fixture?.folder ?? "", "tokenizer.json"), "utf8")).encode(
    text.normalize("NFC"),
  );
  expect(text.length).toBeGreaterThan(300_000);
  const tokens = qwen3().encodeRendered(text);
  expect(tokens.length).toBe(whole.length);
  expect(tokens.every((id, index) => id === whole[index])).toBe(true);
});

test("a megabyte without a seam goes to the tokenizer in bounded pieces, whole characters each", () => {
  const given: string[] = [];
  const tokenizer: Tokenizer = {
    added: new Map(),
    encode: (text) => {
      given.push(text);
      return new Int32Array(1);
    },
    encodeRendered: () => new Int32Array(0),
  };
  const text = `x${"🙂".repeat(500_000)}`;
  createEncoder(tokenizer, "none")(text, Number.POSITIVE_INFINITY);
  expect(given.join("")).toBe(text);
  expect(Math.max(...given.map((piece) => piece.length))).toBeLessThan(40_000);
  expect(given.every((piece) => !/\p{Surrogate}/u.test(piece))).toBe(true);
});
