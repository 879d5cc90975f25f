/**
 * Programs with characters that cannot be seen, or that turn the direction of text: they may look like others than they
 * are. They are ranked last, and inserted only by hand from the panel, which shows such characters. Pure.
 */
import type { RankedCandidate, RankReply } from "../../shared/contract.ts";
import { hiddenCharacters } from "../base/markdown.ts";
import type { Candidate } from "./ranking.ts";

/** Why such a text is not suggested, with the characters' code points; undefined for a text without any. */
export function hiddenReason(text: string): string | undefined {
  const points = hiddenCharacters(text);
  return points.length === 0
    ? undefined
    : `It has characters that cannot be seen: ${points.slice(0, 5).join(", ")}.`;
}

/** A checked completion, not valid where its text has such characters. */
export function checkedForHidden(
  check: Pick<Candidate, "insert" | "valid" | "reason">,
): Pick<Candidate, "insert" | "valid" | "reason"> {
  const reason = check.valid ? hiddenReason(check.insert) : undefined;
  return reason === undefined ? check : { ...check, valid: false, reason };
}

/** The reply with such programs behind the valid ones. */
export function rankedForHidden(reply: RankReply): RankReply {
  const judged = reply.candidates.map((entry): RankedCandidate => {
    const reason = entry.valid ? hiddenReason(entry.code) : undefined;
    return reason === undefined ? entry : { ...entry, valid: false, reason };
  });
  const ordered = [...judged.filter(({ valid }) => valid), ...judged.filter(({ valid }) => !valid)];
  return { ...reply, candidates: ordered.map((entry, index) => ({ ...entry, rank: index + 1 })) };
}
