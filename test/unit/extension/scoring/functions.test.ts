import { beforeAll, describe, expect, it } from "vitest";
import type { SyntaxRuntime } from "../../../../shared/syntax/parsing/parser.ts";
import { functionAt, functionsIn } from "../../../../src/scoring/functions.ts";
import { testRuntime } from "../../../helpers/syntax-runtime.ts";

const TEXT = `import math


class Circle:
    def area(self):
        """Area of the circle."""
        return math.pi * self.r ** 2


def main():
    print(Circle())
`;

describe("functions to be scored", () => {
  let syntax: SyntaxRuntime;
  beforeAll(async () => {
    syntax = await testRuntime();
    await syntax.load("python");
  });

  it("are those of the file, methods too, each with the place where its program starts", () => {
    const found = functionsIn(TEXT, "python", syntax);
    expect(found.map(({ name }) => name)).toEqual(["area", "main"]);
    const [area] = found;
    expect(TEXT.slice(area?.codeStart, area?.end)).toBe("\n        return math.pi * self.r ** 2");
    expect(TEXT.slice(area?.start, area?.codeStart)).toMatch(/^def area[\s\S]*"""$/);
  });

  it("are found around a cursor", () => {
    expect(functionAt(TEXT, TEXT.indexOf("math.pi"), "python", syntax)?.name).toBe("area");
    expect(functionAt(TEXT, TEXT.indexOf("print"), "python", syntax)?.name).toBe("main");
    expect(functionAt(TEXT, 3, "python", syntax)).toBeUndefined();
  });
});
