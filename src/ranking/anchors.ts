/** Ranges of a document that have a score, following their text through edits. Pure. */

export interface Anchor {
  /** In UTF-16 units from the document's start. */
  readonly start: number;
  readonly end: number;
  /** The ranking and the candidate in it that this text is. */
  readonly rankingId: string;
  readonly candidateId: string;
  /** Accepted from a suggestion, or scored where it stood. */
  readonly origin: "accepted" | "scored";
  /** Its text has changed since: the score is of what stood there before. */
  readonly stale: boolean;
}

/** One replacement in a document, with offsets before it. */
export interface Edit {
  readonly offset: number;
  readonly length: number;
  readonly text: string;
}

/** Scores of one document; the oldest go first. */
const MAX_ANCHORS = 200;

/** The anchors after edits that happened at once, all with offsets of the document before them. */
export function afterEdits(anchors: readonly Anchor[], edits: readonly Edit[]): Anchor[] {
  // From the end, so that an earlier edit's offsets are not moved by a later one.
  const ordered = [...edits].sort((a, b) => b.offset - a.offset);
  return anchors.flatMap((anchor) => {
    let moved: Anchor | undefined = anchor;
    for (const edit of ordered) moved = moved && afterEdit(moved, edit);
    return moved ?? [];
  });
}

/** Undefined when the anchor's text is gone. */
function afterEdit(anchor: Anchor, { offset, length, text }: Edit): Anchor | undefined {
  const end = offset + length;
  const growth = text.length - length;
  // What is typed directly before or behind it is not part of it.
  if (end <= anchor.start) return { ...anchor, start: anchor.start + growth, end: anchor.end + growth };
  if (offset >= anchor.end) return anchor;
  if (offset <= anchor.start && end >= anchor.end) return undefined;
  const start = Math.min(anchor.start, offset);
  return { ...anchor, start, end: Math.max(anchor.end, end) + growth, stale: true };
}

/** Adds an anchor; older ones that it covers are replaced by it. */
export function withAnchor(anchors: readonly Anchor[], added: Anchor): Anchor[] {
  const kept = anchors.filter(({ start, end }) => start < added.start || end > added.end);
  return [...kept, added].slice(-MAX_ANCHORS);
}

/** The smallest anchor around an offset; the newest of equal ones. */
export function anchorAt(anchors: readonly Anchor[], offset: number): Anchor | undefined {
  let found: Anchor | undefined;
  for (const anchor of anchors) {
    if (offset < anchor.start || offset > anchor.end) continue;
    if (!found || anchor.end - anchor.start <= found.end - found.start) found = anchor;
  }
  return found;
}
