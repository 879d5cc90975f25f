/** Local statistics: what was asked for, how long it took, what was accepted. No code, no names of files. Pure. */
import { type Ranking, rowOf, rowsOf, validPrograms } from "../ranking/ranking.ts";

/** One finished request. */
export interface Outcome {
  /** Milliseconds since the epoch; with the window's own ids it identifies the request. */
  readonly at: number;
  readonly candidates: number;
  readonly valid: number;
  /** Until the first and the last candidate arrived, in milliseconds. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** The server's time for the final ranking; null when nothing was ranked. */
  readonly rankMs: number | null;
  /** Predicted chance of the first sample that arrived and of the best one; null where not known. */
  readonly first: number | null;
  readonly best: number | null;
  /** Rank of the first sample that arrived, duplicates counted with their representative. */
  readonly firstRank: number | null;
  readonly shown: boolean;
  /** Whether something of it was accepted, ranked or not; records of earlier versions do not say. */
  readonly taken?: boolean;
  /** Rank and predicted chance of what was accepted; null when nothing was. */
  readonly acceptedRank: number | null;
  readonly accepted: number | null;
}

/** Requests that are kept: some weeks of work, in a file small enough to rewrite. */
export const MAX_OUTCOMES = 2000;

/** What is remembered of a finished ranking. */
export function outcomeOf(ranking: Ranking): Outcome {
  const { candidates, reply } = ranking;
  const rows = rowsOf(ranking);
  const [firstCandidate] = candidates;
  const first = firstCandidate && rowOf(ranking, firstCandidate.id);
  const accepted = ranking.accepted === undefined ? undefined : rowOf(ranking, ranking.accepted);
  const valid = new Set(validPrograms(ranking));
  const arrivals = candidates.map(({ arrivedMs }) => arrivedMs);
  return {
    at: ranking.startedAt,
    candidates: candidates.length,
    valid: candidates.filter(({ id }) => valid.has(rowOf(ranking, id)?.entry.id ?? id)).length,
    firstMs: Math.min(...arrivals),
    lastMs: Math.max(...arrivals),
    rankMs: reply?.timings.total_ms ?? null,
    first: first?.entry.probability ?? null,
    best: rows[0]?.entry.probability ?? null,
    firstRank: first?.entry.rank ?? null,
    shown: ranking.shown !== undefined,
    taken: ranking.accepted !== undefined,
    acceptedRank: accepted?.entry.rank ?? null,
    accepted: accepted?.entry.probability ?? null,
  };
}

/** Adds a record, or replaces the one of the same request. */
export function withOutcome(outcomes: readonly Outcome[], added: Outcome): Outcome[] {
  return [...outcomes.filter(({ at }) => at !== added.at), added].slice(-MAX_OUTCOMES);
}

/** Ranges of predicted chance that acceptance is counted for. */
export const RANGES = [0, 0.2, 0.4, 0.6, 0.8] as const;

export interface RangeCount {
  readonly from: number;
  readonly to: number;
  readonly shown: number;
  readonly accepted: number;
}

export interface Summary {
  readonly requests: number;
  readonly candidates: number;
  readonly valid: number;
  readonly shown: number;
  readonly accepted: number;
  /** How often the accepted one had rank 1, 2, 3 and so on. */
  readonly acceptedRanks: readonly number[];
  readonly ranges: readonly RangeCount[];
  /** Medians in milliseconds; undefined where nothing was measured. */
  readonly firstMs: number | undefined;
  readonly lastMs: number | undefined;
  readonly rankMs: number | undefined;
  /** Requests in which both are known, and how often the first was the best. */
  readonly compared: number;
  readonly firstWasBest: number;
}

export function summaryOf(outcomes: readonly Outcome[]): Summary {
  const accepted = outcomes.filter(({ acceptedRank }) => acceptedRank !== null);
  const acceptedRanks: number[] = [];
  for (const { acceptedRank } of accepted) {
    const index = (acceptedRank ?? 1) - 1;
    while (acceptedRanks.length <= index) acceptedRanks.push(0);
    acceptedRanks[index] = (acceptedRanks[index] ?? 0) + 1;
  }
  const compared = outcomes.filter(({ first, best }) => first !== null && best !== null);
  return {
    requests: outcomes.length,
    candidates: sum(outcomes.map(({ candidates }) => candidates)),
    valid: sum(outcomes.map(({ valid }) => valid)),
    shown: outcomes.filter(({ shown }) => shown).length,
    accepted: outcomes.filter(({ taken, acceptedRank }) => taken ?? acceptedRank !== null).length,
    acceptedRanks,
    ranges: RANGES.map((from, index) => {
      const to = RANGES[index + 1] ?? 1;
      const within = (value: number | null) => value !== null && value >= from && (value < to || to === 1);
      return {
        from,
        to,
        shown: outcomes.filter(({ shown, best }) => shown && within(best)).length,
        accepted: accepted.filter((outcome) => within(outcome.accepted)).length,
      };
    }),
    firstMs: median(outcomes.map(({ firstMs }) => firstMs)),
    lastMs: median(outcomes.map(({ lastMs }) => lastMs)),
    rankMs: median(outcomes.flatMap(({ rankMs }) => rankMs ?? [])),
    compared: compared.length,
    firstWasBest: compared.filter(({ firstRank }) => firstRank === 1).length,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
