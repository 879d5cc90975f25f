/** config.json of a Hugging Face folder: which class it is, its sizes, its rope. Pure; refuses what it does not know. */

import { asArray, asNumber, asObject, asString, type JsonObject, unusable } from "../../files/json-file.ts";
import type { Family } from "../gguf/keys.ts";
import type { Architecture, Shape } from "./architectures.ts";

/** What a class of Hugging Face transformers means for the conversion. */
interface ModelClass {
  readonly architecture: Architecture;
  /** Name of the head's linear layer: NAME.weight [1, hidden], NAME.bias [1]. */
  readonly head: string;
  readonly headHasBias: boolean;
}

const CLASSES: ReadonlyMap<string, ModelClass> = new Map([
  ["Qwen3ForSequenceClassification", { architecture: "qwen3", head: "score", headHasBias: false }],
  ["LlamaForSequenceClassification", { architecture: "llama", head: "score", headHasBias: false }],
  ["Qwen2ForCausalRM", { architecture: "qwen2", head: "v_head.summary", headHasBias: true }],
]);

/** Rope of Llama 3.1: low frequencies are slowed down, those between are blended. */
export interface Llama3Rope {
  readonly factor: number;
  readonly lowFrequencyFactor: number;
  readonly highFrequencyFactor: number;
  readonly originalPositions: number;
}

export interface CheckpointConfig extends ModelClass {
  readonly className: string;
  readonly shape: Shape;
  readonly llama3Rope: Llama3Rope | undefined;
}

/** Bounds of sizes in a config: far above any model, low enough that no product of them overflows. */
const LIMITS = { layers: 512, width: 2 ** 17, vocabulary: 2 ** 21, positions: 2 ** 27 } as const;

/**
 * @param path of the config.json, for messages
 * @throws ServiceError model_unusable
 */
export function parseConfig(path: string, config: JsonObject): CheckpointConfig {
  const className = asString(asArray(config["architectures"])?.[0]) ?? "";
  const modelClass = CLASSES.get(className);
  if (modelClass === undefined) {
    throw unusable(
      path,
      `names the class ${JSON.stringify(className.slice(0, 100))}, which is no reward model that can be converted. ` +
        `These can: ${[...CLASSES.keys()].join(", ")}.`,
    );
  }
  const { architecture } = modelClass;
  const size = (key: string, largest: number, fallback?: number): number => {
    const value = config[key] ?? fallback;
    const number = asNumber(value);
    if (number === undefined || !Number.isInteger(number) || number < 1 || number > largest) {
      throw unusable(
        path,
        `has no usable ${key} (${JSON.stringify(value)?.slice(0, 40)}). Download the model again.`,
      );
    }
    return number;
  };
  const refuse = (feature: string) => unusable(path, `asks for ${feature}, which cannot be converted.`);

  if (config["quantization_config"] !== undefined) {
    throw unusable(path, "describes weights that are quantised already. Convert the original model.");
  }
  const activation = asString(config["hidden_act"]) ?? "silu";
  if (activation !== "silu") throw refuse(`the activation ${JSON.stringify(activation)}`);
  if (config["use_sliding_window"] === true) throw refuse("sliding-window attention");
  const layerTypes = asArray(config["layer_types"]) ?? [];
  if (layerTypes.some((type) => type !== "full_attention")) throw refuse("layers without full attention");

  const hidden = size("hidden_size", LIMITS.width);
  const heads = size("num_attention_heads", LIMITS.width);
  const kvHeads = size("num_key_value_heads", heads, heads);
  const headDim = size("head_dim", LIMITS.width, hidden / heads);
  if (
    heads % kvHeads !== 0 ||
    headDim % 2 !== 0 ||
    (architecture === "qwen2" && heads * headDim !== hidden)
  ) {
    throw unusable(path, "has attention sizes that do not fit together. Download the model again.");
  }
  const rope = asObject(config["rope_parameters"]) ?? asObject(config["rope_scaling"]) ?? {};
  const ropeTheta = asNumber(rope["rope_theta"]) ?? asNumber(config["rope_theta"]) ?? 10_000;
  const normEpsilon = asNumber(config["rms_norm_eps"]) ?? 1e-6;
  if (
    !(ropeTheta > 0) ||
    !Number.isFinite(ropeTheta) ||
    !(normEpsilon > 0) ||
    !Number.isFinite(normEpsilon)
  ) {
    throw unusable(
      path,
      "has a rope_theta or rms_norm_eps that is no positive number. Download the model again.",
    );
  }
  return {
    ...modelClass,
    className,
    shape: {
      layers: size("num_hidden_layers", LIMITS.layers),
      hidden,
      heads,
      kvHeads,
      headDim,
      feedForward: size("intermediate_size", LIMITS.width),
      vocabulary: size("vocab_size", LIMITS.vocabulary),
      maxPositions: size("max_position_embeddings", LIMITS.positions),
      ropeTheta,
      normEpsilon,
    },
    llama3Rope: parseRope(path, architecture, rope),
  };
}

function parseRope(path: string, architecture: Architecture, rope: JsonObject): Llama3Rope | undefined {
  const type = asString(rope["rope_type"]) ?? asString(rope["type"]) ?? "default";
  if (type === "default") return undefined;
  if (type !== "llama3" || architecture !== "llama") {
    throw unusable(
      path,
      `asks for the rope scaling ${JSON.stringify(type.slice(0, 40))}, which cannot be converted.`,
    );
  }
  const positive = (key: string): number => {
    const value = asNumber(rope[key]);
    if (value === undefined || !(value > 0) || !Number.isFinite(value)) {
      throw unusable(path, `has a llama3 rope scaling without ${key}. Download the model again.`);
    }
    return value;
  };
  const scaling = {
    factor: positive("factor"),
    lowFrequencyFactor: positive("low_freq_factor"),
    highFrequencyFactor: positive("high_freq_factor"),
    originalPositions: positive("original_max_position_embeddings"),
  };
  if (scaling.highFrequencyFactor <= scaling.lowFrequencyFactor) {
    throw unusable(path, "has a llama3 rope scaling with its two frequency factors in the wrong order.");
  }
  return scaling;
}

/**
 * Divisors of the rope frequencies, one per pair of dimensions: what llama.cpp reads as `rope_freqs.weight`.
 * A wavelength below the high-frequency bound keeps its speed, one above the low-frequency bound is slowed by
 * `factor`, those between are blended linearly in speed (transformers, `_compute_llama3_parameters`).
 */
export function llama3Divisors(scaling: Llama3Rope, headDim: number, theta: number): Float32Array {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalPositions } = scaling;
  return Float32Array.from({ length: headDim / 2 }, (_, pair) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * pair) / headDim);
    if (wavelength < originalPositions / highFrequencyFactor) return 1;
    if (wavelength > originalPositions / lowFrequencyFactor) return factor;
    const smooth =
      (originalPositions / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

/** What a folder shows of the family it belongs to. */
export interface FamilyHints {
  /** Names it goes by: repository, folder. */
  readonly names: readonly string[];
  /** It brings criteria: of all families only Themis does. */
  readonly hasCriteria: boolean;
}

/** Family of a checkpoint: from its class, then from its names, by which alone the Qwen3 siblings differ. */
export function inferFamily(className: string, hints: FamilyHints): Family {
  if (className === "LlamaForSequenceClassification") return "skywork-llama";
  if (className === "Qwen2ForCausalRM") return "acecode";
  const names = hints.names.join(" ").toLowerCase();
  if (names.includes("themis")) return "themis";
  if (names.includes("skywork")) return "skywork-qwen3";
  if (names.includes("nano")) return "nano";
  return hints.hasCriteria ? "themis" : "codescaler";
}
