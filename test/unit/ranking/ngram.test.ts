/** The linear part of the reward against what the training computes for the same programs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NGRAM_VERSION, type NgramModel } from "../../../server/models/gguf/keys.ts";
import { ngramTerm, ngramValue } from "../../../server/ranking/text-parts/ngram.ts";

interface Fixture {
  readonly version: number;
  readonly scale: number;
  readonly values: readonly {
    readonly name: string;
    readonly bits: number;
    readonly problem: string;
    readonly program: string;
    readonly value: number;
  }[];
}

const fixture: Fixture = JSON.parse(
  readFileSync(join(__dirname, "../../fixtures/ngram/values.json"), "utf8"),
);

/** The fixture's weights: the upper byte of bucket · 2654435761, less 128. */
function modelOf(bits: number, coefficient = 1): NgramModel {
  const weights = Int8Array.from({ length: 2 ** bits }, (_, b) => (Math.imul(b, 2654435761) >>> 24) - 128);
  return { version: NGRAM_VERSION, weights, scale: fixture.scale, coefficient };
}
const models = new Map([8, 18].map((bits) => [bits, modelOf(bits)]));
const small = modelOf(8);

test("the fixture is of this version", () => expect(fixture.version).toBe(NGRAM_VERSION));

test.each(fixture.values)(
  "equals the training's value: $name, 2^$bits",
  ({ bits, problem, program, value }) => {
    const model = models.get(bits);
    if (!model) throw new Error("no such model");
    expect(Math.abs(ngramValue(model, program, problem) - value)).toBeLessThan(1e-6);
  },
);

describe("the term", () => {
  const fragments = ["", "user\nAdd.", "\n", "assistant\nreturn a + b", "\n"];
  test("is the coefficient times the value of what the assistant says last", () => {
    const value = ngramValue(small, "return a + b", "Add.");
    expect(ngramTerm({ ...small, coefficient: 0.25 }, fragments)).toBe(0.25 * value);
    const longer = ["", "assistant\nan earlier answer", "\n", ...fragments];
    expect(ngramTerm(small, longer)).toBe(value);
  });
  test("knows which words the program shares with what was asked last", () => {
    const term = (question: string) =>
      ngramTerm(small, ["", `user\n${question}`, "\n", "assistant\nadd(a, b)", "\n"]);
    expect(term("Adding")).toBe(ngramValue(small, "add(a, b)", "Adding"));
    expect(term("Adding")).not.toBe(term("Multiply"));
    expect(term("")).toBe(ngramValue(small, "add(a, b)"));
  });
  test("is 0 where nobody answers", () => {
    expect(ngramTerm(small, ["", "user\nassistant\nx", "\n"])).toBe(0);
  });
  test("does not see blank lines, trailing blanks or the unit of indentation", () => {
    const program = "def f(a):\n  if a:\n    return 1\n  return 2";
    const value = ngramValue(small, program);
    expect(ngramValue(small, program.replaceAll("  ", "\t").replaceAll("\n", "  \r\n\n"))).toBe(value);
    expect(ngramValue(small, `\n\n${program}\n\n`)).toBe(value);
  });
  test("is a number for every text", () => {
    fc.assert(
      fc.property(fc.uint16Array({ maxLength: 300 }), (units) => {
        expect(Number.isFinite(ngramValue(small, String.fromCharCode(...units)))).toBe(true);
      }),
    );
  });
});
