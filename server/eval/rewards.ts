/** Rewards of replies by the product's own pipeline, as evaluation needs them: by position, none lost. */
import { LIMITS, type Task } from "../../shared/contract.ts";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import { programReader } from "../ranking/programs.ts";
import { rank } from "../ranking/rank.ts";
import type { Scorer } from "../ranking/scorer.ts";

export interface ReplyReward {
  /** What the judge gave: a reward, or a mean log-probability. Null for a reply without a valid program. */
  readonly reward: number | null;
  readonly probability: number | null;
  readonly valid: boolean;
  /** The program, or the text to insert. */
  readonly code: string;
  /** Position of the reply that stands for all equal programs; its own when it is alone. */
  readonly representative: number;
  readonly language: string;
}

/** Rewards in the order of the replies. */
export async function rewardsOf(
  task: Task,
  replies: readonly string[],
  scorer: Scorer,
  syntax: SyntaxRuntime,
  signal?: AbortSignal,
): Promise<ReplyReward[]> {
  const rewards: ReplyReward[] = [];
  for (let start = 0; start < replies.length; start += LIMITS.candidates) {
    const part = replies.slice(start, start + LIMITS.candidates);
    const candidates = part.map((text, index) => ({ id: String(start + index), text }));
    const reply = await rank(
      { task, candidates, mode: "lenient", priority: "bulk" },
      scorer,
      programReader(syntax),
      signal,
    );
    for (const candidate of reply.candidates) {
      const { id, duplicates, probability, valid, code, language, signals } = candidate;
      const reward = candidate.reward ?? signals.likelihood ?? null;
      for (const member of [id, ...duplicates]) {
        rewards[Number(member)] = { reward, probability, valid, code, representative: Number(id), language };
      }
    }
  }
  return rewards;
}
