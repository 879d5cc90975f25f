/**
 * RM-Bench (Liu et al. 2024): each item has three right and three wrong replies, from concise over detailed plain
 * to detailed Markdown. Of the 3 × 3 comparisons, those where the wrong reply is the more elaborate are hard.
 */
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import type { NgramModel } from "../models/gguf/keys.ts";
import { conversation, type Scorer } from "../ranking/scorer.ts";
import { ngramValue } from "../ranking/text-parts/ngram.ts";
import type { RmBenchItem } from "./evaluation-sets.ts";
import { rewardsOf } from "./rewards.ts";
import { bootstrapMean, type Estimate, mean } from "./statistics.ts";

/** Scores of the three chosen and the three rejected replies; null where no valid program was found. */
interface ReplyScores {
  readonly chosen: readonly (number | null)[];
  readonly rejected: readonly (number | null)[];
}

export interface RmBenchOutcome extends ReplyScores {
  readonly language: string;
  /** Baseline → its scores. */
  readonly baselines: Readonly<Record<string, ReplyScores>>;
}

export interface RmBenchAccuracy {
  readonly easy: number;
  readonly normal: number;
  readonly hard: number;
  readonly average: number;
  readonly items: number;
}

export interface RmBenchResult extends RmBenchAccuracy {
  readonly seconds: number;
  readonly languages: Readonly<Record<string, RmBenchAccuracy>>;
  /** Of the figures over all items. */
  readonly intervals: Readonly<Record<Difficulty | "average", Estimate>>;
  /** `average` of simple rules, by name. */
  readonly baselines: Readonly<Record<string, Estimate>>;
}

type Difficulty = "easy" | "normal" | "hard";

/**
 * Scores the six replies of an item; code goes through extraction unless an option says otherwise.
 * @param options.linear the n-gram model of the baseline of this name
 */
export async function judgeItem(
  item: RmBenchItem,
  options: {
    readonly extract: boolean;
    readonly linear?: NgramModel | undefined;
    readonly signal?: AbortSignal;
  },
  scorer: Scorer,
  syntax: SyntaxRuntime,
): Promise<RmBenchOutcome> {
  const replies = [...item.chosen, ...item.rejected];
  if (!options.extract || !(item.domain ?? "code").startsWith("code")) {
    const { inputs } = await scorer.scoreItems(
      replies.map((reply) => ({ messages: conversation(item.prompt, reply) })),
      { priority: "bulk", ...(options.signal && { signal: options.signal }) },
    );
    return {
      language: item.language ?? item.domain ?? "unknown",
      ...halves(inputs.map((input) => input.reward)),
      baselines: baselinesOf(item.prompt, replies, options.linear),
    };
  }
  const found = await rewardsOf(
    { question: item.prompt, ...(item.language !== undefined && { language: item.language }) },
    replies.map((text) => ({ text })),
    scorer,
    syntax,
    options.signal,
  );
  return {
    language:
      item.language ?? mostCommon(found.map((reply) => reply.language).filter((language) => language !== "")),
    ...halves(found.map((reply) => reply.reward)),
    baselines: baselinesOf(
      item.prompt,
      found.map((reply) => (reply.valid ? reply.code : null)),
      options.linear,
    ),
  };
}

/** What the replies' texts alone say; null is a reply without a valid program. */
function baselinesOf(
  problem: string,
  texts: readonly (string | null)[],
  linear: NgramModel | undefined,
): Record<string, ReplyScores> {
  const by = (score: (text: string) => number): ReplyScores =>
    halves(texts.map((text) => (text === null ? null : score(text))));
  return {
    longest: by((text) => text.length),
    shortest: by((text) => -text.length),
    ...(linear && { linear: by((text) => ngramValue(linear, text, problem)) }),
  };
}

function halves(scores: readonly (number | null)[]): ReplyScores {
  return { chosen: scores.slice(0, 3), rejected: scores.slice(3) };
}

/** Accuracies of a run, over all items and by language. */
export function summariseRmBench(outcomes: readonly RmBenchOutcome[], seconds: number): RmBenchResult {
  const languages = [...new Set(outcomes.map((outcome) => outcome.language))].sort();
  const items = outcomes.map(won);
  return {
    ...accuracy(outcomes),
    seconds,
    languages: Object.fromEntries(
      languages.map((language) => [
        language,
        accuracy(outcomes.filter((outcome) => outcome.language === language)),
      ]),
    ),
    intervals: {
      easy: bootstrapMean(items.map((item) => item.easy)),
      normal: bootstrapMean(items.map((item) => item.normal)),
      hard: bootstrapMean(items.map((item) => item.hard)),
      average: bootstrapMean(items.map(average)),
    },
    baselines: Object.fromEntries(
      Object.keys(outcomes[0]?.baselines ?? {}).map((name) => [
        name,
        bootstrapMean(
          outcomes.map((outcome) => average(won(outcome.baselines[name] ?? { chosen: [], rejected: [] }))),
        ),
      ]),
    ),
  };
}

function accuracy(outcomes: readonly RmBenchOutcome[]): RmBenchAccuracy {
  const items = outcomes.map(won);
  const of = (kind: Difficulty): number => mean(items.map((item) => item[kind]));
  const figures = { easy: of("easy"), normal: of("normal"), hard: of("hard") };
  return { ...figures, average: average(figures), items: items.length };
}

/** Shares of an item's comparisons that are won, three of each kind. */
function won({ chosen, rejected }: ReplyScores): Readonly<Record<Difficulty, number>> {
  const shares = { easy: 0, normal: 0, hard: 0 };
  chosen.forEach((right, row) => {
    rejected.forEach((wrong, column) => {
      const kind = row < column ? "hard" : row === column ? "normal" : "easy";
      // Strictly higher; a reply without a program is below every one with a program.
      if ((right ?? Number.NEGATIVE_INFINITY) > (wrong ?? Number.NEGATIVE_INFINITY)) shares[kind] += 1 / 3;
    });
  });
  return shares;
}

function average(shares: Readonly<Record<Difficulty, number>>): number {
  return (shares.easy + shares.normal + shares.hard) / 3;
}

function mostCommon(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "unknown";
}
