/** Reward models of real shapes with random weights: what `bench` times when no trained model is at hand. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ServiceError } from "../../errors.ts";
import { diskError } from "../../files/disk.ts";
import { cacheFolder } from "../../files/folders.ts";
import { QWEN3_SHAPES } from "../catalogue/qwen3.ts";
import { elements } from "../gguf/format.ts";
import { byteLength, FILE_TYPES, type FileType, isFileType } from "../gguf/ggml.ts";
import { rewardMetadata, TOKEN_TYPE, type Vocabulary } from "../gguf/keys.ts";
import { createGguf } from "../gguf/write.ts";
import { backboneTensors, type Shape, tensorType } from "./architectures.ts";
import { byteAlphabet } from "./byte-alphabet.ts";
import { encode } from "./quantize.ts";

/** Shapes by the name that follows `random:`. */
const RANDOM_SHAPES: Readonly<Record<string, Shape>> = {
  "qwen3-0.6b": QWEN3_SHAPES["0.6b"],
  "qwen3-1.7b": QWEN3_SHAPES["1.7b"],
  "qwen3-4b": QWEN3_SHAPES["4b"],
  "qwen3-8b": QWEN3_SHAPES["8b"],
};

/** Changes whenever the bytes below would, so that a cached file of an older version is not taken for a new one. */
export const RECIPE = 1;

/** Standard deviation of the weights, as Qwen3 is initialised. */
const WEIGHT_SCALE = 0.02;
/** Standard deviation of the rewards: that of the published models. Hidden states have unit variance. */
const REWARD_SCALE = 2.7;
/** Blocks of 32 in the repeated run of random values. Prime, so that rows of one tensor differ. */
const RUN_BLOCKS = 32_749;
/** Longest input, as the published reward models were trained. */
const MAX_TOKENS = 4096;
/** First of Qwen3's control tokens; the ids before it are ordinary text. */
const FIRST_CONTROL = 151_643;

const CHAT_TEMPLATE =
  "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' }}" +
  "{%- if message.role == 'assistant' and loop.last %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}" +
  "{{- message.content + '<|im_end|>\\n' }}{%- endfor %}";

/**
 * The file of `random:SHAPE:TYPE` in the cache folder, made on first use.
 * Throws ServiceError `model_not_found` for an unknown shape or type, `disk_failed` when it cannot be written.
 */
export async function randomModel(
  specification: string,
  options: { readonly folder?: string; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const [, name = "", type = ""] = specification.split(":");
  const shape = Object.hasOwn(RANDOM_SHAPES, name) ? RANDOM_SHAPES[name] : undefined;
  if (shape === undefined || !isFileType(type) || specification !== `random:${name}:${type}`) {
    throw new ServiceError(
      "model_not_found",
      `${specification} is not random:SHAPE:TYPE. Shapes are ${Object.keys(RANDOM_SHAPES).join(", ")}; types are ${FILE_TYPES.join(", ")}.`,
    );
  }
  const file = join(options.folder ?? cacheFolder(), `random-${name}-${type}-${RECIPE}.gguf`);
  if (existsSync(file)) return file;
  await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
    throw diskError(dirname(file), error);
  });
  await makeRandomModel(shape, type, file, options.signal);
  return file;
}

/** Writes a Qwen3 reward model with random weights. The same shape and type give the same bytes. */
export async function makeRandomModel(
  shape: Shape,
  type: FileType,
  file: string,
  signal?: AbortSignal,
): Promise<void> {
  const random = normalNumbers(0x5eed);
  const head = random(shape.hidden, REWARD_SCALE / Math.sqrt(shape.hidden));
  const tensors = backboneTensors("qwen3", shape).map(({ name, shape: size }) => ({
    name,
    shape: size,
    type: tensorType(name, size, type),
  }));
  const values = random(RUN_BLOCKS * 32, WEIGHT_SCALE);
  const runs = new Map<FileType, Uint8Array>();
  const runOf = (format: FileType): Uint8Array => {
    const known = runs.get(format);
    if (known !== undefined) return known;
    const run = new Uint8Array(byteLength(format, values.length));
    encode(values, format, run);
    runs.set(format, run);
    return run;
  };
  const writer = await createGguf(
    file,
    rewardMetadata({
      name: `random ${shape.layers}x${shape.hidden}`,
      architecture: "qwen3",
      shape,
      vocabulary: syntheticVocabulary(shape.vocabulary),
      family: "codescaler",
      source: "random weights",
      revision: `recipe ${RECIPE}`,
      type,
      maxTokens: Math.min(shape.maxPositions, MAX_TOKENS),
      head,
      bias: 0,
      chatTemplate: CHAT_TEMPLATE,
    }),
    tensors,
  );
  try {
    let start = 0;
    for (const tensor of tensors) {
      signal?.throwIfAborted();
      const count = elements(tensor.shape);
      if (tensor.shape.length === 1) {
        await writer.tensor(tensor.name, [new Uint8Array(new Float32Array(count).fill(1).buffer)]);
      } else {
        await writer.tensor(tensor.name, repeated(runOf(tensor.type), tensor.type, count, start, signal));
        // Another place in the run for each tensor, or all layers would be equal.
        start = (start + 7919) % RUN_BLOCKS;
      }
    }
    await writer.finish();
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** `count` encoded values out of the endlessly repeated run, from block `start` on. */
function* repeated(
  run: Uint8Array,
  type: FileType,
  count: number,
  start: number,
  signal: AbortSignal | undefined,
): Generator<Uint8Array> {
  const bytes = byteLength(type, count);
  let at = (start * run.byteLength) / RUN_BLOCKS;
  for (let done = 0; done < bytes; ) {
    signal?.throwIfAborted();
    const end = Math.min(run.byteLength, at + bytes - done);
    yield run.subarray(at, end);
    done += end - at;
    at = 0;
  }
}

/** Byte-level vocabulary: 256 bytes, fillers that no text contains, Qwen's three control tokens where it has them. */
function syntheticVocabulary(size: number): Vocabulary {
  const control = Math.min(FIRST_CONTROL, size - 3);
  const bytes = byteAlphabet();
  const types = new Int32Array(size).fill(TOKEN_TYPE.unused).fill(TOKEN_TYPE.normal, 0, bytes.length);
  const tokens = Array.from({ length: size }, (_, id) => bytes[id] ?? `[UNUSED${id}]`);
  for (const [index, spelling] of ["<|endoftext|>", "<|im_start|>", "<|im_end|>"].entries()) {
    tokens[control + index] = spelling;
    types[control + index] = TOKEN_TYPE.control;
  }
  return {
    tokens,
    types,
    merges: [],
    pre: "qwen2",
    bos: undefined,
    eos: control + 2,
    pad: control,
    normalizer: "none",
  };
}

/** Seeded source of normally distributed numbers (xorshift32, Box–Muller). */
function normalNumbers(seed: number): (count: number, scale: number) => Float32Array {
  let state = seed;
  const uniform = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) + 0.5) / 2 ** 32;
  };
  return (count, scale) => {
    const values = new Float32Array(count);
    for (let i = 0; i < count; i += 2) {
      const radius = scale * Math.sqrt(-2 * Math.log(uniform()));
      const angle = 2 * Math.PI * uniform();
      values[i] = radius * Math.cos(angle);
      if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
    }
    return values;
  };
}
