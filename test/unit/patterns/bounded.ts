/**
 * Regular expressions that take more than linear time, and why that does no harm: what they read is short. Everything
 * else must be linear.
 */

export interface Bound {
  /** Files whose patterns it is about. */
  readonly files: RegExp;
  /** The patterns, as they are written; all of the files' where it is left out. */
  readonly patterns?: readonly RegExp[];
  /** Most UTF-16 units that such a pattern reads. */
  readonly most: number;
  /** Where the length is limited. */
  readonly because: string;
}

export const BOUNDS: readonly Bound[] = [
  {
    files: /^shared\/syntax\/languages\//,
    most: 4_000,
    because: "evidenceIn looks at 4,000 characters of a program, startsCode at 240 of a line",
  },
  {
    files: /^shared\/syntax\/extract\/evidence\.ts$/,
    most: 4_000,
    because: "evidenceIn looks at 4,000 characters",
  },
  {
    files: /^shared\/syntax\/replies\/(?:prose|line-starts)\.ts$/,
    most: 240,
    because: "weigh and startsCode look at 240 characters of a line",
  },
  {
    files: /^shared\/syntax\/cursor\/scan-brackets\.ts$/,
    patterns: [/^\/\(\?:\^\|\[\(,=:/],
    most: 20,
    because: "it reads the 20 characters before a slash",
  },
  {
    files: /^shared\/syntax\/programs\/outline\.ts$/,
    most: 200,
    because: "nodes of more than 200 characters are not read",
  },
  {
    files: /^shared\/syntax\/programs\/quirks\/statements\.ts$/,
    most: 100,
    because: "the types of nodes are words of our grammars",
  },
  {
    files: /^server\/models\/convert\/checkpoint\.ts$/,
    most: 255,
    because: "names of folders have at most 255 characters",
  },
  {
    files: /^src\/sources\/kinds\/infill\.ts$/,
    most: 200,
    because: "200 characters of a model's name are looked at",
  },
  {
    files: /^src\/sources\/http\/error-response\.ts$/,
    most: 4_000,
    because: "4,000 characters of an endpoint's message are looked at",
  },
];

/** Steps that a pattern may take: a tenth of a second or two. */
export const MOST_STEPS = 100_000_000;
