/** What is suggested of the candidates there are, and whether to show it yet. Pure. */
import type { RankReply } from "../../shared/contract.ts";
import type { Candidate } from "../ranking/ranking.ts";

/** What can be inserted at the cursor. */
export interface Suggestion {
  /** Of the candidate. */
  readonly id: string;
  /** The text that is inserted where the candidate was asked for. */
  readonly insert: string;
  /** What of it is left to insert where the user is by now. */
  readonly rest: string;
  /** Characters right of the cursor that the rest replaces: what the editor has closed by itself. */
  readonly replaces: number;
  /** Null when the server has not scored it yet, or its model is not calibrated. */
  readonly probability: number | null;
  readonly ranked: boolean;
}

/**
 * Valid candidates: the ranked ones best first, then those not ranked yet in the order of arrival. Each text once.
 * @param first text that was shown already: it stays first
 */
export function suggestionsOf(
  candidates: readonly Candidate[],
  reply: RankReply | undefined,
  first: string | undefined,
): Suggestion[] {
  const ranked = (reply?.candidates ?? [])
    .filter((entry) => entry.valid && entry.code !== "")
    .map(({ id, code, probability }) => suggestionOf(id, code, { probability }));
  const seen = new Set(reply?.candidates.flatMap((entry) => [entry.id, ...entry.duplicates]) ?? []);
  const unranked = candidates
    .filter(({ id, valid, insert }) => valid && insert !== "" && !seen.has(id))
    .map(({ id, insert }) => suggestionOf(id, insert, undefined));
  const suggestions = firstOfEach([...ranked, ...unranked]);
  if (first === undefined) return suggestions;
  const shown =
    suggestions.find(({ insert }) => insert === first) ??
    shownAsDuplicate(candidates, reply, first) ??
    // Lines of one that was still being written were shown: what it has become prolongs them.
    suggestions.find(({ insert }) => insert.startsWith(first));
  return shown
    ? [shown, ...suggestions.filter(({ id, insert }) => insert !== first && id !== shown.id)]
    : suggestions;
}

/** @param verdict the server's; undefined while there is none */
function suggestionOf(
  id: string,
  insert: string,
  verdict: { readonly probability: number | null } | undefined,
): Suggestion {
  const { probability } = verdict ?? { probability: null };
  return { id, insert, rest: insert, replaces: 0, probability, ranked: verdict !== undefined };
}

/** What was shown may be folded into another candidate's entry: its text stays as it was shown. */
function shownAsDuplicate(
  candidates: readonly Candidate[],
  reply: RankReply | undefined,
  first: string,
): Suggestion | undefined {
  const own = candidates.find(({ insert }) => insert === first);
  if (!own) return undefined;
  const entry = reply?.candidates.find(({ duplicates }) => duplicates.includes(own.id));
  return suggestionOf(entry?.id ?? own.id, first, entry);
}

function firstOfEach(suggestions: readonly Suggestion[]): Suggestion[] {
  return [
    ...new Map([...suggestions].reverse().map((suggestion) => [suggestion.insert, suggestion])).values(),
  ].reverse();
}

export type Decision =
  | { readonly kind: "show"; readonly suggestions: readonly Suggestion[] }
  /** Nothing valid so far. */
  | { readonly kind: "none-valid" }
  /** The best is probably wrong. */
  | { readonly kind: "abstain"; readonly probability: number };

/**
 * Whether to show it.
 * @param least the user's least probability; a candidate without one is not held back
 */
export function decide(suggestions: readonly Suggestion[], least: number): Decision {
  const [first] = suggestions;
  if (!first) return { kind: "none-valid" };
  const known = suggestions.map(({ probability }) => probability).filter((value) => value !== null);
  const best = Math.max(...known);
  if (known.length === suggestions.length && best < least) return { kind: "abstain", probability: best };
  return { kind: "show", suggestions };
}
