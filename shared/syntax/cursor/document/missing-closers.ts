/**
 * The closers that a document lacks, because its author has not come to them yet or because it is cut off: with
 * them a completion can be judged by itself.
 */
import { type Language, SYNTAX } from "../../languages/languages.ts";
import type { BracketScan, LooseCloser, OpenBracket } from "../bracket-scan.ts";
import { scanBrackets } from "../scan-brackets.ts";
import type { Excerpt } from "./excerpt.ts";

/** How many more conditional groups a text starts than it ends. */
function groupDepth(text: string): number {
  return (
    (text.match(/^[ \t]*#[ \t]*if/gm)?.length ?? 0) - (text.match(/^[ \t]*#[ \t]*endif\b/gm)?.length ?? 0)
  );
}

/** What one document lacks, with any insertion at its cursor. */
export class MissingClosers {
  readonly #language: Language;
  readonly #excerpt: Excerpt;
  readonly #before: BracketScan;
  readonly #looseAfter: readonly LooseCloser[];
  #openAfter: readonly OpenBracket[] | undefined;
  #openGroups: number | undefined;

  /**
   * @param before what is open before the cursor
   * @param looseAfter closers after it without an opener
   */
  constructor(language: Language, excerpt: Excerpt, before: BracketScan, looseAfter: readonly LooseCloser[]) {
    this.#language = language;
    this.#excerpt = excerpt;
    this.#before = before;
    this.#looseAfter = looseAfter;
  }

  /**
   * The closers that the document lacked before and still lacks: blocks above the cursor that nothing after
   * it ends. Brackets opened on the way of a statement are the completion's to close. Undefined when the
   * insertion leaves something open itself.
   */
  atCursor(insert: string): string[] | undefined {
    const lacking = this.#before.open.length - this.#looseAfter.length;
    if (lacking <= 0) return undefined;
    const scan = scanBrackets(insert, this.#language, this.#before.inside);
    if (scan.open.length > 0 || scan.inside !== undefined) return undefined;
    const remaining = this.#before.open.slice(0, this.#before.open.length - scan.loose.length);
    const unclosed = remaining.slice(this.#looseAfter.length);
    return isBlock(remaining.at(-1))
      ? unclosed.map((one) => (one.close.charAt(0) === "}" ? "}" : one.close)).reverse()
      : undefined;
  }

  /**
   * The closers that a document lacks at its end, where it may be cut off: of blocks that start after the cursor,
   * then of those before it, then of conditional groups. Undefined where it is complete.
   */
  atEnd(insert: string): string[] | undefined {
    const { before, after } = this.#excerpt;
    this.#openAfter ??= scanBrackets(after, this.#language, this.#before.inside).open;
    this.#openGroups ??= SYNTAX[this.#language].lexis.preprocessor
      ? Math.max(0, groupDepth(before) + groupDepth(after))
      : 0;
    const lacking = after.trim() === "" ? 0 : this.#before.open.length - this.#looseAfter.length;
    if (this.#openAfter.length === 0 && this.#openGroups === 0 && lacking <= 0) return undefined;
    const above = this.atCursor(insert);
    if (above === undefined && this.#before.open.length > this.#looseAfter.length) return undefined;
    const below = this.#openAfter.map((one) => one.close).reverse();
    return [...below, ...(above ?? []), ...Array<string>(this.#openGroups).fill("#endif")];
  }
}

function isBlock(open: OpenBracket | undefined): boolean {
  return open === undefined || open.close === "}" || /^[a-z]/.test(open.close);
}
