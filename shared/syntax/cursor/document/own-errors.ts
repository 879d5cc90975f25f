/** The errors that a document has of its own, so that a completion is not blamed for them. */
import type { Language } from "../../languages/languages.ts";
import type { SyntaxRuntime } from "../../parsing/parser.ts";
import type { Filled } from "./enclosing-unit.ts";
import type { Excerpt } from "./excerpt.ts";
import { type Fault, faultKey, faultsOf } from "./syntax-errors.ts";

/** The errors of a excerpt as it is, by keys that do not depend on the length of an insertion. */
export function baseline(excerpt: Excerpt, language: Language, runtime: SyntaxRuntime): ReadonlySet<string> {
  const text = `${excerpt.head}${excerpt.before}${excerpt.after}${excerpt.tail}\n`;
  const tree = runtime.parse(language, text);
  if (tree === null) return new Set();
  try {
    return new Set(faultsOf(tree, text, language).map((fault) => faultKey(fault, 0)));
  } finally {
    tree.delete();
  }
}

/** Keys of errors that do not count; of those after the cursor as if nothing stood there. */
export type OwnErrors = ReadonlySet<string>;

/**
 * The document's errors without a completion: as it is, and with a stand-in at the cursor, as what is
 * missing there may hide what else is wrong.
 */
export function ownErrors(
  excerpt: Excerpt,
  filled: Filled,
  language: Language,
  runtime: SyntaxRuntime,
): OwnErrors {
  const known = new Set(baseline(excerpt, language, runtime));
  const { head, before, after, tail } = excerpt;
  const { text } = filled;
  const stand = text.length - (head.length + before.length + after.length + tail.length);
  if (stand <= 0 || !text.startsWith(head + before)) return known;
  const tree = runtime.parse(language, text.endsWith("\n") ? text : `${text}\n`);
  for (const fault of tree === null ? [] : faultsOf(tree, text, language)) {
    known.add(faultKey(fault, fault.start < head.length + before.length ? 0 : stand));
  }
  tree?.delete();
  return known;
}

/**
 * Every error is known, and outside the insertion and the rest of its line: what is wrong right behind the cursor
 * is what a completion there has to put right.
 * @param start offset of the insertion
 * @param after the text behind it
 */
export function areElsewhere(
  faults: readonly Fault[],
  known: OwnErrors,
  insert: string,
  start: number,
  after: string,
): boolean {
  const from = start + insert.length - insert.trimStart().length;
  const rest = (/^[^\n]*/.exec(after)?.[0] ?? "").trim();
  const to =
    rest === "" ? start + insert.trimEnd().length : start + insert.length + after.indexOf(rest) + rest.length;
  return faults.every((fault) => {
    if (fault.end < from) return known.has(faultKey(fault, 0));
    return fault.start > to && known.has(faultKey(fault, insert.length));
  });
}
