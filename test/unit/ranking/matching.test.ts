/** The matching part of the reward against what the training computes for the same problems and programs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MATCHING_VERSION, type MatchingModel } from "../../../server/models/gguf/keys.ts";
import { matchingTerm, matchingValue } from "../../../server/ranking/text-parts/matching.ts";

interface Fixture {
  readonly version: number;
  readonly values: readonly {
    readonly name: string;
    readonly bits: number;
    readonly dimensions: number;
    readonly problem: string;
    readonly program: string;
    readonly value: number;
  }[];
}

const fixture: Fixture = JSON.parse(
  readFileSync(join(__dirname, "../../fixtures/matching/values.json"), "utf8"),
);

/** The fixture's tables: the upper byte of place · factor, less 128. */
function modelOf(bits: number, dimensions: number, coefficient = 1): MatchingModel {
  const table = (factor: number): Int8Array =>
    Int8Array.from({ length: dimensions * 2 ** bits }, (_, i) => (Math.imul(i, factor) >>> 24) - 128);
  const [problem, program] = [table(2654435761), table(2246822519)];
  return { version: MATCHING_VERSION, dimensions, problem, program, coefficient };
}
const models = new Map([modelOf(8, 8), modelOf(15, 64)].map((model) => [model.dimensions, model]));
const small = modelOf(8, 8);

test("the fixture is of this version", () => expect(fixture.version).toBe(MATCHING_VERSION));

test.each(fixture.values)(
  "equals the training's value: $name, 2^$bits",
  ({ dimensions, problem, program, value }) => {
    const model = models.get(dimensions);
    if (!model) throw new Error("no such model");
    expect(Math.abs(matchingValue(model, problem, program) - value)).toBeLessThan(1e-12);
  },
);

describe("the term", () => {
  const fragments = ["", "user\nAdd.", "\n", "assistant\nreturn a + b", "\n"];
  test("is the coefficient times the cosine of what the assistant says last and what was asked last", () => {
    const value = matchingValue(small, "Add.", "return a + b");
    expect(value).not.toBe(0);
    expect(matchingTerm({ ...small, coefficient: -0.25 }, fragments)).toBe(-0.25 * value);
    const longer = ["", "user\nSubtract.", "assistant\nan earlier answer", "\n", ...fragments];
    expect(matchingTerm(small, longer)).toBe(value);
  });
  test("is 0 where nobody answers, nobody asks, or either says nothing", () => {
    for (const [asked, said] of [
      ["user\nAdd.", "user\nassistant\nx"],
      ["system\nAdd.", "assistant\nx"],
      ["user\n1 + 1?", "assistant\nx"],
      ["user\nAdd.", "assistant\n \n\t"],
    ] as const) {
      expect(matchingTerm(small, ["", asked, "\n", said, "\n"])).toBe(0);
    }
  });
  test("does not see a header that something stands below", () => {
    const of = (program: string) => matchingValue(small, "Add two numbers.", program);
    expect(of("def add(a, b):\n    return a + b")).toBe(of("\n def f():\n    return a + b"));
    expect(of("def add(a, b):\n  ")).not.toBe(of("def f():\n  "));
  });
  test("is the same whatever was asked before", () => {
    const asked = ["Add two numbers.", "Reverse a list.", "Add two numbers."];
    const together = asked.map((problem) => matchingValue(small, problem, "return a + b"));
    const alone = asked.map((problem) => matchingValue({ ...small }, problem, "return a + b"));
    expect(together).toEqual(alone);
    expect(together[0]).not.toBe(together[1]);
  });
  test("is a number between -1 and 1 for every text", () => {
    const text = fc
      .uint16Array({ maxLength: 300 })
      .map((units) => Array.from(units, (unit) => String.fromCharCode(unit)).join(""));
    fc.assert(
      fc.property(text, text, (problem, program) => {
        expect(Math.abs(matchingValue(small, problem, program))).toBeLessThanOrEqual(1 + 1e-12);
      }),
    );
  });
});
