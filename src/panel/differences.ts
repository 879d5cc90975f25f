/** Differences of two texts by lines: a longest common subsequence. Pure. */

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
