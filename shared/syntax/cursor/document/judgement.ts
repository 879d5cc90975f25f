/** One insertion as it was judged in its document. */
import type { Fault } from "./syntax-errors.ts";

/** How the document looks with an insertion. */
export interface Judgement {
  readonly insert: string;
  readonly valid: boolean;
  /** No error is left, or only what the document lacks around the cursor. Else errors elsewhere are tolerated. */
  readonly clean: boolean;
  /** Beyond the limits of the parser. */
  readonly tooLarge: boolean;
  /** The enclosing unit with the insertion in it, line feeds only, at the left margin. */
  readonly unit: string;
  /** The insertion has tokens other than comments. */
  readonly hasCode: boolean;
  /** Offset in the insertion at which its unit ends though it goes on; undefined where it does not. */
  readonly unitEnd: number | undefined;
  readonly faults: readonly Fault[];
}

/** The judgement that came to nothing. */
export const NOTHING: Omit<Judgement, "insert"> = {
  valid: false,
  clean: false,
  tooLarge: false,
  unit: "",
  hasCode: false,
  unitEnd: undefined,
  faults: [],
};
