/** Sizes of the published Qwen3 models, from their config.json. */
import type { Shape } from "../convert/architectures.ts";

const QWEN3 = {
  kvHeads: 8,
  headDim: 128,
  vocabulary: 151_936,
  maxPositions: 40_960,
  ropeTheta: 1_000_000,
  normEpsilon: 1e-6,
} as const;

/** By the name of the size. */
export const QWEN3_SHAPES = {
  "0.6b": { ...QWEN3, layers: 28, hidden: 1024, heads: 16, feedForward: 3072 },
  "1.7b": { ...QWEN3, layers: 28, hidden: 2048, heads: 16, feedForward: 6144 },
  "4b": { ...QWEN3, layers: 36, hidden: 2560, heads: 32, feedForward: 9728 },
  "8b": { ...QWEN3, layers: 36, hidden: 4096, heads: 32, feedForward: 12_288 },
  "14b": { ...QWEN3, layers: 40, hidden: 5120, heads: 40, feedForward: 17_408 },
  "32b": { ...QWEN3, layers: 64, hidden: 5120, heads: 64, feedForward: 25_600 },
} as const satisfies Readonly<Record<string, Shape>>;
