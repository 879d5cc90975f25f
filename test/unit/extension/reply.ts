/** Replies of the reward server for tests, from the best candidate to the worst. */
import type { RankedCandidate, RankReply } from "../../../shared/contract.ts";
import type { Candidate } from "../../../src/ranking/ranking.ts";

export function candidateOf(id: string, text = id, source = "source"): Candidate {
  const check = { insert: text, valid: true, reason: null };
  return {
    id,
    sourceId: source,
    source,
    text,
    complete: true,
    draft: false,
    tokens: 5,
    arrivedMs: 10,
    ...check,
  };
}

export function replyOf(entries: readonly Partial<RankedCandidate>[]): RankReply {
  return {
    model: { id: "nano", revision: "1", type: "q8_0", device: "CPU" },
    order: { by: "reward", why: "The judge is a reward model." },
    candidates: entries.map(
      (entry, index): RankedCandidate => ({
        id: `c${index + 1}`,
        rank: index + 1,
        valid: true,
        reason: null,
        code: `code ${index + 1}`,
        language: "python",
        reward: 1 - index,
        shaped: 1,
        probability: 0.9 - index / 10,
        tokens: 100,
        truncated: false,
        duplicates: [],
        signals: { reward: 1 - index, agreement: 1 / entries.length },
        ...entry,
      }),
    ),
    timings: { extract_ms: 1, tokenize_ms: 1, score_ms: 1, total_ms: 3 },
    usage: { unique_tokens: 10, total_tokens: 20 },
  };
}
