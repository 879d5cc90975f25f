/**
 * Struct layouts of `include/llama.h` at the pinned llama.cpp release, and the defaults its functions give.
 * `checkDefaults` compares every default parameter field by field before anything else is called, because a
 * layout that moved would corrupt memory in silence.
 */
import { ServiceError } from "../../errors.ts";

/** An address in native memory; 0n and null are both the null pointer. */
export type Pointer = bigint | null;

/** `llama_model_params`. */
export const MODEL_PARAMS = {
  devices: "void*",
  tensor_buft_overrides: "void*",
  n_gpu_layers: "int32",
  split_mode: "int32",
  load_mode: "int32",
  lazy_mode: "int32",
  main_gpu: "int32",
  tensor_split: "void*",
  progress_callback: "void*",
  progress_callback_user_data: "void*",
  kv_overrides: "void*",
  vocab_only: "bool",
  check_tensors: "bool",
  use_extra_bufts: "bool",
  no_host: "bool",
  no_alloc: "bool",
  load_mtp: "bool",
} as const;

/** `llama_context_params`. */
export const CONTEXT_PARAMS = {
  n_ctx: "uint32",
  n_batch: "uint32",
  n_ubatch: "uint32",
  n_seq_max: "uint32",
  n_rs_seq: "uint32",
  n_outputs_max: "uint32",
  n_outputs_max_per_seq: "uint32",
  n_threads: "int32",
  n_threads_batch: "int32",
  ctx_type: "int32",
  rope_scaling_type: "int32",
  pooling_type: "int32",
  attention_type: "int32",
  flash_attn_type: "int32",
  rope_freq_base: "float",
  rope_freq_scale: "float",
  yarn_ext_factor: "float",
  yarn_attn_factor: "float",
  yarn_beta_fast: "float",
  yarn_beta_slow: "float",
  yarn_orig_ctx: "uint32",
  defrag_thold: "float",
  cb_eval: "void*",
  cb_eval_user_data: "void*",
  type_k: "int32",
  type_v: "int32",
  abort_callback: "void*",
  abort_callback_data: "void*",
  embeddings: "bool",
  offload_kqv: "bool",
  no_perf: "bool",
  op_offload: "bool",
  swa_full: "bool",
  kv_unified: "bool",
  samplers: "void*",
  n_samplers: "size_t",
  ctx_other: "void*",
} as const;

type Native<T> = T extends "bool" ? boolean : T extends "void*" ? Pointer : number;
type Record_<T> = { -readonly [K in keyof T]: Native<T[K]> };
export type ModelParams = Record_<typeof MODEL_PARAMS>;
export type ContextParams = Record_<typeof CONTEXT_PARAMS>;

/** Values of `ggml_type` that this project asks for. */
export const GGML_TYPE = { F32: 0, F16: 1 } as const;
/** Values of `llama_flash_attn_type`. */
export const FLASH_ATTENTION = { auto: -1, off: 0, on: 1 } as const;
/** Defaults of `llama_model_default_params()` in llama.cpp 0.4.0. */
export const EXPECTED_MODEL_DEFAULTS: ModelParams = {
  devices: null,
  tensor_buft_overrides: null,
  n_gpu_layers: -1,
  split_mode: 1,
  load_mode: -1,
  lazy_mode: 1,
  main_gpu: 0,
  tensor_split: null,
  progress_callback: null,
  progress_callback_user_data: null,
  kv_overrides: null,
  vocab_only: false,
  check_tensors: false,
  use_extra_bufts: true,
  no_host: false,
  no_alloc: false,
  load_mtp: false,
};

/** Defaults of `llama_context_default_params()` in llama.cpp 0.4.0. */
export const EXPECTED_CONTEXT_DEFAULTS: ContextParams = {
  n_ctx: 512,
  n_batch: 2048,
  n_ubatch: 512,
  n_seq_max: 1,
  n_rs_seq: 0,
  n_outputs_max: 0,
  n_outputs_max_per_seq: 1,
  n_threads: 4,
  n_threads_batch: 4,
  ctx_type: 0,
  rope_scaling_type: -1,
  pooling_type: -1,
  attention_type: -1,
  flash_attn_type: -1,
  rope_freq_base: 0,
  rope_freq_scale: 0,
  yarn_ext_factor: -1,
  yarn_attn_factor: -1,
  yarn_beta_fast: -1,
  yarn_beta_slow: -1,
  yarn_orig_ctx: 0,
  defrag_thold: -1,
  cb_eval: null,
  cb_eval_user_data: null,
  type_k: GGML_TYPE.F16,
  type_v: GGML_TYPE.F16,
  abort_callback: null,
  abort_callback_data: null,
  embeddings: false,
  offload_kqv: true,
  no_perf: true,
  op_offload: true,
  swa_full: true,
  kv_unified: false,
  samplers: null,
  n_samplers: 0,
  ctx_other: null,
};

/**
 * Compares default parameters with those of the pinned release, field by field.
 * @throws ServiceError engine_failed naming the first field that differs
 */
export function checkDefaults(kind: string, actual: object, expected: object): void {
  for (const [field, wanted] of Object.entries(expected)) {
    const found: unknown = Reflect.get(actual, field);
    const same = wanted === null ? found === null || found === 0n : found === wanted;
    if (same) continue;
    throw new ServiceError(
      "engine_failed",
      `The inference library is not laid out as expected (${kind} parameter ${field} is ${String(found)}, not ${String(wanted)}). Reinstall the package.`,
    );
  }
}
