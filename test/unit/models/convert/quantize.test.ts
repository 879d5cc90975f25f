import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  encode,
  halfBits,
  halfValue,
  LARGEST,
  largestMagnitude,
  type SourceType,
  widen,
} from "../../../../server/models/convert/quantize.ts";
import { byteLength, FILE_TYPES } from "../../../../server/models/gguf/ggml.ts";

const vectors: Record<string, string> = JSON.parse(
  readFileSync(join(__dirname, "vectors", "quantize.json"), "utf8"),
);
const bytesOf = (name: string): Uint8Array => Uint8Array.from(Buffer.from(vectors[name] ?? "", "base64"));
const values = new Float32Array(bytesOf("values").buffer);

describe("number formats", () => {
  test.each(["f16", "bf16", "q8_0", "q4_0"] as const)(
    "%s is bit for bit what the gguf package writes",
    (type) => {
      const out = new Uint8Array(byteLength(type, values.length));
      expect(encode(values, type, out)).toBe(out.byteLength);
      expect(out).toEqual(bytesOf(type));
    },
  );

  test("every half-precision number comes back from its value", () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = halfValue(bits);
      if (Number.isNaN(value)) continue;
      if (halfBits(value) !== bits) throw new Error(`${bits} became ${halfBits(value)}`);
    }
  });

  test("values between two half-precision numbers go to the even one", () => {
    for (const bits of [0, 1, 2, 0x3ff, 0x400, 0x401, 0x3c00, 0x3c01, 0x7bfe]) {
      const middle = (halfValue(bits) + halfValue(bits + 1)) / 2;
      expect(halfBits(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
    }
    expect(halfBits(65_519.996)).toBe(0x7bff);
    expect(halfBits(65_520)).toBe(0x7c00);
  });

  test.each(["f32", "f16", "bf16"] as const)("%s sources are widened without loss", (type: SourceType) => {
    const exact = Float32Array.of(0, -0, 1, -2.5, 0.15625, 96, 2 ** -14, -(2 ** -10));
    const out = new Uint8Array(byteLength(type, exact.length));
    encode(exact, type, out);
    const back = new Float32Array(exact.length);
    expect(widen(out, type, back)).toBe(exact.length);
    expect([...back]).toEqual([...exact]);
  });

  test("the largest value of each format keeps a finite scale", () => {
    for (const type of FILE_TYPES) {
      const block = new Float32Array(32).fill(LARGEST[type]);
      const out = new Uint8Array(byteLength(type, 32));
      encode(block, type, out);
      const scale = new Uint16Array(out.buffer)[0] ?? 0;
      if (type === "q8_0" || type === "q4_0") expect(Math.abs(halfValue(scale))).toBe(65_504);
      if (type === "f16") expect(halfValue(scale)).toBe(65_504);
    }
  });

  test("a NaN or infinity is seen among ordinary values", () => {
    expect(largestMagnitude(Float32Array.of(1, -3, 2))).toBe(3);
    expect(largestMagnitude(Float32Array.of(1, Number.NEGATIVE_INFINITY))).toBe(Number.POSITIVE_INFINITY);
    expect(largestMagnitude(Float32Array.of(Number.POSITIVE_INFINITY, Number.NaN, 1))).toBeNaN();
  });
});
