/** What is offered of the candidates there are, and whether to show it yet. Pure. */
import type { RankReply } from "../../shared/contract.ts";
import type { Candidate } from "../ranking/ranking.ts";

/** A candidate as checked in the editor, before the server has seen it. */
export interface Checked {
  readonly candidate: Candidate;
  /** The text to insert; empty when there is nothing. */
  readonly insert: string;
  readonly valid: boolean;
  readonly reason: string | null;
}

/** What can be inserted at the cursor. */
export interface Offer {
  readonly id: string;
  readonly insert: string;
  /** Null when the server has not scored it yet, or its model is not calibrated. */
  readonly probability: number | null;
  readonly ranked: boolean;
}

/**
 * Valid candidates: the ranked ones best first, then those not ranked yet in the order of arrival. Each text once.
 * @param first text that was shown already: it stays first
 */
export function offersOf(
  checked: readonly Checked[],
  reply: RankReply | undefined,
  first: string | undefined,
): Offer[] {
  const ranked = (reply?.candidates ?? [])
    .filter((entry) => entry.valid && entry.code !== "")
    .map(({ id, code, probability }): Offer => ({ id, insert: code, probability, ranked: true }));
  const seen = new Set(reply?.candidates.flatMap((entry) => [entry.id, ...entry.duplicates]) ?? []);
  const unranked = checked
    .filter(({ candidate, valid, insert }) => valid && insert !== "" && !seen.has(candidate.id))
    .map(({ candidate, insert }): Offer => ({ id: candidate.id, insert, probability: null, ranked: false }));
  const offers = firstOfEach([...ranked, ...unranked]);
  if (first === undefined) return offers;
  const shown = offers.find(({ insert }) => insert === first) ?? shownAsDuplicate(checked, reply, first);
  return shown ? [shown, ...offers.filter(({ id, insert }) => insert !== first && id !== shown.id)] : offers;
}

/** What was shown may be folded into another candidate's entry: its text stays as it was shown. */
function shownAsDuplicate(
  checked: readonly Checked[],
  reply: RankReply | undefined,
  first: string,
): Offer | undefined {
  const own = checked.find(({ insert }) => insert === first);
  if (!own) return undefined;
  const entry = reply?.candidates.find(({ duplicates }) => duplicates.includes(own.candidate.id));
  return {
    id: entry?.id ?? own.candidate.id,
    insert: first,
    probability: entry?.probability ?? null,
    ranked: entry !== undefined,
  };
}

function firstOfEach(offers: readonly Offer[]): Offer[] {
  return [...new Map([...offers].reverse().map((offer) => [offer.insert, offer])).values()].reverse();
}

export type Choice =
  | { readonly kind: "show"; readonly offers: readonly Offer[] }
  /** Nothing valid so far. */
  | { readonly kind: "none-valid" }
  /** The best is probably wrong. */
  | { readonly kind: "abstain"; readonly probability: number };

/**
 * @param least the user's least probability; a candidate without one is not held back
 */
export function choose(offers: readonly Offer[], least: number): Choice {
  const [first] = offers;
  if (!first) return { kind: "none-valid" };
  const known = offers.map(({ probability }) => probability).filter((value) => value !== null);
  const best = Math.max(...known);
  if (known.length === offers.length && best < least) return { kind: "abstain", probability: best };
  return { kind: "show", offers };
}
