/** A ranking as the extension keeps it: what was asked, what came, and what the reward server said. Pure data. */
import type { CandidateInput, RankedCandidate, RankReply } from "../../shared/contract.ts";
import type { CursorContext } from "../editor/cursor-context.ts";

/** One completion as a source gave it, checked in the editor before the server has seen it. */
export interface Candidate {
  /** Unique in its ranking. */
  readonly id: string;
  /** Stable name of its source, and the name people read. */
  readonly sourceId: string;
  readonly source: string;
  readonly text: string;
  /** False when it was cut off. */
  readonly complete: boolean;
  /** The lines of one that was still being written when they were wanted; the whole one takes its place. */
  readonly draft: boolean;
  /** As the endpoint counted them. */
  readonly tokens: number | undefined;
  /** What its writer said of it, where the source passes that on. */
  readonly logprobs?: CandidateInput["logprobs"];
  /** Milliseconds from the request to its arrival. */
  readonly arrivedMs: number;
  /** The text that it inserts at the cursor; empty when there is nothing. */
  readonly insert: string;
  /** Whether the code is valid with it, and if not, why. Code that is in a document already counts as valid. */
  readonly valid: boolean;
  readonly reason: string | null;
}

export type RankingKind =
  /** Candidates for a cursor, from sources. */
  | "completion"
  /** Code that stands in a document, scored. */
  | "score"
  /** Alternatives that the user put side by side. */
  | "comparison";

export interface Ranking {
  /** Unique in the window's life. */
  readonly id: string;
  readonly kind: RankingKind;
  readonly cursor: CursorContext;
  /** In the order of arrival. */
  readonly candidates: readonly Candidate[];
  /** The server's answer for the candidates that had arrived when it was asked. */
  readonly reply: RankReply | undefined;
  /** All candidates are there and ranked, or nothing more will come. */
  readonly complete: boolean;
  /** What went wrong, in sentences. */
  readonly problems: readonly string[];
  /** The candidate that was shown first, and the one that was accepted. */
  readonly shown: string | undefined;
  readonly accepted: string | undefined;
  /** When it was asked for, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** From the request to the last answer of the server. */
  readonly totalMs: number | undefined;
}

/** One row of a ranking: the server's verdict with what the extension knows of the candidate. */
export interface RankedRow {
  readonly entry: RankedCandidate;
  readonly candidate: Candidate;
  /** Labels of all sources that gave this program, the candidate's own first. */
  readonly sources: readonly string[];
  /** How many samples were this program. */
  readonly agreed: number;
  /** Reward of the next valid one below; undefined where there is none. */
  readonly margin: number | undefined;
}

/** The rows of a ranking, best first; empty while nothing is ranked. */
export function rowsOf(ranking: Pick<Ranking, "candidates" | "reply">): RankedRow[] {
  const { candidates, reply } = ranking;
  if (!reply) return [];
  const byId = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  return reply.candidates.flatMap((entry, index) => {
    const candidate = byId.get(entry.id);
    if (!candidate) return [];
    const same = entry.duplicates.flatMap((id) => byId.get(id) ?? []);
    const next = reply.candidates[index + 1];
    return {
      entry,
      candidate,
      sources: [...new Set([candidate, ...same].map((one) => one.source))],
      agreed: 1 + same.length,
      margin: entry.reward === null || !next || next.reward === null ? undefined : entry.reward - next.reward,
    };
  });
}

/** The row that a candidate stands in, also as a duplicate. */
export function rowOf(ranking: Pick<Ranking, "candidates" | "reply">, id: string): RankedRow | undefined {
  return rowsOf(ranking).find(({ entry }) => entry.id === id || entry.duplicates.includes(id));
}

/**
 * The different valid programs, by the id of one candidate each: as the server judges them; what it has not seen, and
 * what was shown or accepted, counts as the editor judged it.
 */
export function validPrograms(ranking: Ranking): string[] {
  const { candidates, shown, accepted } = ranking;
  const ids = candidates.flatMap(({ id, valid }) => {
    const row = rowOf(ranking, id);
    if (row?.entry.valid) return [row.entry.id];
    return valid && (row === undefined || id === shown || id === accepted) ? [id] : [];
  });
  return [...new Set(ids)];
}
