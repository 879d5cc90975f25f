/**
 * RM-Bench (Liu et al. 2024): each item has three right and three wrong replies, from concise over detailed plain
 * to detailed Markdown. Of the 3 × 3 comparisons, those where the wrong reply is the more elaborate are hard.
 */
import type { Message } from "../contract.ts";
import type { Scorer } from "../scorer.ts";
import type { SyntaxRuntime } from "../syntax/parser.ts";
import type { RmBenchItem } from "./read.ts";
import { rewardsOf } from "./rewards.ts";
import { mean } from "./statistics.ts";

export interface RmBenchOutcome {
  readonly language: string;
  /** Rewards of the three chosen and the three rejected replies; null where no valid program was found. */
  readonly chosen: readonly (number | null)[];
  readonly rejected: readonly (number | null)[];
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
}

/** Scores the six replies of an item; code goes through extraction unless told otherwise. */
export async function judgeItem(
  item: RmBenchItem,
  options: { readonly extract: boolean; readonly signal?: AbortSignal },
  scorer: Scorer,
  syntax: SyntaxRuntime,
): Promise<RmBenchOutcome> {
  const replies = [...item.chosen, ...item.rejected];
  if (!options.extract || !(item.domain ?? "code").startsWith("code")) {
    const { inputs } = await scorer.scoreMessages(
      replies.map((content): Message[] => [
        { role: "user", content: item.prompt },
        { role: "assistant", content },
      ]),
      { priority: "bulk", ...(options.signal && { signal: options.signal }) },
    );
    const rewards = inputs.map((input) => input.reward);
    return {
      language: item.language ?? item.domain ?? "unknown",
      chosen: rewards.slice(0, 3),
      rejected: rewards.slice(3),
    };
  }
  const found = await rewardsOf(
    { question: item.prompt, ...(item.language !== undefined && { language: item.language }) },
    replies,
    scorer,
    syntax,
    options.signal,
  );
  const rewards = found.map((reply) => reply.reward);
  return {
    language:
      item.language ?? mostCommon(found.map((reply) => reply.language).filter((language) => language !== "")),
    chosen: rewards.slice(0, 3),
    rejected: rewards.slice(3),
  };
}

/** Accuracies of a run, over all items and by language. */
export function summariseRmBench(outcomes: readonly RmBenchOutcome[], seconds: number): RmBenchResult {
  const languages = [...new Set(outcomes.map((outcome) => outcome.language))].sort();
  return {
    ...accuracy(outcomes),
    seconds,
    languages: Object.fromEntries(
      languages.map((language) => [
        language,
        accuracy(outcomes.filter((outcome) => outcome.language === language)),
      ]),
    ),
  };
}

function accuracy(outcomes: readonly RmBenchOutcome[]): RmBenchAccuracy {
  const won = { easy: [] as number[], normal: [] as number[], hard: [] as number[] };
  for (const { chosen, rejected } of outcomes) {
    chosen.forEach((right, row) => {
      rejected.forEach((wrong, column) => {
        const kind = row < column ? "hard" : row === column ? "normal" : "easy";
        // Strictly higher; a reply without a program is below every one with a program.
        won[kind].push(Number((right ?? Number.NEGATIVE_INFINITY) > (wrong ?? Number.NEGATIVE_INFINITY)));
      });
    });
  }
  const [easy, normal, hard] = [mean(won.easy), mean(won.normal), mean(won.hard)];
  return { easy, normal, hard, average: (easy + normal + hard) / 3, items: outcomes.length };
}

function mostCommon(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "unknown";
}
