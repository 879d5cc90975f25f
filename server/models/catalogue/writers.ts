/**
 * Code models that can be pulled by name to write completions, and to judge them by likelihood. Data only.
 * Each is one GGUF file of the Hub, taken as it is.
 */
import type { Language } from "../../../shared/syntax/languages/languages.ts";

export interface WriterModel {
  /** Name under which it is pulled and asked for. */
  readonly id: string;
  /** Repository on the Hugging Face Hub, and the file in it. */
  readonly repository: string;
  readonly file: string;
  readonly licence: string;
  /** Size of the file in bytes; what the Hub lists is exact. */
  readonly bytes: number;
  /** Bytes of keys and values per token of context, in float16. */
  readonly cacheBytesPerToken: number;
  /** Answers questions in chat; a base model only continues text. */
  readonly chat: boolean;
  /** Languages it was trained on; `most`: all that this product knows. */
  readonly languages: readonly Language[] | "most";
  readonly figures: readonly Figure[];
  readonly note?: string;
}

/** A published figure: share of problems solved with the first sample, in per cent. */
export interface Figure {
  readonly benchmark: "HumanEval" | "MBPP";
  readonly percent: number;
  readonly source: string;
}

/** Qwen2.5-Coder Technical Report, the table of instruction-tuned models. */
const QWEN_REPORT = "https://arxiv.org/abs/2409.12186";

/** Layers × heads of keys and values × width of a head, twice (keys, values), two bytes each. */
const QWEN_CACHE = { "0.5b": 4 * 24 * 2 * 64, "1.5b": 4 * 28 * 2 * 128, "7b": 4 * 28 * 4 * 128 } as const;
type QwenSize = keyof typeof QWEN_CACHE;

function qwenInstruct(size: QwenSize, bytes: number, humanEval: number, mbpp: number): WriterModel {
  return {
    id: `qwen2.5-coder-${size}`,
    repository: `Qwen/Qwen2.5-Coder-${size.toUpperCase()}-Instruct-GGUF`,
    file: `qwen2.5-coder-${size}-instruct-q4_k_m.gguf`,
    licence: "Apache-2.0",
    bytes,
    cacheBytesPerToken: QWEN_CACHE[size],
    chat: true,
    languages: "most",
    figures: [
      { benchmark: "HumanEval", percent: humanEval, source: QWEN_REPORT },
      { benchmark: "MBPP", percent: mbpp, source: QWEN_REPORT },
    ],
  };
}

/** The files that users of llama.cpp's own editor plugin already have. */
function qwenBase(size: QwenSize, bytes: number): WriterModel {
  return {
    id: `qwen2.5-coder-${size}-base`,
    repository: `ggml-org/Qwen2.5-Coder-${size.toUpperCase()}-Q8_0-GGUF`,
    file: `qwen2.5-coder-${size}-q8_0.gguf`,
    licence: "Apache-2.0",
    bytes,
    cacheBytesPerToken: QWEN_CACHE[size],
    chat: false,
    languages: "most",
    figures: [],
    note: "A base model: it completes at a cursor, and does not answer questions.",
  };
}

/** By size, smallest first. The 3B of the same family is left out: its licence forbids commercial use. */
export const WRITERS: readonly WriterModel[] = [
  qwenInstruct("0.5b", 491_400_064, 61.6, 52.4),
  qwenBase("0.5b", 531_000_000),
  qwenInstruct("1.5b", 1_117_320_768, 70.7, 69.2),
  qwenBase("1.5b", 1_646_000_000),
  qwenInstruct("7b", 4_683_000_000, 88.4, 83.5),
  qwenBase("7b", 8_098_000_000),
];

/** The writer of this name. */
export function writerModel(name: string): WriterModel | undefined {
  const wanted = name.toLowerCase();
  return WRITERS.find(({ id }) => id === wanted);
}

/** Context that memory is planned for: a prompt with other files' text, and its samples. */
export const PLANNED_WRITER_CONTEXT = 8192;
/** Compute buffers of a writing and a judging context, as measured with a vocabulary of 152,000 tokens. */
const COMPUTE_BYTES = 400 * 2 ** 20;

/** Bytes of memory while it writes and judges: weights once, a KV cache for each role, compute buffers. */
export function writerMemoryBytes(model: Pick<WriterModel, "bytes" | "cacheBytesPerToken">): number {
  return model.bytes + 2 * PLANNED_WRITER_CONTEXT * model.cacheBytesPerToken + COMPUTE_BYTES;
}

/**
 * The largest writer worth having on a machine; undefined when none fits.
 * @param freeBytes free memory of the device that will run it
 * @param gpu whether that is a GPU: on a CPU 7B would write slower than one reads
 */
export function recommendWriter(freeBytes: number, gpu: boolean): WriterModel | undefined {
  const largest = gpu ? Number.POSITIVE_INFINITY : LARGEST_ON_CPU;
  return WRITERS.filter(
    (model) => model.chat && model.bytes <= largest && writerMemoryBytes(model) <= freeBytes,
  ).at(-1);
}

/** On two cores the 1.5B writes some ten tokens a second for one completion, which is where waiting begins. */
const LARGEST_ON_CPU = 2e9;
