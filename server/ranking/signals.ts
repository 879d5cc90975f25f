/** What is known of each program beside its reward: how many samples agree on it, and what their writer thought of it. Pure. */
import type { CandidateInput, Signals } from "../../shared/contract.ts";
import type { Entry } from "./programs.ts";

/**
 * The signals of one entry that need no judge.
 * @param candidates all samples of the request
 */
export function sampleSignals(entry: Entry, candidates: readonly CandidateInput[]): Signals {
  const ids = new Set([entry.id, ...entry.duplicates]);
  const own = candidates.filter(({ id }) => ids.has(id));
  const logprobs = own.flatMap(({ logprobs }) => logprobs ?? []);
  const tokens = logprobs.reduce((sum, one) => sum + one.tokens, 0);
  return {
    agreement: own.length / candidates.length,
    // A writer that says it of some samples only would let those be compared with nothing.
    ...(logprobs.length === own.length &&
      tokens > 0 && { writer_logprob: logprobs.reduce((sum, one) => sum + one.sum, 0) / tokens }),
  };
}
