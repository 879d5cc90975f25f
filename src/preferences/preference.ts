/** What an acceptance says about the other candidates, in the form that the fine-tuning script reads. Pure. */
import { type Ranking, rowOf, rowsOf } from "../ranking/ranking.ts";

/** One accepted completion and what was offered beside it; all code is as the reward model reads it. */
export interface Preference {
  /** Of the request; a later acceptance of the same request replaces the earlier one. */
  readonly id: string;
  /** When it was asked for, in milliseconds since the epoch. */
  readonly at: number;
  readonly language: string;
  /** The problem at the cursor, as the reward server words it. */
  readonly problem: string;
  /** The enclosing unit with the accepted completion in it. */
  readonly chosen: string;
  /** The same with each other valid completion. */
  readonly rejected: readonly { readonly code: string }[];
}

/** The completions of a finished request by what the user did with them. */
export interface Acceptance {
  readonly accepted: string;
  readonly others: readonly string[];
}

/** The accepted completion and the other valid programs; undefined where nothing was accepted or nothing else offered. */
export function acceptanceIn(ranking: Ranking): Acceptance | undefined {
  if (ranking.kind !== "completion" || !ranking.complete || ranking.accepted === undefined) return undefined;
  const accepted = rowOf(ranking, ranking.accepted);
  if (accepted === undefined) return undefined;
  const others = rowsOf(ranking).filter(({ entry }) => entry.valid && entry.id !== accepted.entry.id);
  if (others.length === 0) return undefined;
  return { accepted: accepted.candidate.text, others: others.map(({ candidate }) => candidate.text) };
}

/** What a reward model reads at a cursor: the problem, and each completion in its unit, null for one that is not valid. */
export interface ModelReading {
  readonly problem: string;
  readonly units: readonly (string | null)[];
}

/**
 * @param window distinguishes requests of different windows
 * @param reading of the accepted completion first, then of the others
 * @returns undefined where the accepted one or all others cannot be read
 */
export function preferenceOf(
  ranking: Ranking,
  window: string,
  reading: ModelReading,
): Preference | undefined {
  const [chosen, ...others] = reading.units;
  if (!chosen) return undefined;
  const rejected = [...new Set(others)].flatMap((code) => (code && code !== chosen ? [{ code }] : []));
  if (rejected.length === 0) return undefined;
  const { startedAt, cursor } = ranking;
  return {
    id: `${window}:${ranking.id}`,
    at: startedAt,
    language: cursor.language,
    problem: reading.problem,
    chosen,
    rejected,
  };
}

/** A line of a file of preferences; undefined where it is none. */
export function parsePreference(line: string): Preference | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isPreference(value) ? value : undefined;
}

function isPreference(value: unknown): value is Preference {
  if (typeof value !== "object" || value === null) return false;
  const { id, at, language, problem, chosen, rejected }: { [Name in keyof Preference]?: unknown } = value;
  return (
    [id, language, problem, chosen].every((text) => typeof text === "string") &&
    typeof at === "number" &&
    Array.isArray(rejected) &&
    rejected.every(
      (one: unknown) =>
        typeof one === "object" && one !== null && "code" in one && typeof one.code === "string",
    )
  );
}
