/** A document with a cursor: what all completions at one place have in common. */
import type { Language } from "../../languages/languages.ts";
import type { SyntaxRuntime, SyntaxTree } from "../../parsing/parser.ts";
import type { Unit } from "../../units/unit.ts";
import type { BracketScan, LooseCloser } from "../bracket-scan.ts";
import type { CursorPlace } from "../place.ts";
import type { IndentContext } from "../text/indentation.ts";
import { lineEndAt, lineFeeds } from "../text/repetition.ts";
import type { Filled } from "./enclosing-unit.ts";
import { type Excerpt, excerptsOf } from "./excerpt.ts";
import type { Judgement } from "./judgement.ts";
import { masked } from "./notebook-lines.ts";
import { baseline } from "./own-errors.ts";
import { ParsedDocument } from "./parsed-document.ts";

/** Text on either side of the cursor that is looked at at all, in UTF-16 units; excerpts are cut from it. */
const REACH = 64 * 1024;

/** A document with a cursor; completions are judged in it. */
export interface CursorDocument {
  readonly language: Language;
  readonly excerpt: Excerpt;
  readonly lineEnd: string;
  readonly indent: IndentContext;
  /** What is open before the cursor, and closers after it without an opener. */
  readonly before: BracketScan;
  readonly looseAfter: readonly LooseCloser[];
  /** The unit around the cursor as the document is, if any; offsets into `excerpt.before` (end may lie beyond). */
  readonly unit: Unit | undefined;
  readonly filled: Filled;
  /** Where on its line, and in which brackets, the cursor is. */
  readonly place: CursorPlace;
  judge(insert: string): Judgement;
  /** Offset in the insertion at which its unit is complete, by a parse of the text without what follows. */
  unitEndWithoutSuffix(insert: string): number | undefined;
  /** Parses a text of the document's language; null where it is too large. */
  parse(text: string): SyntaxTree | null;
}

/** Prepares a document for completions at the end of `prefix`. The language must have been loaded. */
export function cursorDocument(
  task: {
    readonly prefix: string;
    readonly suffix: string;
    readonly language: Language;
    readonly path?: string | undefined;
  },
  runtime: SyntaxRuntime,
): CursorDocument {
  const { language } = task;
  const lineEnd = lineEndAt(task.prefix, task.suffix);
  // A cursor between the two characters of a line end is before both.
  const split = task.prefix.endsWith("\r") && task.suffix.startsWith("\n");
  const written = lineFeeds(task.prefix.slice(-REACH, split ? -1 : undefined));
  const below = lineFeeds(task.suffix.slice(0, REACH));
  const python = language === "python";
  const before = python ? masked(written) : written;
  const after = python ? masked(below) : below;
  const notebook = python && (/\.ipynb\b/.test(task.path ?? "") || before !== written || after !== below);
  const [first, ...others] = excerptsOf(before, after, language);
  let excerpt = first ?? { head: "", before, after, tail: "" };
  if (others.length > 0) {
    const errors = [excerpt, ...others].map((one) => baseline(one, language, runtime).size);
    excerpt = [excerpt, ...others][errors.indexOf(Math.min(...errors))] ?? excerpt;
  }
  // Text before PHP's first tag is HTML; the parser knows that by the text's first character.
  if (
    language === "php" &&
    excerpt.head === "" &&
    /<\?(?:php|=)/.test(excerpt.before) &&
    !/^\s*</.test(excerpt.before)
  ) {
    excerpt = { ...excerpt, head: "<i>\n" };
  }
  return new ParsedDocument(language, excerpt, lineEnd, notebook, runtime);
}
