/** Hugging Face folder → one GGUF with the reward head inside. Streams: memory does not grow with the model. */
import { basename } from "node:path";
import { ServiceError } from "../../errors.ts";
import { unusable } from "../../files/json-file.ts";
import { elements, type TensorPlan } from "../gguf/format.ts";
import { byteLength, type FileType } from "../gguf/ggml.ts";
import { type Family, rewardMetadata } from "../gguf/keys.ts";
import { createGguf } from "../gguf/write.ts";
import type { ModelFacts } from "../model-file.ts";
import { verifyModel } from "../verify-model.ts";
import { backboneTensors, longestInput, type TensorSpec, tensorType } from "./architectures.ts";
import { readCheckpointFolder } from "./checkpoint.ts";
import { llama3Divisors } from "./checkpoint-config.ts";
import { encode, LARGEST, largestMagnitude, SOURCE_BYTES, type SourceType, widen } from "./quantize.ts";
import { type Checkpoint, type CheckpointTensor, openCheckpoint } from "./safetensors.ts";

export interface ConvertOptions {
  readonly type: FileType;
  /** Default: inferred from the class and the names of folder and repository. */
  readonly family?: Family | undefined;
  readonly source?: string | undefined;
  readonly revision?: string | undefined;
  /** Longest input in tokens; default: what the model was trained for, at most DEFAULT_MAX_TOKENS. */
  readonly maxTokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ConvertProgress) => void) | undefined;
}

export interface ConvertProgress {
  readonly step: "weights" | "check";
  /** Bytes of the new file that are done in this step, of `total`. */
  readonly done: number;
  readonly total: number;
}

/** Values converted at once: with source, float32 and result about 12 MB. A multiple of every block. */
const CHUNK_VALUES = 1 << 20;

/** A tensor of the new file and where its values come from. */
interface Work {
  readonly plan: TensorPlan;
  readonly values: { readonly spec: TensorSpec; readonly tensor: ReadableTensor } | Float32Array;
}
type ReadableTensor = CheckpointTensor & { readonly type: SourceType };

/**
 * Converts the model in `folder` to the file `out`, which appears only when it is complete and verified.
 * Rejects with the signal's reason when aborted; nothing is left behind then.
 * @throws ServiceError model_unusable for a folder that cannot be converted, disk_failed for a target that cannot be written
 */
export async function convert(folder: string, out: string, options: ConvertOptions): Promise<ModelFacts> {
  const { type, signal } = options;
  signal?.throwIfAborted();
  const description = await readCheckpointFolder(folder);
  const { config } = description;
  const { architecture, shape } = config;
  const maxTokens = longestInput(shape, options.maxTokens);
  const checkpoint = await openCheckpoint(folder);
  try {
    const backbone = findBackbone(folder, checkpoint, backboneTensors(architecture, shape), config.head);
    const head = await readVector(folder, checkpoint, `${config.head}.weight`, shape.hidden);
    const biasName = `${config.head}.bias`;
    const hasBias = config.headHasBias || checkpoint.tensors.has(biasName);
    const bias = hasBias ? ((await readVector(folder, checkpoint, biasName, 1))[0] ?? 0) : 0;

    const work: Work[] = backbone.map(({ spec, tensor }) => ({
      plan: { name: spec.name, shape: spec.shape, type: tensorType(spec.name, spec.shape, type) },
      values: { spec, tensor },
    }));
    if (config.llama3Rope !== undefined) {
      const divisors = llama3Divisors(config.llama3Rope, shape.headDim, shape.ropeTheta);
      work.push({
        plan: { name: "rope_freqs.weight", shape: [divisors.length], type: "f32" },
        values: divisors,
      });
    }
    const source = options.source ?? description.source;
    const writer = await createGguf(
      out,
      rewardMetadata({
        name: basename(source),
        architecture,
        shape,
        vocabulary: description.vocabulary,
        family: options.family ?? description.family,
        source,
        revision: options.revision ?? description.revision,
        type,
        maxTokens,
        head,
        bias,
        chatTemplate: description.chatTemplate,
        calibration: description.calibration,
        criteria: description.criteria,
        ngram: description.ngram,
        matching: description.matching,
      }),
      work.map(({ plan }) => plan),
    );
    try {
      let done = 0;
      const report = (bytes: number): void => {
        done += bytes;
        options.onProgress?.({ step: "weights", done, total: writer.size });
      };
      for (const { plan, values } of work) {
        const chunks =
          values instanceof Float32Array
            ? [new Uint8Array(values.buffer)]
            : convertedChunks(folder, plan, values.spec, values.tensor, signal);
        await writer.tensor(plan.name, reporting(chunks, report));
      }
      let facts: ModelFacts | undefined;
      await writer.finish(async (temporary) => {
        const verified = await verifyModel(temporary, {
          signal,
          onProgress: (checked, total) => options.onProgress?.({ step: "check", done: checked, total }),
        });
        facts = { ...verified.facts, path: out };
      });
      if (facts === undefined) throw new Error("The new file was not verified.");
      return facts;
    } catch (error) {
      await writer.discard();
      throw error;
    }
  } finally {
    await checkpoint.close();
  }
}

async function* reporting(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  report: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    report(chunk.byteLength);
  }
}

/**
 * Finds every tensor of the backbone, whatever the checkpoint calls it as a whole ("model.", "pretrained_model.model.").
 * A tensor that is left over would be a part of the model that we do not know: refused, not dropped.
 */
function findBackbone(
  folder: string,
  checkpoint: Checkpoint,
  specs: readonly TensorSpec[],
  head: string,
): { readonly spec: TensorSpec; readonly tensor: ReadableTensor }[] {
  const anchor = "embed_tokens.weight";
  const embedding = [...checkpoint.tensors.keys()].find((name) => name.endsWith(anchor));
  if (embedding === undefined) {
    throw unusable(
      folder,
      `lacks the tensor "model.${anchor}". Download the model again, with all its parts.`,
    );
  }
  const prefix = embedding.slice(0, -anchor.length);
  const left = new Set(checkpoint.tensors.keys());
  const found = specs.map((spec) => {
    const name = prefix + spec.source;
    left.delete(name);
    return { spec, tensor: requireTensor(folder, checkpoint, name, [...spec.shape].reverse()) };
  });
  for (const name of left) {
    const unneeded =
      name.endsWith("lm_head.weight") ||
      name.endsWith("rotary_emb.inv_freq") ||
      name === `${head}.weight` ||
      name === `${head}.bias`;
    if (!unneeded) {
      throw unusable(
        folder,
        `holds the tensor ${JSON.stringify(name.slice(0, 100))}, which its class does not have: it cannot be converted.`,
      );
    }
  }
  return found;
}

/** The tensor with this name and shape, in a number format that can be read. */
function requireTensor(
  folder: string,
  checkpoint: Checkpoint,
  name: string,
  shape: readonly number[],
): ReadableTensor {
  const tensor = checkpoint.tensors.get(name);
  if (tensor === undefined) {
    throw unusable(
      folder,
      `lacks the tensor ${JSON.stringify(name)}. Download the model again, with all its parts.`,
    );
  }
  if (tensor.shape.length !== shape.length || tensor.shape.some((size, index) => size !== shape[index])) {
    throw unusable(
      folder,
      `has the tensor ${JSON.stringify(name)} in the shape [${tensor.shape.join(", ")}] where config.json asks for [${shape.join(", ")}].`,
    );
  }
  const { type } = tensor;
  if (type === undefined) {
    throw unusable(
      folder,
      `has the tensor ${JSON.stringify(name)} in ${tensor.dtype}; F32, F16 and BF16 can be converted.`,
    );
  }
  return { ...tensor, type };
}

/** The head: [1, length] or [length], as float32. */
async function readVector(
  folder: string,
  checkpoint: Checkpoint,
  name: string,
  length: number,
): Promise<Float32Array> {
  const flat = checkpoint.tensors.get(name)?.shape.length === 1;
  const tensor = requireTensor(folder, checkpoint, name, flat ? [length] : [1, length]);
  const bytes = new Uint8Array(tensor.bytes);
  await tensor.read(bytes, 0);
  const values = new Float32Array(length);
  widen(bytes, tensor.type, values);
  requireMagnitude(folder, name, values, "f32");
  return values;
}

/** Encoded values of one tensor, in chunks that are valid only until the next one is asked for. */
async function* convertedChunks(
  folder: string,
  plan: TensorPlan,
  spec: TensorSpec,
  tensor: ReadableTensor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const count = elements(plan.shape);
  const rowLength = plan.shape[0] ?? 1;
  // Rows change places inside a head, so a chunk is whole heads.
  const headValues = spec.interleavedHeads === 0 ? 0 : count / spec.interleavedHeads;
  const step =
    headValues === 0 ? CHUNK_VALUES : headValues * Math.max(1, Math.floor(CHUNK_VALUES / headValues));
  const size = Math.min(step, count);
  const source = new Uint8Array(size * SOURCE_BYTES[tensor.type]);
  const wide = new Float32Array(size);
  const result = new Uint8Array(byteLength(plan.type, size));
  for (let start = 0; start < count; start += size) {
    signal?.throwIfAborted();
    const length = Math.min(size, count - start);
    const bytes = source.subarray(0, length * SOURCE_BYTES[tensor.type]);
    await tensor.read(bytes, start * SOURCE_BYTES[tensor.type]);
    const values = wide.subarray(0, length);
    widen(bytes, tensor.type, values);
    requireMagnitude(folder, tensor.name, values, plan.type);
    const ordered = headValues === 0 ? values : interleaved(values, headValues, rowLength);
    yield result.subarray(0, encode(ordered, plan.type, result));
  }
}

function requireMagnitude(folder: string, name: string, values: Float32Array, type: FileType): void {
  const largest = largestMagnitude(values);
  if (largest <= LARGEST[type]) return;
  if (!Number.isFinite(largest)) {
    throw unusable(
      folder,
      `has NaN or infinite weights in the tensor ${JSON.stringify(name)}. Download the model again.`,
    );
  }
  throw new ServiceError(
    "model_unusable",
    `${folder} has weights of ${largest.toPrecision(3)} in the tensor ${JSON.stringify(name)}, which ${type} cannot hold. Use --type bf16.`,
  );
}

/**
 * Hugging Face keeps the two halves of a rotated pair half a head apart, llama.cpp's `llama` architecture side by side:
 * rows 0, d/2, 1, d/2 + 1, … of each head.
 */
function interleaved(values: Float32Array, headValues: number, rowLength: number): Float32Array {
  const ordered = new Float32Array(values.length);
  const half = headValues / rowLength / 2;
  for (let head = 0; head < values.length; head += headValues) {
    for (let row = 0; row < half; row++) {
      for (const part of [0, 1]) {
        const from = head + (row + part * half) * rowLength;
        ordered.set(values.subarray(from, from + rowLength), head + (2 * row + part) * rowLength);
      }
    }
  }
  return ordered;
}
