/** A model of somebody else with all its weights in float32: what other implementations compute with. */
import { open } from "node:fs/promises";
import type { TensorInfo, TensorPlan } from "../../server/models/gguf/format.ts";
import { elements } from "../../server/models/gguf/format.ts";
import { readGguf } from "../../server/models/gguf/read-header.ts";
import { createGguf } from "../../server/models/gguf/write.ts";

/** Writes the model anew. Knows the formats f32, q8_0 and q4_1. */
export async function dequantise(source: string, target: string): Promise<void> {
  const { metadata, tensors } = await readGguf(source);
  const plans = tensors.map(({ name, shape }): TensorPlan => ({ name, shape, type: "f32" }));
  const changed = new Map(metadata);
  changed.set("general.file_type", { kind: "uint32", value: 0 });
  const writer = await createGguf(target, changed, plans);
  const file = await open(source, "r");
  try {
    for (const tensor of tensors) {
      const bytes = Buffer.alloc(tensor.bytes);
      await file.read(bytes, 0, tensor.bytes, tensor.offset);
      await writer.tensor(tensor.name, [new Uint8Array(valuesOf(tensor, bytes).buffer)]);
    }
  } finally {
    await file.close();
  }
  await writer.finish();
}

/** Blocks of 32 values: q8_0 is a scale (float16) and signed bytes; q4_1 a scale, a minimum and half-bytes. */
function valuesOf({ name, shape, type }: TensorInfo, bytes: Buffer): Float32Array {
  const values = new Float32Array(elements(shape));
  switch (type) {
    case "f32":
      return new Float32Array(new Uint8Array(bytes).buffer);
    case "q8_0":
      for (let block = 0; block < values.length / 32; block++) {
        const scale = float16(bytes.readUInt16LE(block * 34));
        for (let index = 0; index < 32; index++) {
          values[block * 32 + index] = scale * bytes.readInt8(block * 34 + 2 + index);
        }
      }
      return values;
    case "q4_1":
      for (let block = 0; block < values.length / 32; block++) {
        const scale = float16(bytes.readUInt16LE(block * 20));
        const least = float16(bytes.readUInt16LE(block * 20 + 2));
        for (let index = 0; index < 16; index++) {
          const pair = bytes[block * 20 + 4 + index] ?? 0;
          values[block * 32 + index] = scale * (pair & 15) + least;
          values[block * 32 + 16 + index] = scale * (pair >> 4) + least;
        }
      }
      return values;
    default:
      throw new Error(`${name} is in ${type}`);
  }
}

function float16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) throw new Error("a scale is no number");
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
