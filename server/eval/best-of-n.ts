/** Best of N: how often the top-ranked of a model's samples is right, beside what simple rules would pick. */
import type { Task } from "../../shared/contract.ts";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import type { NgramModel } from "../models/gguf/keys.ts";
import type { Scorer } from "../ranking/scorer.ts";
import { baselineScores } from "./baselines.ts";
import type { Problem } from "./evaluation-sets.ts";
import { type ReplyReward, rewardsOf } from "./rewards.ts";
import {
  areaUnderCurve,
  bestOfN,
  bootstrap,
  bootstrapMean,
  type Estimate,
  type JudgedSample,
  mean,
  pairsOf,
  pairwiseAccuracy,
} from "./statistics.ts";

/** Each sorts all samples; the second digit of the interval is steady. */
const AUC_RESAMPLES = 400;

/** What was measured for one problem; enough to compute every figure, so a run can go on from it. */
export interface ProblemOutcome {
  readonly id: string;
  /** Index of the top-ranked sample. */
  readonly picked: number;
  readonly passed: boolean;
  readonly outcomes: readonly boolean[];
  readonly rewards: readonly (number | null)[];
  readonly probabilities: readonly (number | null)[];
  /** Baseline → score of each sample. */
  readonly baselines: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface BestOfNResult {
  readonly problems: number;
  /** Expected accuracy of a random sample. */
  readonly mean: number;
  readonly best_of_n: number;
  readonly oracle: number;
  readonly first: number;
  readonly curve: readonly ({ readonly n: number; readonly best_of_n: number } & Pick<
    Estimate,
    "low" | "high"
  >)[];
  readonly pairwise_accuracy: number | null;
  readonly auc: number | null;
  readonly intervals: Readonly<Record<"mean" | "best_of_n" | "oracle" | "first", Estimate>> &
    Readonly<Record<"pairwise_accuracy" | "auc", Estimate | null>>;
  /** What simple rules reach instead of `best_of_n`, by name. */
  readonly baselines: Readonly<Record<string, Estimate>>;
  /** The same instead of `pairwise_accuracy`; null without pairs. */
  readonly baselines_pairwise: Readonly<Record<string, Estimate | null>>;
  readonly seconds: number;
  readonly items: readonly Pick<ProblemOutcome, "id" | "picked" | "passed">[];
}

/**
 * Ranks the samples of one problem.
 * @param linear the n-gram model of the baseline of this name, which is left out without one
 */
export async function judgeProblem(
  problem: Problem,
  scorer: Scorer,
  syntax: SyntaxRuntime,
  signal?: AbortSignal,
  linear?: NgramModel,
): Promise<ProblemOutcome> {
  const task: Task =
    "question" in problem.task && problem.language !== undefined
      ? { ...problem.task, language: problem.language }
      : problem.task;
  const replies = await rewardsOf(task, problem.samples, scorer, syntax, signal);
  const rewards = replies.map((reply) => reply.score);
  const picked = topRanked(replies);
  return {
    id: problem.id,
    picked,
    passed: problem.samples[picked]?.passed ?? false,
    outcomes: problem.samples.map((sample) => sample.passed),
    rewards,
    probabilities: replies.map((reply) => reply.probability),
    baselines: baselineScores(
      problem.samples,
      replies,
      "question" in task ? task.question : task.prefix,
      linear,
    ),
  };
}

/** The first sample of the best place; the first of all when none is valid. */
function topRanked(replies: readonly ReplyReward[]): number {
  const valid = replies.some((reply) => reply.valid);
  const best = valid ? replies.findIndex((reply) => reply.valid && reply.rank === 1) : 0;
  return Math.max(0, best);
}

/** All figures of a run from what its problems gave. */
export function summarise(outcomes: readonly ProblemOutcome[], seconds: number): BestOfNResult {
  const judged = outcomes.map((outcome) => samplesBy(outcome, outcome.rewards));
  const random = outcomes.map((outcome) => mean(outcome.outcomes.map(Number)));
  const picked = outcomes.map((outcome) => Number(outcome.passed));
  const oracle = outcomes.map((outcome) => Number(outcome.outcomes.some(Boolean)));
  const first = outcomes.map((outcome) => Number(outcome.outcomes[0] ?? false));
  const fewest = Math.min(...outcomes.map((outcome) => outcome.outcomes.length));
  const pairwise = pairwiseOf(judged);
  const auc = orNull(bootstrap(judged, (drawn) => areaUnderCurve(drawn.flat()), AUC_RESAMPLES));
  const names = Object.keys(outcomes[0]?.baselines ?? {});
  return {
    problems: outcomes.length,
    mean: mean(random),
    best_of_n: mean(picked),
    oracle: mean(oracle),
    first: mean(first),
    curve: powersUpTo(fewest).map((n) => {
      const { value, low, high } = bootstrapMean(judged.map((samples) => bestOfN(samples, n)));
      return { n, best_of_n: value, low, high };
    }),
    pairwise_accuracy: pairwise?.value ?? null,
    auc: auc?.value ?? null,
    intervals: {
      mean: bootstrapMean(random),
      best_of_n: bootstrapMean(picked),
      oracle: bootstrapMean(oracle),
      first: bootstrapMean(first),
      pairwise_accuracy: pairwise,
      auc,
    },
    baselines: Object.fromEntries(
      names.map((name) => [
        name,
        bootstrapMean(
          outcomes.map((outcome) =>
            bestOfN(samplesBy(outcome, outcome.baselines[name] ?? []), outcome.outcomes.length),
          ),
        ),
      ]),
    ),
    baselines_pairwise: Object.fromEntries(
      names.map((name) => [
        name,
        pairwiseOf(outcomes.map((outcome) => samplesBy(outcome, outcome.baselines[name] ?? []))),
      ]),
    ),
    seconds,
    items: outcomes.map(({ id, picked: index, passed }) => ({ id, picked: index, passed })),
  };
}

function samplesBy(outcome: ProblemOutcome, scores: readonly (number | null)[]): JudgedSample[] {
  return outcome.outcomes.map((passed, index) => ({
    passed,
    score: scores[index] ?? Number.NEGATIVE_INFINITY,
  }));
}

/** 1, 2, 4, … and the number itself. */
function powersUpTo(most: number): number[] {
  const powers: number[] = [];
  for (let n = 1; n < most; n *= 2) powers.push(n);
  return [...powers, most];
}

function pairwiseOf(judged: readonly (readonly JudgedSample[])[]): Estimate | null {
  return orNull(bootstrap(judged.map(pairsOf), pairwiseAccuracy));
}

function orNull(estimate: Estimate): Estimate | null {
  return Number.isNaN(estimate.value) ? null : estimate;
}
