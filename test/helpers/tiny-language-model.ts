/** A tiny random language model as others publish them: a GGUF without anything of ours in it. */
import { open, rm } from "node:fs/promises";
import { makeRandomModel } from "../../server/models/convert/random.ts";
import type { MetadataValue, TensorPlan } from "../../server/models/gguf/format.ts";
import { isFileType } from "../../server/models/gguf/ggml.ts";
import { readGguf } from "../../server/models/gguf/read-header.ts";
import { createGguf } from "../../server/models/gguf/write.ts";

const SHAPE = {
  layers: 2,
  hidden: 64,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  feedForward: 128,
  vocabulary: 512,
  maxPositions: 4096,
  ropeTheta: 1_000_000,
  normEpsilon: 1e-6,
};

/**
 * Writes the model; its weights are the same every time.
 * @param change may alter the metadata
 */
export async function tinyLanguageModel(
  path: string,
  change: (metadata: Map<string, MetadataValue>) => void = () => {},
): Promise<void> {
  const source = `${path}.reward`;
  await makeRandomModel(SHAPE, "f32", source);
  const { metadata, tensors } = await readGguf(source);
  const plain = new Map([...metadata].filter(([key]) => !key.startsWith("codescaler.")));
  change(plain);
  const plans = tensors.map(({ name, shape, type }): TensorPlan => {
    if (!isFileType(type)) throw new Error(`${name} is in ${type}`);
    return { name, shape, type };
  });
  const writer = await createGguf(path, plain, plans);
  const file = await open(source, "r");
  try {
    for (const { name, bytes, offset } of tensors) {
      const values = new Uint8Array(bytes);
      await file.read(values, 0, bytes, offset);
      await writer.tensor(name, [values]);
    }
  } finally {
    await file.close();
  }
  await writer.finish();
  await rm(source);
}
