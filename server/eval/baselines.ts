/**
 * Rules that a reward model must beat. Each gives every sample a score, like a model would; equal scores share the
 * pick, so "any valid one" is a random valid sample. Null means: never picked while another can be.
 */

import type { NgramModel } from "../models/gguf/keys.ts";
import { ngramValue } from "../ranking/text-parts/ngram.ts";
import type { JudgedReply, ReplyReward } from "./rewards.ts";

/**
 * Scores of the samples by the name of the rule.
 * @param problem what was asked, as text: the linear model looks for its words in the programs
 * @param linear a linear n-gram model
 */
export function baselineScores(
  samples: readonly JudgedReply[],
  replies: readonly ReplyReward[],
  problem: string,
  linear?: NgramModel,
): Record<string, (number | null)[]> {
  const sizes = replies.map((reply, index) =>
    reply.code === "" ? (samples[index]?.text.length ?? 0) : reply.code.length,
  );
  const validSizes = sizes.filter((_, index) => replies[index]?.valid).sort((a, b) => a - b);
  const median = validSizes[validSizes.length >> 1] ?? 0;
  const votes = new Map<number, number>();
  for (const reply of replies) votes.set(reply.representative, (votes.get(reply.representative) ?? 0) + 1);
  const whenValid = (score: (index: number) => number) =>
    replies.map((reply, index) => (reply.valid ? score(index) : null));
  return {
    longest: sizes,
    shortest: sizes.map((size) => -size),
    valid_only: whenValid(() => 0),
    majority: whenValid((index) => votes.get(replies[index]?.representative ?? index) ?? 1),
    ...(replies.some(({ signals }) => signals.writer_logprob !== undefined) && {
      writer_likelihood: whenValid((index) => replies[index]?.signals.writer_logprob ?? -100),
    }),
    median_size_of_valid: whenValid((index) => -Math.abs((sizes[index] ?? 0) - median)),
    ...(linear && { linear: whenValid((index) => ngramValue(linear, replies[index]?.code ?? "", problem)) }),
  };
}
