/** What the extension asks its syntax thread, and what that answers. Plain data. */
import type { Language } from "../../shared/syntax/languages/languages.ts";
import type { CodeToken } from "../panel/panel-messages.ts";
import type { ModelReading } from "../preferences/preference.ts";
import type { Candidate } from "../ranking/ranking.ts";
import type { FunctionRange } from "../scoring/functions.ts";

/** What the thread needs of a cursor. */
export interface ParsedCursor {
  readonly prefix: string;
  readonly suffix: string;
  readonly language: Language;
  readonly path: string;
}

/** A piece of code that is shown in colours. */
export interface ShownCode {
  readonly text: string;
  /** Number of characters at the start that are in the document already. */
  readonly context: number;
  readonly language: Language;
}

/** What is asked with a question of each kind. */
export interface Questions {
  readonly check: { readonly cursor: ParsedCursor; readonly text: string };
  readonly reading: { readonly cursor: ParsedCursor; readonly completions: readonly string[] };
  readonly functionAt: { readonly text: string; readonly offset: number; readonly language: Language };
  readonly functionsIn: { readonly text: string; readonly language: Language };
  readonly highlight: { readonly pieces: readonly ShownCode[] };
  readonly hasEnded: { readonly cursor: ParsedCursor; readonly text: string };
}

export interface Answers {
  /** Whether a completion is valid at the cursor, and what of it is inserted. */
  readonly check: Pick<Candidate, "insert" | "valid" | "reason">;
  /** What a reward model reads at the cursor. */
  readonly reading: ModelReading;
  /** The innermost function around an offset; undefined where there is none. */
  readonly functionAt: FunctionRange | undefined;
  /** The functions of a text, in its order. */
  readonly functionsIn: readonly FunctionRange[];
  /** Lines of coloured pieces, for each piece of code. */
  readonly highlight: readonly CodeToken[][][];
  /** Whether what a text completes at the cursor has ended, or it repeats the document. */
  readonly hasEnded: boolean;
}

export type Kind = keyof Questions;
export type Question = { [K in Kind]: { readonly kind: K } & Questions[K] }[Kind];
export type Answer = Answers[Kind];
