/** What a model's GGUF says about itself: origin, sizes, template, vocabulary facts, reward head. */
import type { Architecture, Shape } from "./convert/architectures.ts";
import type { FileType } from "./gguf/ggml.ts";
import type { Family, MatchingModel, NgramModel, Normalizer } from "./gguf/keys.ts";

/** What every file says of the model it belongs to. */
export interface Origin {
  readonly path: string;
  readonly family: Family;
  /** Where it came from: a repository name or folder. */
  readonly source: string;
  readonly revision: string;
  /** Longest input, in tokens. */
  readonly maxTokens: number;
  readonly fileBytes: number;
}

/** What a list of models shows. */
export interface ModelFacts extends Origin {
  /** Number format of the weights. */
  readonly type: FileType;
  /** Size of the hidden states. */
  readonly hidden: number;
}

/** Everything that rendering and tokenizing need to know of a model, wherever its weights are. */
export interface TokenizerFile extends Origin {
  /** Jinja source, as the model's authors wrote it. */
  readonly chatTemplate: string;
  readonly normalizer: Normalizer;
  /** `sigmoid(slope · reward + intercept)` is the chance of being right. */
  readonly calibration: { readonly slope: number; readonly intercept: number } | undefined;
  /** Criterion → wording of its system turn; empty for models that have none. */
  readonly criteria: ReadonlyMap<string, string>;
  /** SHA-256 over the file, as it says itself; what belongs to this very model is kept by it. */
  readonly checksum: string | undefined;
  /** The linear part of the reward, where the model has one. */
  readonly ngram: NgramModel | undefined;
  /** The matching part of the reward, where the model has one. */
  readonly matching: MatchingModel | undefined;
  /** Spelling → id of all added tokens. */
  readonly addedTokens: ReadonlyMap<string, number>;
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
}

/** Everything that rendering, tokenizing and scoring need to know of a model file. */
export interface RewardModelFile extends ModelFacts, TokenizerFile {
  /** Weights of the reward head: float32 [hidden]. */
  readonly head: Float32Array;
  readonly bias: number;
  readonly architecture: Architecture;
  readonly shape: Shape;
  /** Positions the model was trained for. */
  readonly contextLength: number;
  readonly layers: number;
  readonly kvHeads: number;
  /** Size of a key, and of a value, of one head. */
  readonly headDim: number;
  /** Bytes of keys and values per token at float16. */
  readonly kvBytesPerToken: number;
}
