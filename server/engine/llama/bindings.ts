/**
 * The whole native surface: libllama's C API through koffi, for one pinned llama.cpp release.
 * Prototypes are those of `include/llama.h` at that release; layouts.ts has the structs.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ServiceError } from "../../errors.ts";
import {
  CONTEXT_PARAMS,
  type ContextParams,
  checkDefaults,
  EXPECTED_CONTEXT_DEFAULTS,
  EXPECTED_MODEL_DEFAULTS,
  GGML_TYPE,
  MODEL_PARAMS,
  type ModelParams,
  type Pointer,
} from "./layouts.ts";
import { copyFloats, inWorker, koffi, type Library } from "./native.ts";
import { type VocabularyBindings, vocabularyBindings } from "./vocabulary-bindings.ts";

/** The only llama.cpp release whose struct layouts are known: as the 3.21.1 binary packages name themselves. */
export const LLAMA_VERSION = "0.4.0-dev";

/** llama.cpp's compile-time bound on sequences in a context (LLAMA_MAX_SEQ). */
export const MAX_SEQUENCES = 256;

/** `llama_batch`: parallel arrays over the tokens of one decode call. JS owns the memory. */
export interface BatchStruct {
  readonly n_tokens: number;
  readonly token: Int32Array;
  readonly embd: null;
  readonly pos: Int32Array;
  readonly n_seq_id: Int32Array;
  /** Addresses of each token's list of sequence ids. */
  readonly seq_id: BigUint64Array;
  readonly logits: Int8Array;
}

/** Values of `ggml_backend_dev_type`: 1 and 2 are discrete and integrated GPUs. */
const DEVICE_TYPES = ["cpu", "gpu", "igpu", "accelerator", "meta"] as const;
export type DeviceType = (typeof DEVICE_TYPES)[number];

export interface Device {
  readonly name: string;
  readonly description: string;
  readonly type: DeviceType;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** The native functions, typed. Those ending in `Async` run on a worker thread and leave the event loop free. */
export interface Bindings extends VocabularyBindings {
  readonly version: string;
  modelDefaults(): ModelParams;
  contextDefaults(): ContextParams;
  devices(): Device[];
  /** @param devices places in `devices()` of those that layers may go to; none: the CPU alone */
  loadModelAsync(path: string, params: ModelParams, devices?: readonly number[]): Promise<Pointer>;
  freeModel(model: Pointer): void;
  createContextAsync(model: Pointer, params: ContextParams): Promise<Pointer>;
  freeContext(context: Pointer): void;
  contextSize(context: Pointer): number;
  memory(context: Pointer): Pointer;
  clearMemory(memory: Pointer): void;
  /** Copies cells [from, to) of one sequence to another; shares them, nothing is moved. */
  copySequence(memory: Pointer, source: number, target: number, from: number, to: number): void;
  /** Removes what a sequence holds from a position on; cells that others share stay theirs. */
  removeSequence(memory: Pointer, sequence: number, from: number): void;
  setEmbeddings(context: Pointer, on: boolean): void;
  /** 0 done, 1 no room in the KV cache, 2 aborted, negative: failed. */
  decodeAsync(context: Pointer, batch: BatchStruct): Promise<number>;
  /** Hidden state after the final norm of the i-th output of the last batch: float32 [n_embd]. */
  embedding(context: Pointer, index: number, hidden: number): Float32Array;
  /** Copies the logits of the i-th token of the last batch, which was an output: float32 [n_vocab]. */
  copyLogits(context: Pointer, index: number, into: Float32Array): void;
  vocabulary(model: Pointer): Pointer;
  hiddenSize(model: Pointer): number;
  /** The last lines that the library logged, oldest first. */
  recentLog(): readonly string[];
}

/** How many log lines are kept: enough to hold the reason of a failed load. */
const LOG_LINES = 100;

/**
 * Loads one build of llama.cpp and checks that it is the one whose layouts are known.
 * Only one build can live in a process: two would share `libggml-base` in silence.
 * @param folder absolute path of the folder with the shared libraries
 * @param needed absolute paths of libraries that the build needs and the system's loader may not find
 * @throws ServiceError engine_failed when a library is missing, of another release, or laid out differently
 */
export function loadBindings(folder: string, needed: readonly string[] = []): Bindings {
  const files = readdirSync(folder);
  const open = (pattern: RegExp) => {
    const file = files.find((name) => pattern.test(name));
    if (!file) {
      throw new ServiceError(
        "engine_failed",
        `The inference library is incomplete in ${folder}. Reinstall the package.`,
      );
    }
    try {
      return koffi.load(join(folder, file));
    } catch (error) {
      throw new ServiceError(
        "engine_failed",
        `The inference library ${file} cannot be loaded on this system (${firstLine(error)}). On Linux it needs glibc 2.34 or newer.`,
        { cause: error },
      );
    }
  };
  const base = open(/^(lib)?ggml-base\.(so|dylib|dll)$/);
  const ggml = open(/^(lib)?ggml(\.\w+)?(\.v[\d.]+)?\.(so|dylib|dll)$/);
  const llama = open(/^(lib)?llama(\.\w+)?(\.v[\d.]+)?\.(so|dylib|dll)$/);

  const version: string = llama.func("const char *llama_version()")();
  if (version !== LLAMA_VERSION) {
    throw new ServiceError(
      "engine_failed",
      `The inference library is llama.cpp ${version}, but this program knows only ${LLAMA_VERSION}. Reinstall the package.`,
    );
  }

  koffi.struct("llama_model_params", MODEL_PARAMS);
  koffi.struct("llama_context_params", CONTEXT_PARAMS);
  koffi.struct("llama_batch", {
    n_tokens: "int32",
    token: "void*",
    embd: "void*",
    pos: "void*",
    n_seq_id: "void*",
    seq_id: "void*",
    logits: "void*",
  });
  const modelDefaults: () => ModelParams = llama.func("llama_model_params llama_model_default_params()");
  const contextDefaults: () => ContextParams = llama.func(
    "llama_context_params llama_context_default_params()",
  );
  checkDefaults("model", modelDefaults(), EXPECTED_MODEL_DEFAULTS);
  checkDefaults("context", contextDefaults(), EXPECTED_CONTEXT_DEFAULTS);

  const log = keepLog(llama);
  for (const library of needed) preload(library);
  ggml.func("void ggml_backend_load_all_from_path(const char *dir)")(folder);
  llama.func("void llama_backend_init()")();

  const deviceAt: (index: number) => Pointer = ggml.func("void *ggml_backend_dev_get(size_t index)");
  const load = llama.func("void *llama_model_load_from_file(const char *path, llama_model_params params)");
  const init = llama.func("void *llama_init_from_model(void *model, llama_context_params params)");
  const decode = llama.func("int llama_decode(void *context, llama_batch batch)");
  const embedding = llama.func("void *llama_get_embeddings_ith(void *context, int index)");
  const logits = llama.func("void *llama_get_logits_ith(void *context, int index)");
  // To float32 it is a plain copy, on every platform by the same name, which no function of the C library has, and it
  // can go right into WebAssembly's memory.
  const copyInto = base.func(
    "size_t ggml_quantize_chunk(int type, const void *source, void *target, int64_t start, int64_t rows, int64_t columns, const void *matrix)",
  );
  const copy = llama.func("void llama_memory_seq_cp(void *memory, int source, int target, int from, int to)");
  const remove = llama.func("bool llama_memory_seq_rm(void *memory, int sequence, int from, int to)");
  const clear = llama.func("void llama_memory_clear(void *memory, bool data)");

  return {
    ...vocabularyBindings(llama),
    version,
    modelDefaults,
    contextDefaults,
    devices: listDevices(base, ggml, deviceAt),
    loadModelAsync: async (path, params, devices = []) => {
      // A list of none is not the same as no list, which would take every GPU there is. It ends with a null pointer.
      const list = BigUint64Array.from([...devices.map((index) => deviceAt(index) ?? 0n), 0n]);
      const handle = await inWorker<Pointer>(load, path, { ...params, devices: koffi.address(list) });
      // The list is read until here.
      return list.length > 0 ? handle : null;
    },
    freeModel: llama.func("void llama_model_free(void *model)"),
    createContextAsync: (model, params) => inWorker<Pointer>(init, model, params),
    freeContext: llama.func("void llama_free(void *context)"),
    contextSize: llama.func("uint32_t llama_n_ctx(void *context)"),
    memory: llama.func("void *llama_get_memory(void *context)"),
    clearMemory: (memory) => clear(memory, false),
    copySequence: copy,
    removeSequence: (memory, sequence, from) => remove(memory, sequence, from, -1),
    setEmbeddings: llama.func("void llama_set_embeddings(void *context, bool on)"),
    decodeAsync: (context, batch) => inWorker<number>(decode, context, batch),
    embedding: (context, index, hidden) => {
      const pointer: Pointer = embedding(context, index);
      if (!pointer)
        throw new ServiceError(
          "engine_failed",
          "The engine gave no hidden state for a sequence. Restart it.",
        );
      // The native buffer is overwritten by the next decode: copy.
      return copyFloats(pointer, hidden);
    },
    copyLogits: (context, index, into) => {
      const pointer: Pointer = logits(context, index);
      if (!pointer)
        throw new ServiceError("engine_failed", "The engine gave no logits for a token. Restart it.");
      copyInto(GGML_TYPE.F32, pointer, into, 0, 1, into.length, null);
    },
    vocabulary: llama.func("void *llama_model_get_vocab(void *model)"),
    hiddenSize: llama.func("int llama_model_n_embd(void *model)"),
    recentLog: () => log,
  };
}

/** Why the system's loader refuses a library of this folder; undefined when it takes all that match. */
export function loadProblem(folder: string, pattern: RegExp): string | undefined {
  for (const file of readdirSync(folder).filter((name) => pattern.test(name))) {
    try {
      koffi.load(join(folder, file));
    } catch (error) {
      return firstLine(error);
    }
  }
  return undefined;
}

/** What is loaded already satisfies a library that names it, wherever it lies. */
function preload(path: string): void {
  try {
    koffi.load(path);
  } catch {
    // The build will not load either, and its own failure says why.
  }
}

/** The last complaint in the library's log, for a message to the user. */
export function lastError(bindings: Bindings): string {
  const line = bindings
    .recentLog()
    .findLast((text) => /error|fail|unknown|invalid|missing|wrong/i.test(text));
  return (line ?? "no reason was given").replace(/^\w+: /, "");
}

function listDevices(base: Library, ggml: Library, get: (index: number) => Pointer): () => Device[] {
  const count: () => number = ggml.func("size_t ggml_backend_dev_count()");
  const name: (device: Pointer) => string = base.func("const char *ggml_backend_dev_name(void *device)");
  const description: (device: Pointer) => string = base.func(
    "const char *ggml_backend_dev_description(void *device)",
  );
  const type: (device: Pointer) => number = base.func("int ggml_backend_dev_type(void *device)");
  const memory: (device: Pointer, free: BigUint64Array, total: BigUint64Array) => void = base.func(
    "void ggml_backend_dev_memory(void *device, void *free, void *total)",
  );
  return () =>
    Array.from({ length: Number(count()) }, (_, index) => {
      const device = get(index);
      const free = new BigUint64Array(1);
      const total = new BigUint64Array(1);
      memory(device, free, total);
      return {
        name: name(device),
        description: description(device),
        type: DEVICE_TYPES[type(device)] ?? "cpu",
        freeBytes: Number(free[0] ?? 0n),
        totalBytes: Number(total[0] ?? 0n),
      };
    });
}

/** Sends the library's log lines to a bounded list instead of stderr. */
function keepLog(llama: Library): readonly string[] {
  const lines: string[] = [];
  const proto = koffi.proto("void codescaler_log(int level, const char *text, void *data)");
  const callback = koffi.register((_level: number, text: string) => {
    lines.push(text.trimEnd());
    if (lines.length > LOG_LINES) lines.shift();
  }, koffi.pointer(proto));
  llama.func("void llama_log_set(void *callback, void *data)")(callback, null);
  return lines;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
