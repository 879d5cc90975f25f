/** What a scan of brackets finds. */

/** A string or comment that the scanner is in. */
export interface Literal {
  readonly end: string;
  readonly multiline: boolean;
}

/** An opening bracket or word without its counterpart. */
export interface OpenBracket {
  /** What would close it: `)`, `}`, `end`, `fi` … */
  readonly close: string;
  readonly index: number;
  /** The string that goes on behind the closer of an interpolation. */
  readonly resumes?: Literal;
}

/** A closing bracket or word whose counterpart is not in the text. */
export interface LooseCloser {
  readonly text: string;
  readonly index: number;
}

/** What ends a statement or an element, in code. */
export interface Separator {
  readonly text: "\n" | ";" | ",";
  readonly index: number;
  /** Brackets of the text itself that are open there. */
  readonly depth: number;
}

export interface BracketScan {
  /** Outermost first. */
  readonly open: readonly OpenBracket[];
  /** In the order of the text. */
  readonly loose: readonly LooseCloser[];
  /** In the order of the text. */
  readonly separators: readonly Separator[];
  /** End delimiter of the string or comment in which the text stops; undefined in code. */
  readonly inside: string | undefined;
  /** Lines (from 0) that start inside a string or heredoc, so that their white space is data. */
  readonly literalLines: ReadonlySet<number>;
  /** Lines (from 0) that start inside parentheses or square brackets: they continue a statement. */
  readonly continuationLines: ReadonlySet<number>;
  /** Where the string or comment starts in which the text stops. */
  readonly insideStart: number;
}
