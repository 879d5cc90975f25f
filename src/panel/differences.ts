/** Differences of two texts: by lines (a longest common subsequence), and within a line. Pure. */

/** An index into the old lines, into the new lines, or into both. */
export type LineChange =
  | { readonly change: "same"; readonly from: number; readonly to: number }
  | { readonly change: "removed"; readonly from: number }
  | { readonly change: "added"; readonly to: number };

/** Beyond this many pairs of lines the whole text counts as replaced: completions are much shorter. */
const MAX_PAIRS = 1_000_000;

export function lineChanges(from: readonly string[], to: readonly string[]): LineChange[] {
  if (from.length * to.length > MAX_PAIRS) {
    return [
      ...from.map((_, index): LineChange => ({ change: "removed", from: index })),
      ...to.map((_, index): LineChange => ({ change: "added", to: index })),
    ];
  }
  const lengths = commonLengths(from, to);
  const at = (i: number, j: number) => lengths[i * (to.length + 1) + j] ?? 0;
  const changes: LineChange[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length && j < to.length) {
    if (from[i] === to[j]) changes.push({ change: "same", from: i++, to: j++ });
    else if (at(i + 1, j) >= at(i, j + 1)) changes.push({ change: "removed", from: i++ });
    else changes.push({ change: "added", to: j++ });
  }
  while (i < from.length) changes.push({ change: "removed", from: i++ });
  while (j < to.length) changes.push({ change: "added", to: j++ });
  return changes;
}

/** Length of the common subsequence of the lines from i and from j on, as a table of rows i. */
function commonLengths(from: readonly string[], to: readonly string[]): Uint32Array {
  const width = to.length + 1;
  const table = new Uint32Array((from.length + 1) * width);
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      table[i * width + j] =
        from[i] === to[j]
          ? 1 + (table[(i + 1) * width + j + 1] ?? 0)
          : Math.max(table[(i + 1) * width + j] ?? 0, table[i * width + j + 1] ?? 0);
    }
  }
  return table;
}

/** The part in which two lines differ: from `start` on in both, up to an end in each, in UTF-16 units. */
export interface ChangedPart {
  readonly start: number;
  readonly fromEnd: number;
  readonly toEnd: number;
}

/** Lines with less in common than this share of the longer one are different as a whole. */
const LEAST_COMMON = 0.3;

/** Where two lines differ, between what they begin and end with alike; undefined where they have little in common. */
export function changedPart(from: string, to: string): ChangedPart | undefined {
  const shorter = Math.min(from.length, to.length);
  let start = 0;
  while (start < shorter && from[start] === to[start]) start++;
  // Half a character of two units cannot be shown.
  if (isHighSurrogate(from, start - 1)) start--;
  let common = 0;
  while (common < shorter - start && from.at(-1 - common) === to.at(-1 - common)) common++;
  if (common > 0 && isHighSurrogate(from, from.length - common - 1)) common--;
  const alike = from.slice(0, start).trim().length + common;
  if (alike < LEAST_COMMON * Math.max(from.trim().length, to.trim().length)) return undefined;
  return { start, fromEnd: from.length - common, toEnd: to.length - common };
}

function isHighSurrogate(text: string, index: number): boolean {
  const unit = text.charCodeAt(index);
  return unit >= 0xd800 && unit < 0xdc00;
}

/**
 * Pairs each removed line with the added line that takes its place: in a run of changes, the first with the first.
 * @returns pairs of indices into `from` and `to`
 */
export function replacedLines(changes: readonly LineChange[]): [from: number, to: number][] {
  const pairs: [number, number][] = [];
  let removed: number[] = [];
  let added: number[] = [];
  const close = () => {
    for (const [index, from] of removed.entries()) {
      const to = added[index];
      if (to !== undefined) pairs.push([from, to]);
    }
    removed = [];
    added = [];
  };
  for (const line of changes) {
    if (line.change === "removed") removed.push(line.from);
    else if (line.change === "added") added.push(line.to);
    else close();
  }
  close();
  return pairs;
}
