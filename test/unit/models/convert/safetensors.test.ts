import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ServiceError } from "../../../../server/errors.ts";
import { openCheckpoint } from "../../../../server/models/convert/safetensors.ts";
import { f32, safetensors, type Tensors, temporaryFolder, withHeader } from "../../../helpers/checkpoints.ts";
import { failureOf } from "../../../helpers/refusal.ts";

const TENSORS: Tensors = { a: f32([2, 3], (at) => at), b: f32([4], (at) => -at) };

function folderWith(files: Record<string, string | Uint8Array>): string {
  const folder = temporaryFolder();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const single = (content: Uint8Array): string => folderWith({ "model.safetensors": content });
const index = (weight_map: unknown): string => JSON.stringify({ metadata: {}, weight_map });

async function refusal(folder: string): Promise<string> {
  const error = await failureOf(openCheckpoint(folder).then((checkpoint) => checkpoint.close()));
  expect(error.code).toMatch(/model_unusable|model_not_found/);
  return error.message;
}

describe("reading safetensors", () => {
  test("tensors of one file are read, whole and in part", async () => {
    const checkpoint = await openCheckpoint(single(safetensors(TENSORS)));
    const tensor = checkpoint.tensors.get("a");
    expect(tensor).toMatchObject({ shape: [2, 3], type: "f32", bytes: 24 });
    const bytes = new Uint8Array(8);
    await tensor?.read(bytes, 16);
    expect([...new Float32Array(bytes.buffer)]).toEqual([4, 5]);
    await checkpoint.close();
  });

  test("tensors of several parts are found through the index", async () => {
    const checkpoint = await openCheckpoint(
      folderWith({
        "model-00001-of-00002.safetensors": safetensors({ a: f32([1], () => 7) }),
        "model-00002-of-00002.safetensors": safetensors({ b: f32([1], () => 8) }),
        "model.safetensors.index.json": index({
          a: "model-00001-of-00002.safetensors",
          b: "model-00002-of-00002.safetensors",
        }),
      }),
    );
    const bytes = new Uint8Array(4);
    await checkpoint.tensors.get("b")?.read(bytes, 0);
    expect(new Float32Array(bytes.buffer)[0]).toBe(8);
    await checkpoint.close();
  });

  const at = (a: unknown, b: unknown) => ({
    a: { dtype: "F32", shape: [2], data_offsets: a },
    b: { dtype: "F32", shape: [2], data_offsets: b },
  });
  const data = new Uint8Array(16);
  const length = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(64, "{");
    bytes.writeBigUInt64LE(value);
    return bytes;
  };

  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(0), /too short/],
    ["a header of absurd length", length(2n ** 63n), /its header claims \d+ bytes/],
    ["a header just over the limit", length(2n ** 24n + 1n), /its header claims 16777217 bytes/],
    ["a header longer than the file", length(1000n), /cut off inside its header/],
    ["a header that is no JSON", withHeader("{]"), /header is not a JSON object/],
    ["a header that is a list", withHeader([]), /header is not a JSON object/],
    ["overlapping tensors", withHeader(at([0, 8], [4, 12]), data), /overlaps another one or leaves a gap/],
    ["two tensors at one place", withHeader(at([0, 8], [0, 8]), data), /overlaps another one/],
    ["a gap between tensors", withHeader(at([0, 8], [12, 20]), new Uint8Array(20)), /leaves a gap/],
    ["a place far outside", withHeader(at([0, 8], [2 ** 50, 2 ** 50 + 8]), data), /leaves a gap/],
    ["a place that ends before it starts", withHeader(at([8, 0], [8, 16]), data), /does not fit its shape/],
    ["a negative place", withHeader(at([-8, 0], [0, 8]), data), /no proper shape and place/],
    ["a place with a fraction", withHeader(at([0, 8.5], [8, 16]), data), /no proper shape and place/],
    ["a place beyond exact numbers", withHeader(at([0, 8], [8, 2 ** 60]), data), /no proper shape and place/],
    [
      "a size that does not fit the number format",
      withHeader({ a: { dtype: "F16", shape: [2], data_offsets: [0, 8] } }, data),
      /does not fit its shape/,
    ],
    [
      "a shape whose product overflows",
      withHeader({ a: { dtype: "F32", shape: [2 ** 52, 2 ** 52], data_offsets: [0, 8] } }, data),
      /does not fit its shape/,
    ],
    [
      "a shape that is no list",
      withHeader({ a: { dtype: "F32", shape: "2", data_offsets: [0, 8] } }, data),
      /no proper shape/,
    ],
    [
      "an unknown number format",
      withHeader({ a: { dtype: "F4", shape: [2], data_offsets: [0, 8] } }, data),
      /unknown number format "F4"/,
    ],
    ["a tensor that is no object", withHeader({ a: null }, data), /unknown number format/],
    [
      "data behind the last tensor",
      Buffer.concat([safetensors(TENSORS), Buffer.alloc(3)]),
      /data behind its last tensor/,
    ],
    ["a cut-off file", safetensors(TENSORS).subarray(0, -1), /cut off: tensors are incomplete/],
    // JSON keeps the last of two equal names; the first one's bytes are then nobody's.
    [
      "a name given twice",
      withHeader(
        '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}',
        data,
      ),
      /leaves a gap/,
    ],
  ])("%s is refused in one sentence", async (_what, content, sentence) => {
    const message = await refusal(single(content));
    expect(message).toMatch(sentence);
    expect(message).not.toContain("\n");
  });

  test.each<[string, Record<string, string | Uint8Array>, RegExp]>([
    ["no weights at all", {}, /holds no model.safetensors/],
    ["only pickled weights", { "pytorch_model.bin": "x" }, /only as pickled PyTorch files/],
    ["an index that is no JSON", { "model.safetensors.index.json": "nope" }, /is not a JSON object/],
    ["an index without a map", { "model.safetensors.index.json": "{}" }, /has no weight_map/],
    [
      "a part outside the folder",
      { "model.safetensors.index.json": index({ a: "../x.safetensors" }) },
      /impossible name/,
    ],
    ["a part that is a number", { "model.safetensors.index.json": index({ a: 1 }) }, /impossible name/],
    [
      "a missing part",
      { "model.safetensors.index.json": index({ a: "p1.safetensors" }) },
      /lacks p1.safetensors/,
    ],
    [
      "a tensor that is not in its part",
      {
        "p1.safetensors": safetensors(TENSORS),
        "model.safetensors.index.json": index({ a: "p1.safetensors", c: "p1.safetensors" }),
      },
      /lacks the tensor "c" that the index promises/,
    ],
  ])("a folder with %s is refused in one sentence", async (_what, files, sentence) => {
    expect(await refusal(folderWith(files))).toMatch(sentence);
  });

  test("a missing folder and a folder in place of a file are named", async () => {
    expect(await refusal(join(temporaryFolder(), "nowhere"))).toMatch(/does not exist/);
    const folder = temporaryFolder();
    mkdirSync(join(folder, "model.safetensors"));
    expect(await refusal(folder)).toMatch(/is not a file|is a folder/);
  });

  test("a link to a device is not read", async () => {
    const folder = temporaryFolder();
    symlinkSync("/dev/zero", join(folder, "model.safetensors"));
    expect(await refusal(folder)).toMatch(/is not a file/);
  });

  test("a file that shrinks while it is read is an error, not zeros", async () => {
    const folder = single(safetensors(TENSORS));
    const checkpoint = await openCheckpoint(folder);
    truncateSync(join(folder, "model.safetensors"), 20);
    await expect(checkpoint.tensors.get("b")?.read(new Uint8Array(16), 0)).rejects.toThrow(/became shorter/);
    await checkpoint.close();
  });

  test("whatever bytes are changed, the answer is a checked table or one sentence", async () => {
    const good = safetensors(TENSORS);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(good.byteLength - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(good.byteLength),
        async (changes, cut) => {
          const bytes = Buffer.from(good);
          for (const [place, value] of changes) bytes[place] = value;
          const folder = single(cut % 3 === 0 ? bytes.subarray(0, cut) : bytes);
          try {
            await (await openCheckpoint(folder)).close();
          } catch (error) {
            expect(error).toBeInstanceOf(ServiceError);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
