/** Tiny Hugging Face folders for the tests of conversion: real files, small enough to make for each test. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { type Architecture, backboneTensors, type Shape } from "../../server/models/convert/architectures.ts";
import { byteAlphabet } from "../../server/models/convert/byte-alphabet.ts";
import { elements } from "../../server/models/gguf/format.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder of its own that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "codescaler-test-"));
  folders.push(folder);
  return folder;
}

export const TINY: Shape = {
  layers: 2,
  hidden: 32,
  heads: 2,
  kvHeads: 1,
  headDim: 16,
  feedForward: 64,
  vocabulary: 270,
  maxPositions: 512,
  ropeTheta: 10_000,
  normEpsilon: 1e-6,
};

export interface SourceTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}
export type Tensors = Record<string, SourceTensor>;

/** A float32 tensor with values that tell where they came from. */
export function f32(shape: readonly number[], value: (index: number) => number): SourceTensor {
  const data = Float32Array.from({ length: elements(shape) }, (_, index) => value(index));
  return { dtype: "F32", shape, data: new Uint8Array(data.buffer) };
}

/** The bytes of a safetensors file with these tensors. */
export function safetensors(tensors: Tensors): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let offset = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  return withHeader(header, ...Object.values(tensors).map(({ data }) => data));
}

/** A safetensors file with any header. */
export function withHeader(header: unknown, ...data: readonly Uint8Array[]): Buffer {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.byteLength));
  return Buffer.concat([length, text, ...data]);
}

/** Added tokens of the tiny tokenizer: id 256 on. */
export const ADDED = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>"] as const;

const SPLITS = {
  qwen2:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  llama3:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
} as const;

/** A byte-level tokenizer.json: 256 bytes, two merges, four added tokens. */
export function tokenizerJson(split: keyof typeof SPLITS = "qwen2"): Record<string, unknown> {
  const vocab: Record<string, number> = Object.fromEntries(byteAlphabet().map((letter, id) => [letter, id]));
  return {
    added_tokens: ADDED.map((content, index) => ({
      id: 256 + index,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: content !== "<think>",
    })),
    normalizer: split === "qwen2" ? { type: "NFC" } : null,
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: SPLITS[split] }, behavior: "Isolated", invert: false },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    model: {
      type: "BPE",
      byte_fallback: false,
      ignore_merges: split === "llama3",
      vocab: { ...vocab, in: 260, Ġin: 261 },
      merges: ["i n", ["Ġ", "in"]],
    },
  };
}

const CLASSES = {
  qwen3: { className: "Qwen3ForSequenceClassification", head: "score", split: "qwen2" },
  llama: { className: "LlamaForSequenceClassification", head: "score", split: "llama3" },
  qwen2: { className: "Qwen2ForCausalRM", head: "v_head.summary", split: "qwen2" },
} as const;

export interface TinyCheckpoint {
  readonly folder: string;
  readonly tensors: Tensors;
  readonly config: Record<string, unknown>;
  readonly tokenizer: Record<string, unknown>;
}

export interface TinyOptions {
  readonly prefix?: string;
  readonly shape?: Partial<Shape>;
  readonly config?: Record<string, unknown>;
  /** Name of the folder; families are told apart by it. */
  readonly change?: (checkpoint: TinyCheckpoint) => void;
}

/** Writes a complete tiny checkpoint; `change` may spoil it first. */
export function tinyCheckpoint(architecture: Architecture, options: TinyOptions = {}): TinyCheckpoint {
  const { className, head, split } = CLASSES[architecture];
  const shape = { ...TINY, ...options.shape };
  const prefix = options.prefix ?? "model.";
  const tensors: Tensors = {};
  for (const [index, spec] of backboneTensors(architecture, shape).entries()) {
    tensors[prefix + spec.source] = f32([...spec.shape].reverse(), (at) => index + Math.sin(at));
  }
  tensors[`${head}.weight`] = f32([1, shape.hidden], (at) => at / 8);
  if (architecture === "qwen2") tensors[`${head}.bias`] = f32([1], () => 0.5);
  const config = {
    architectures: [className],
    hidden_act: "silu",
    hidden_size: shape.hidden,
    intermediate_size: shape.feedForward,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    max_position_embeddings: shape.maxPositions,
    rms_norm_eps: shape.normEpsilon,
    rope_theta: shape.ropeTheta,
    vocab_size: shape.vocabulary,
    ...options.config,
  };
  const checkpoint: TinyCheckpoint = {
    folder: temporaryFolder(),
    tensors,
    config,
    tokenizer: tokenizerJson(split),
  };
  options.change?.(checkpoint);
  const write = (name: string, content: string | Uint8Array): void =>
    writeFileSync(join(checkpoint.folder, name), content);
  write("config.json", JSON.stringify(checkpoint.config));
  write("tokenizer.json", JSON.stringify(checkpoint.tokenizer));
  write(
    "tokenizer_config.json",
    JSON.stringify({ eos_token: "<|im_end|>", pad_token: { content: "<|endoftext|>" } }),
  );
  write("chat_template.jinja", "{% for m in messages %}{{ m.content }}{% endfor %}");
  write("model.safetensors", safetensors(checkpoint.tensors));
  return checkpoint;
}
