/** The transformer shapes this project converts: which tensors each has and how llama.cpp calls them. */
import { ServiceError } from "../../errors.ts";
import type { FileType } from "../gguf/ggml.ts";

/** Architecture names of llama.cpp. */
export type Architecture = "qwen3" | "qwen2" | "llama";

/** Sizes of a decoder-only transformer with grouped-query attention and a gated feed-forward layer. */
export interface Shape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly maxPositions: number;
  readonly ropeTheta: number;
  readonly normEpsilon: number;
}

/** One tensor of the backbone. */
export interface TensorSpec {
  /** Name in a GGUF. */
  readonly name: string;
  /** Name in a Hugging Face checkpoint, without the prefix of the backbone ("model."). */
  readonly source: string;
  /** ggml order: the contiguous dimension first; Hugging Face has the reverse. */
  readonly shape: readonly number[];
  /**
   * Rows of each head are [first half, second half] in Hugging Face; the `llama` architecture of llama.cpp
   * rotates neighbouring rows, so there they must alternate. 0: rows stay as they are.
   */
  readonly interleavedHeads: number;
}

/** All tensors of the backbone but the language-model head, which a reward model does not need. */
export function backboneTensors(architecture: Architecture, shape: Shape): TensorSpec[] {
  const { hidden, headDim, feedForward } = shape;
  const queries = shape.heads * headDim;
  const keys = shape.kvHeads * headDim;
  const plain = (name: string, source: string, size: readonly number[]): TensorSpec => ({
    name,
    source,
    shape: size,
    interleavedHeads: 0,
  });
  const specs = [plain("token_embd.weight", "embed_tokens.weight", [hidden, shape.vocabulary])];
  for (let layer = 0; layer < shape.layers; layer++) {
    const add = (name: string, source: string, size: readonly number[], interleavedHeads = 0): void => {
      specs.push({
        name: `blk.${layer}.${name}`,
        source: `layers.${layer}.${source}`,
        shape: size,
        interleavedHeads,
      });
    };
    const interleaved = architecture === "llama";
    add("attn_norm.weight", "input_layernorm.weight", [hidden]);
    add("attn_q.weight", "self_attn.q_proj.weight", [hidden, queries], interleaved ? shape.heads : 0);
    add("attn_k.weight", "self_attn.k_proj.weight", [hidden, keys], interleaved ? shape.kvHeads : 0);
    add("attn_v.weight", "self_attn.v_proj.weight", [hidden, keys]);
    if (architecture === "qwen2") {
      add("attn_q.bias", "self_attn.q_proj.bias", [queries]);
      add("attn_k.bias", "self_attn.k_proj.bias", [keys]);
      add("attn_v.bias", "self_attn.v_proj.bias", [keys]);
    }
    if (architecture === "qwen3") {
      add("attn_q_norm.weight", "self_attn.q_norm.weight", [headDim]);
      add("attn_k_norm.weight", "self_attn.k_norm.weight", [headDim]);
    }
    add("attn_output.weight", "self_attn.o_proj.weight", [queries, hidden]);
    add("ffn_norm.weight", "post_attention_layernorm.weight", [hidden]);
    add("ffn_gate.weight", "mlp.gate_proj.weight", [hidden, feedForward]);
    add("ffn_up.weight", "mlp.up_proj.weight", [hidden, feedForward]);
    add("ffn_down.weight", "mlp.down_proj.weight", [feedForward, hidden]);
  }
  specs.push(plain("output_norm.weight", "norm.weight", [hidden]));
  return specs;
}

/**
 * Number format of one tensor in a file of the given type.
 * Norms and biases are tiny and stay f32, as llama.cpp requires. Rows that do not fill blocks of 32 become f16.
 * In q4_0 files the embedding is q8_0: it is only looked up, so the finer format costs no time.
 */
export function tensorType(name: string, shape: readonly number[], type: FileType): FileType {
  if (shape.length === 1) return "f32";
  if (type !== "q8_0" && type !== "q4_0") return type;
  if ((shape[0] ?? 0) % 32 !== 0) return "f16";
  return name === "token_embd.weight" ? "q8_0" : type;
}

/** The length the published reward models were trained at; their position limits are ten times higher. */
const DEFAULT_MAX_TOKENS = 4096;

/**
 * Longest input of a model, in tokens.
 * @throws ServiceError invalid_request for more than it has positions
 */
export function longestInput({ maxPositions }: Pick<Shape, "maxPositions">, wanted?: number): number {
  if (wanted === undefined) return Math.min(maxPositions, DEFAULT_MAX_TOKENS);
  if (wanted <= maxPositions) return wanted;
  throw new ServiceError(
    "invalid_request",
    `The model has ${maxPositions} positions, so its inputs cannot be ${wanted} tokens long. Choose a smaller number.`,
  );
}
