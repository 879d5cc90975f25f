/**
 * Weights that combine what is known of a candidate into one order, and the chance that goes with it. They are fitted
 * on judged samples of real models (`codescaler models fit`), never set by hand. Pure.
 */
import { z } from "zod";
import type { Signals } from "../../shared/contract.ts";

/**
 * What a fit may weigh:
 * - reward, likelihood, writer_logprob: as in the signals of a reply;
 * - agreement: share of the samples that are the program (its log was seen to pick worse on samples of real models);
 * - length: how far its length is from the median of the valid ones, as −|log ratio|.
 */
export const FEATURES = ["reward", "likelihood", "writer_logprob", "agreement", "length"] as const;
export type Feature = (typeof FEATURES)[number];
export type Features = Readonly<Partial<Record<Feature, number>>>;

const weights = z.partialRecord(z.enum(FEATURES), z.number());

export const taskFit = z.object({
  /** A feature that does not help has no weight. */
  weights,
  /** `ceiling · sigmoid(slope · score + intercept)`; null where probabilities did not hold on held-out problems. */
  probability: z
    .object({ slope: z.number(), intercept: z.number(), ceiling: z.number().gt(0).max(1) })
    .nullable(),
  /** What it was fitted on. */
  problems: z.number(),
  samples: z.number(),
});
export type TaskFit = z.infer<typeof taskFit>;

/** Questions and cursors are different tasks: samples at a cursor are shorter and more alike. */
export const TASK_KINDS = ["question", "cursor"] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

export const fit = z.partialRecord(z.enum(TASK_KINDS), taskFit);
export type Fit = z.infer<typeof fit>;

/** A token that a model holds for impossible must not outweigh everything else. */
const LEAST_LOGPROB = -20;

/**
 * Features of the valid candidates of one request.
 * @param lengths characters of each program
 */
export function featuresOf(signals: readonly Signals[], lengths: readonly number[]): Features[] {
  const sorted = [...lengths].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 1;
  // What is known of some candidates only would let those be compared with nothing.
  const known = (name: "reward" | "likelihood" | "writer_logprob") =>
    signals.every((one) => one[name] !== undefined);
  const usable = {
    reward: known("reward"),
    likelihood: known("likelihood"),
    writer: known("writer_logprob"),
  };
  return signals.map(({ reward, likelihood, writer_logprob, agreement }, index) => ({
    ...(usable.reward && { reward: reward ?? 0 }),
    ...(usable.likelihood && { likelihood: Math.max(LEAST_LOGPROB, likelihood ?? 0) }),
    ...(usable.writer && { writer_logprob: Math.max(LEAST_LOGPROB, writer_logprob ?? 0) }),
    agreement,
    length: -Math.abs(Math.log(Math.max(1, lengths[index] ?? 1) / Math.max(1, median))),
  }));
}

/** The weighted sum; a feature that is not known adds nothing. */
export function combinedScore({ weights: by }: Pick<TaskFit, "weights">, features: Features): number {
  return FEATURES.reduce((sum, name) => sum + (by[name] ?? 0) * (features[name] ?? 0), 0);
}

/** The chance of being right; null where the fit has none. */
export function fittedProbability({ probability }: TaskFit, score: number): number | null {
  if (probability === null) return null;
  const { slope, intercept, ceiling } = probability;
  return ceiling / (1 + Math.exp(-(slope * score + intercept)));
}

/** The weights as a person reads them: "likelihood 1.20, agreement 0.45". */
export function describeWeights({ weights: by }: Pick<TaskFit, "weights">): string {
  const parts = FEATURES.flatMap((name) => {
    const weight = by[name];
    return weight ? [`${name.replace("_", " ")} ${weight.toFixed(2)}`] : [];
  });
  return parts.join(", ") || "nothing but validity";
}
