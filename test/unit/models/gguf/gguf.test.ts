import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ServiceError } from "../../../../server/errors.ts";
import type { MetadataValue, TensorPlan } from "../../../../server/models/gguf/format.ts";
import { readGguf } from "../../../../server/models/gguf/read-header.ts";
import { createGguf } from "../../../../server/models/gguf/write.ts";
import { temporaryFolder } from "../../../helpers/checkpoints.ts";
import { failureOf } from "../../../helpers/refusal.ts";

const METADATA = new Map<string, MetadataValue>([
  ["general.architecture", { kind: "string", value: "qwen3 – größe" }],
  ["a.number", { kind: "uint32", value: 4_000_000_000 }],
  ["a.float", { kind: "float32", value: -0.5 }],
  ["a.flag", { kind: "bool", value: true }],
  ["__proto__", { kind: "strings", value: ["", "Ġa", "\u0000"] }],
  ["ints", { kind: "int32s", value: Int32Array.of(-1, 2 ** 31 - 1) }],
  ["bytes", { kind: "int8s", value: Int8Array.of(-128, 0, 127) }],
  ["floats", { kind: "float32s", value: Float32Array.of(1.5, -2) }],
]);
const TENSORS: TensorPlan[] = [
  { name: "one", shape: [3], type: "f32" },
  { name: "two", shape: [32, 2], type: "q8_0" },
  { name: "three", shape: [5, 2], type: "f16" },
];
const DATA: Readonly<Record<string, Uint8Array>> = {
  one: new Uint8Array(12).fill(1),
  two: new Uint8Array(68).fill(2),
  three: new Uint8Array(20).fill(3),
};

async function written(): Promise<string> {
  const path = join(temporaryFolder(), "model.gguf");
  const writer = await createGguf(path, METADATA, TENSORS);
  for (const { name } of TENSORS) await writer.tensor(name, [DATA[name] ?? new Uint8Array()]);
  await writer.finish();
  return path;
}

function fileWith(content: Uint8Array): string {
  const path = join(temporaryFolder(), "model.gguf");
  writeFileSync(path, content);
  return path;
}

async function refusal(path: string): Promise<string> {
  return (await failureOf(readGguf(path))).message;
}

/** Parts of a header, to write ones that our writer would not. */
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: bigint | number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const start = (tensors: bigint | number, keys: bigint | number, version = 3): Buffer =>
  Buffer.concat([Buffer.from("GGUF"), u32(version), u64(tensors), u64(keys)]);
const key = (name: string): Buffer => Buffer.concat([text(name), u32(8), text("value")]);
const tensor = (name: string, shape: readonly (bigint | number)[], type: number, offset: bigint | number) =>
  Buffer.concat([text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset)]);
const room = Buffer.alloc(4096);

describe("GGUF files", () => {
  test("what was written is read back", async () => {
    const path = await written();
    const header = await readGguf(path);
    for (const [name, value] of METADATA) expect(header.metadata.get(name)).toEqual(value);
    expect(header.tensors.map(({ name, shape, type }) => ({ name, shape, type }))).toEqual(TENSORS);
    const bytes = readFileSync(path);
    for (const { name, offset, bytes: size } of header.tensors) {
      expect(offset % 32).toBe(0);
      expect(Uint8Array.from(bytes.subarray(offset, offset + size))).toEqual(DATA[name]);
    }
    expect(statSync(path).size).toBe(header.fileBytes);
  });

  test("values that are not wanted are stepped over", async () => {
    const header = await readGguf(await written(), (name) => name === "a.float");
    expect(header.metadata.get("__proto__")?.kind).toBe("skipped");
    expect(header.metadata.get("floats")?.kind).toBe("skipped");
    expect(header.tensors).toHaveLength(3);
  });

  test("a file cut anywhere is refused in one sentence", async () => {
    const bytes = readFileSync(await written());
    const whole = (await readGguf(fileWith(bytes))).tensors.at(-1);
    const end = (whole?.offset ?? 0) + (whole?.bytes ?? 0);
    for (let length = 0; length < end; length += 7) {
      const message = await refusal(fileWith(bytes.subarray(0, length)));
      expect(message).toMatch(/is not a GGUF file|is cut off/);
    }
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["another format", Buffer.from("PK\u0003\u0004 and so on, long enough"), /not a GGUF file/],
    ["version 1", start(0, 0, 1), /GGUF version 1/],
    ["a version of the future", start(0, 0, 99), /GGUF version 99/],
    ["absurdly many tensors", start(2n ** 62n, 0), /claims \d+ tensors/],
    ["absurdly many keys", start(0, 2n ** 40n), /metadata keys/],
    ["a key of absurd length", Buffer.concat([start(0, 1), u64(2n ** 60n), room]), /claims a text of/],
    ["a key twice", Buffer.concat([start(0, 2), key("a"), key("a")]), /metadata key "a" twice/],
    ["a value of unknown type", Buffer.concat([start(0, 1), text("a"), u32(77), room]), /unknown type 77/],
    [
      "arrays inside arrays",
      Buffer.concat([start(0, 1), text("a"), u32(9), u32(9), u64(1), room]),
      /elements of unknown type 9/,
    ],
    [
      "an array with more elements than memory",
      Buffer.concat([start(0, 1), text("a"), u32(9), u32(0), u64(2n ** 50n), room]),
      /with \d+ elements/,
    ],
    [
      "an array that ends outside the file",
      Buffer.concat([start(0, 1), text("a"), u32(9), u32(8), u64(3_999_999), room]),
      /cut off inside its header/,
    ],
    [
      "an array of bytes that ends outside the file",
      Buffer.concat([start(0, 1), text("a"), u32(9), u32(1), u64(3_999_999), room]),
      /cut off inside its header/,
    ],
    [
      "a tensor name that ggml cannot hold",
      Buffer.concat([start(1, 0), tensor("x".repeat(64), [1], 0, 0), room]),
      /claims a text of 64 bytes/,
    ],
    [
      "a tensor twice",
      Buffer.concat([start(2, 0), tensor("a", [1], 0, 0), tensor("a", [1], 0, 32), room]),
      /tensor "a" twice/,
    ],
    [
      "five dimensions",
      Buffer.concat([start(1, 0), tensor("a", [1, 1, 1, 1, 1], 0, 0), room]),
      /with 5 dimensions/,
    ],
    ["no dimension", Buffer.concat([start(1, 0), tensor("a", [], 0, 0), room]), /with 0 dimensions/],
    ["an empty tensor", Buffer.concat([start(1, 0), tensor("a", [0], 0, 0), room]), /impossible shape/],
    [
      "a shape whose product overflows",
      Buffer.concat([start(1, 0), tensor("a", [2n ** 40n, 2n ** 40n], 0, 0), room]),
      /impossible shape/,
    ],
    [
      "a type that nobody knows",
      Buffer.concat([start(1, 0), tensor("a", [256], 99, 0), room]),
      /ggml type 99/,
    ],
    [
      "rows that do not fill blocks",
      Buffer.concat([start(1, 0), tensor("a", [33], 8, 0), room]),
      /do not fill q8_0 blocks/,
    ],
    [
      "overlapping tensors",
      Buffer.concat([start(2, 0), tensor("a", [16], 0, 0), tensor("b", [16], 0, 32), room]),
      /"b" at the wrong place/,
    ],
    [
      "a tensor far outside",
      Buffer.concat([start(1, 0), tensor("a", [1], 0, 2n ** 50n), room]),
      /at the wrong place/,
    ],
    [
      "a tensor that ends outside",
      Buffer.concat([start(1, 0), tensor("a", [2n ** 20n], 0, 0), room]),
      /"a" is incomplete/,
    ],
    [
      "an alignment that is no power of two",
      Buffer.concat([start(0, 1), text("general.alignment"), u32(4), u32(24)]),
      /no power of two/,
    ],
  ])("%s is refused in one sentence", async (_what, content, sentence) => {
    const message = await refusal(fileWith(content));
    expect(message).toMatch(sentence);
    expect(message).not.toContain("\n");
  });

  test("a missing file, a folder and a device are named, not read", async () => {
    const folder = temporaryFolder();
    expect(await refusal(join(folder, "nowhere.gguf"))).toMatch(/does not exist/);
    expect(await refusal(folder)).toMatch(/is not a file|is a folder/);
    symlinkSync("/dev/zero", join(folder, "zero.gguf"));
    expect(await refusal(join(folder, "zero.gguf"))).toMatch(/is not a file/);
  });

  test("whatever bytes of the header are changed, the answer is a header or one sentence", async () => {
    const good = readFileSync(await written());
    const path = fileWith(good);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (changes) => {
          const bytes = Buffer.from(good);
          for (const [place, value] of changes) bytes[place] = value;
          writeFileSync(path, bytes);
          await readGguf(path).catch((error: unknown) => {
            expect(error).toBeInstanceOf(ServiceError);
          });
        },
      ),
      { numRuns: 500 },
    );
  });

  test("data of the wrong size never becomes a file", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "model.gguf");
    const writer = await createGguf(path, METADATA, TENSORS);
    await expect(writer.tensor("one", [new Uint8Array(11)])).rejects.toThrow(/1 bytes early/);
    await writer.discard();
    await expect(readGguf(path)).rejects.toThrow(/does not exist/);
  });
});
