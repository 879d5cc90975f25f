/** What the product's own pipeline says of replies, as evaluation needs it: by position, none lost. */
import {
  type CandidateInput,
  LIMITS,
  type RankReply,
  type Signals,
  type Task,
} from "../../shared/contract.ts";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import { combinedScore, featuresOf, type TaskFit } from "../ranking/fit.ts";
import { programReader } from "../ranking/programs.ts";
import { rank } from "../ranking/rank.ts";
import type { Scorer } from "../ranking/scorer.ts";
import type { Problem } from "./evaluation-sets.ts";

export interface ReplyReward {
  /** What the judge gave: a reward, or a mean log-probability. Null for a reply without a valid program. */
  readonly reward: number | null;
  readonly probability: number | null;
  /** What orders the replies, comparable between problems. Null for a reply without a valid program. */
  readonly score: number | null;
  /** Place in the ranking, from 1; equal programs share one. Of a long list: within its part. */
  readonly rank: number;
  readonly valid: boolean;
  /** The program, or the text to insert. */
  readonly code: string;
  readonly signals: Signals;
  /** Position of the reply that was scored for all equal programs; its own when it is alone. */
  readonly representative: number;
  readonly language: string;
}

/** A reply, and what its writer said of it. */
export type JudgedReply = Pick<Problem["samples"][number], "text" | "logprobs">;

/** In the order of the replies. */
export async function rewardsOf(
  task: Task,
  replies: readonly JudgedReply[],
  scorer: Scorer,
  syntax: SyntaxRuntime,
  signal?: AbortSignal,
): Promise<ReplyReward[]> {
  const rewards: ReplyReward[] = [];
  for (let start = 0; start < replies.length; start += LIMITS.candidates) {
    const part = replies.slice(start, start + LIMITS.candidates);
    const candidates = part.map(
      ({ text, logprobs }, index): CandidateInput => ({
        id: String(start + index),
        text,
        ...(logprobs && { logprobs }),
      }),
    );
    const reply = await rank(
      { task, candidates, mode: "lenient", priority: "bulk" },
      scorer,
      programReader(syntax),
      signal,
    );
    const scores = scoresOf(reply, scorer.fit?.["prefix" in task ? "cursor" : "question"]);
    for (const { id, duplicates, reward, rank: place, signals, ...rest } of reply.candidates) {
      const { probability, valid, code, language } = rest;
      for (const member of [id, ...duplicates]) {
        rewards[Number(member)] = {
          reward: reward ?? signals.likelihood ?? null,
          probability,
          score: scores.get(id) ?? null,
          rank: place,
          valid,
          code,
          signals,
          representative: Number(id),
          language,
        };
      }
    }
  }
  return rewards;
}

/** What the valid candidates of a ranking were ordered by, by their ids. */
function scoresOf({ candidates }: RankReply, fitted: TaskFit | undefined): ReadonlyMap<string, number> {
  const valid = candidates.filter((candidate) => candidate.valid);
  const features = featuresOf(
    valid.map(({ signals }) => signals),
    valid.map(({ code }) => code.length),
  );
  return new Map(
    valid.map(({ id, reward, signals }, index) => [
      id,
      fitted
        ? combinedScore(fitted, features[index] ?? {})
        : (reward ?? signals.likelihood ?? Number.NEGATIVE_INFINITY),
    ]),
  );
}
