// A document with a cursor: what all completions at one place share, and the judgement of one insertion.
import { type BracketScan, type LooseCloser, type OpenBracket, scanBrackets } from "./assemble-brackets.ts";
import { type Fault, faultKey, faultsOf } from "./assemble-faults.ts";
import { type IndentContext, indentContext } from "./assemble-indent.ts";
import { type Filled, type Located, locate } from "./assemble-place.ts";
import { lineEndAt, lineFeeds } from "./assemble-text.ts";
import { hasCode, solidRange, unitText } from "./assemble-unit.ts";
import { heads, regionsOf, type Window, windowsOf } from "./assemble-window.ts";
import type { Language } from "./languages.ts";
import type { SyntaxRuntime, SyntaxTree } from "./parser.ts";
import { isClosed, placeAt, type Unit } from "./unit.ts";

/** Text on either side of the cursor that is looked at at all, in UTF-16 units; windows are cut from it. */
const REACH = 64 * 1024;

/** Items that are parsed by themselves for one insertion into a broken document. */
const MAX_ALONE = 2;

/** How the document looks with an insertion. */
export interface Attempt {
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

/** A document with a cursor; completions are judged in it. */
export interface CursorDocument {
  readonly language: Language;
  readonly window: Window;
  readonly lineEnd: string;
  readonly indent: IndentContext;
  /** What stands open before the cursor, and closers after it without an opener. */
  readonly before: BracketScan;
  readonly looseAfter: readonly LooseCloser[];
  /** The unit around the cursor as the document is, if any; offsets into `window.before` (end may lie beyond). */
  readonly unit: Unit | undefined;
  readonly filled: Filled;
  attempt(insert: string): Attempt;
  /** Offset in the insertion at which its unit is complete, by a parse of the text without what follows. */
  unitEndWithoutSuffix(insert: string): number | undefined;
  /** Parses a text of the document's language; null where it is too large. */
  parse(text: string): SyntaxTree | null;
}

/** Languages in which a statement needs a semicolon, which a completion inside brackets cannot supply. */
const SEMICOLONS: ReadonlySet<Language> = new Set(["c", "cpp", "java", "csharp", "php", "rust"]);

/** Languages with `#if` and `#endif`. */
const GROUPED: ReadonlySet<Language> = new Set(["c", "cpp", "csharp"]);

/** How many more conditional groups a text starts than it ends. */
function groupDepth(text: string): number {
  return (
    (text.match(/^[ \t]*#[ \t]*if/gm)?.length ?? 0) - (text.match(/^[ \t]*#[ \t]*endif\b/gm)?.length ?? 0)
  );
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
  // A cursor between the two characters of a line end stands before both.
  const split = task.prefix.endsWith("\r") && task.suffix.startsWith("\n");
  const written = lineFeeds(task.prefix.slice(-REACH, split ? -1 : undefined));
  const below = lineFeeds(task.suffix.slice(0, REACH));
  const python = language === "python";
  const before = python ? masked(written) : written;
  const after = python ? masked(below) : below;
  const notebook = python && (/\.ipynb\b/.test(task.path ?? "") || before !== written || after !== below);
  const [first, ...others] = windowsOf(before, after, language);
  let window = first ?? { head: "", before, after, tail: "" };
  if (others.length > 0) {
    const errors = [window, ...others].map((one) => baseline(one, language, runtime).size);
    window = [window, ...others][errors.indexOf(Math.min(...errors))] ?? window;
  }
  // Text before PHP's first tag is HTML; the parser knows that by the text's first character.
  if (
    language === "php" &&
    window.head === "" &&
    /<\?(?:php|=)/.test(window.before) &&
    !/^\s*</.test(window.before)
  ) {
    window = { ...window, head: "<i>\n" };
  }
  return new ParsedDocument(language, window, lineEnd, notebook, runtime);
}

class ParsedDocument implements CursorDocument {
  readonly language: Language;
  readonly window: Window;
  readonly lineEnd: string;
  readonly indent: IndentContext;
  readonly #runtime: SyntaxRuntime;
  /** Lines for IPython are no errors in it. */
  readonly #notebook: boolean;
  #before: BracketScan | undefined;
  #looseAfter: readonly LooseCloser[] | undefined;
  #found: Located | undefined;
  #known: ReadonlySet<string> | undefined;
  #alone: readonly Window[] | undefined;
  #openAfter: readonly OpenBracket[] | undefined;
  #openGroups: number | undefined;

  constructor(
    language: Language,
    window: Window,
    lineEnd: string,
    notebook: boolean,
    runtime: SyntaxRuntime,
  ) {
    this.#notebook = notebook;
    this.language = language;
    this.window = window;
    this.lineEnd = lineEnd;
    this.#runtime = runtime;
    this.indent = indentContext(window.before, window.after, language);
  }

  get before(): BracketScan {
    this.#before ??= scanBrackets(this.window.head + this.window.before, this.language);
    return this.#before;
  }

  get looseAfter(): readonly LooseCloser[] {
    const { after, tail } = this.window;
    this.#looseAfter ??= scanBrackets(after + tail, this.language, this.before.inside).loose;
    return this.#looseAfter;
  }

  get unit(): Unit | undefined {
    this.#found ??= locate(this, this.#closers(""));
    return this.#found.unit;
  }

  get filled(): Filled {
    this.#found ??= locate(this, this.#closers(""));
    return this.#found.filled;
  }

  parse(text: string): SyntaxTree | null {
    return this.#runtime.parse(this.language, text.endsWith("\n") ? text : `${text}\n`);
  }

  attempt(insert: string): Attempt {
    return this.#notebook ? { ...this.#attempt(masked(insert)), insert } : this.#attempt(insert);
  }

  #attempt(insert: string): Attempt {
    const { head, before, after, tail } = this.window;
    const start = head.length + before.length;
    const closers = this.#closers(insert);
    if (closers !== undefined && closers.length > 0) {
      const closed = this.#attemptText(
        `${head}${before}${insert}\n${closers.join("\n")}${after}${tail}`,
        insert,
      );
      if (closed !== undefined) return closed;
    }
    const ending = this.#endClosers(insert);
    if (ending !== undefined) {
      const ended = this.#attemptText(
        `${head}${before}${insert}${after}\n${ending.join("\n")}${tail}`,
        insert,
      );
      if (ended !== undefined) return ended;
    }
    const plain = head + before + insert + after + tail;
    const tree = this.parse(plain);
    // The item around the cursor may be small enough where its surroundings are not.
    if (tree === null) return this.#attemptAlone(insert) ?? { ...NOTHING, insert, tooLarge: true };
    try {
      if (this.#isClean(tree, plain)) return this.#judged(tree, plain, insert, true, []);
      const ended = this.#withSemicolon(insert);
      const repaired = ended === undefined ? undefined : this.#attemptText(ended, insert);
      if (repaired !== undefined) return repaired;
      const faults = faultsOf(tree, plain, this.language);
      if (this.#knownFaults().size > 0) {
        const alone = this.#attemptAlone(insert);
        if (alone !== undefined) return alone;
        if (this.#brokenElsewhere(faults, start, insert)) {
          return { ...this.#judged(tree, plain, insert, true, faults), clean: false };
        }
      }
      return this.#judged(tree, plain, insert, false, faults);
    } finally {
      tree.delete();
    }
  }

  /** The attempt in this text of the window, if it is without errors. */
  #attemptText(text: string, insert: string, window = this.window): Attempt | undefined {
    const tree = this.parse(text);
    try {
      return tree !== null && this.#isClean(tree, text)
        ? this.#judged(tree, text, insert, true, [], window)
        : undefined;
    } finally {
      tree?.delete();
    }
  }

  #isClean(tree: SyntaxTree, text: string): boolean {
    return !tree.rootNode.hasError && faultsOf(tree, text, this.language).length === 0;
  }

  unitEndWithoutSuffix(insert: string): number | undefined {
    const { head, before } = this.window;
    const start = head.length + before.length;
    const tree = this.parse(head + before + insert);
    if (tree === null) return undefined;
    try {
      return this.#unitEnd(tree, insert, start);
    } finally {
      tree.delete();
    }
  }

  /** The text with the semicolon that the rest of the cursor's line lacks, and that cannot be inserted there. */
  #withSemicolon(insert: string): string | undefined {
    const { head, before, after, tail } = this.window;
    const lineBreak = after.indexOf("\n");
    const rest = lineBreak < 0 ? after : after.slice(0, lineBreak);
    if (!SEMICOLONS.has(this.language) || !/[)\]"'\w]\s*$/.test(rest)) return undefined;
    return `${head}${before}${insert}${rest.trimEnd()};${after.slice(rest.length)}${tail}`;
  }

  /**
   * The closers that the document lacked before and still lacks: blocks above the cursor that nothing after
   * it ends. Brackets opened on the way of a statement are the completion's to close. Undefined when the
   * insertion leaves something open itself.
   */
  #closers(insert: string): string[] | undefined {
    const lacking = this.before.open.length - this.looseAfter.length;
    if (lacking <= 0) return undefined;
    const scan = scanBrackets(insert, this.language, this.before.inside);
    if (scan.open.length > 0 || scan.inside !== undefined) return undefined;
    const remaining = this.before.open.slice(0, this.before.open.length - scan.loose.length);
    const unclosed = remaining.slice(this.looseAfter.length);
    return isBlock(remaining.at(-1))
      ? unclosed.map((one) => (one.close.charAt(0) === "}" ? "}" : one.close)).reverse()
      : undefined;
  }

  /**
   * The closers that a document lacks at its end, where it may be cut off: of blocks that start after the cursor,
   * then of those before it, then of conditional groups. Undefined where it is complete.
   */
  #endClosers(insert: string): string[] | undefined {
    const { before, after } = this.window;
    this.#openAfter ??= scanBrackets(after, this.language, this.before.inside).open;
    this.#openGroups ??= GROUPED.has(this.language) ? Math.max(0, groupDepth(before) + groupDepth(after)) : 0;
    const lacking = after.trim() === "" ? 0 : this.before.open.length - this.looseAfter.length;
    if (this.#openAfter.length === 0 && this.#openGroups === 0 && lacking <= 0) return undefined;
    const above = this.#closers(insert);
    if (above === undefined && this.before.open.length > this.looseAfter.length) return undefined;
    const below = this.#openAfter.map((one) => one.close).reverse();
    return [...below, ...(above ?? []), ...Array<string>(this.#openGroups).fill("#endif")];
  }

  /** Every error stands outside the insertion and was there without it. */
  #brokenElsewhere(faults: readonly Fault[], start: number, insert: string): boolean {
    const known = this.#knownFaults();
    const from = start + insert.length - insert.trimStart().length;
    const to = start + insert.trimEnd().length;
    return faults.every((fault) => {
      if (fault.end < from) return known.has(faultKey(fault, 0));
      return fault.start > to && known.has(faultKey(fault, insert.length));
    });
  }

  /**
   * The document's errors without a completion: as it stands, and with a stand-in at the cursor, as what is
   * missing there may hide what else is wrong.
   */
  #knownFaults(): ReadonlySet<string> {
    if (this.#known !== undefined) return this.#known;
    const known = new Set(baseline(this.window, this.language, this.#runtime));
    const { head, before, after, tail } = this.window;
    const { text } = this.filled;
    const stand = text.length - (head.length + before.length + after.length + tail.length);
    if (stand > 0 && text.startsWith(head + before)) {
      const tree = this.parse(text);
      for (const fault of tree === null ? [] : faultsOf(tree, text, this.language)) {
        known.add(faultKey(fault, fault.start < head.length + before.length ? 0 : stand));
      }
      tree?.delete();
    }
    this.#known = known;
    return known;
  }

  /** The attempt in the item around the cursor by itself, for documents that are broken or too large. */
  #attemptAlone(insert: string): Attempt | undefined {
    for (const window of this.#itemsAlone()) {
      const text = window.head + window.before + insert + window.after + window.tail;
      const attempt = this.#attemptText(text, insert, window);
      if (attempt !== undefined) return attempt;
    }
    return undefined;
  }

  /** The items around the cursor that can best be parsed by themselves: fewest errors first, then outermost. */
  #itemsAlone(): readonly Window[] {
    const { before, after } = this.window;
    this.#alone ??= regionsOf(before, after, this.language)
      .flatMap((region) =>
        (region.indent === 0 ? [["", ""] as const] : heads(this.language)).map(([head, tail]) => ({
          head,
          before: before.slice(region.start),
          after: after.slice(0, region.end),
          tail,
        })),
      )
      .map((window) => ({ window, faults: baseline(window, this.language, this.#runtime).size }))
      .sort((a, b) => a.faults - b.faults)
      .slice(0, MAX_ALONE)
      .map(({ window }) => window);
    return this.#alone;
  }

  #judged(
    tree: SyntaxTree,
    text: string,
    insert: string,
    valid: boolean,
    faults: readonly Fault[],
    window = this.window,
  ): Attempt {
    const start = window.head.length + window.before.length;
    const solid = solidRange(insert, start);
    if (solid === undefined) return { ...NOTHING, insert, faults };
    const begun = placeAt(tree.rootNode, solid.start, solid.start + 1);
    // A function that the document begins is the unit, though the insertion may also end what is around it.
    const continued =
      begun.kind === "function" && begun.node !== undefined && begun.node.startIndex < solid.start;
    const place = continued ? begun : placeAt(tree.rootNode, solid.start, solid.end);
    return {
      insert,
      valid,
      clean: valid,
      tooLarge: false,
      unit: unitText(place, text, solid, window),
      hasCode: hasCode(tree.rootNode, solid.start, solid.end),
      unitEnd: this.#unitEnd(tree, insert, start),
      faults,
    };
  }

  /** Where in the insertion the innermost unit that it continues ends, if solid text follows. */
  #unitEnd(tree: SyntaxTree, insert: string, start: number): number | undefined {
    const solid = solidRange(insert, start);
    if (solid === undefined) return undefined;
    const place = placeAt(tree.rootNode, solid.start, solid.start);
    const unit = place.kind === "function" || place.kind === "type" ? place.node : undefined;
    const found = [unit, ...place.types.toReversed()].find(
      (node) =>
        node !== undefined && node.startIndex < solid.start && node.endIndex < solid.end && isClosed(node),
    );
    if (found !== undefined) return found.endIndex > solid.start ? found.endIndex - start : undefined;
    // Under a comment one function is asked for.
    const asked = place.kind === "function" && unit !== undefined && unit.startIndex === solid.start;
    return asked && this.indent.underComment && unit.endIndex < solid.end && isClosed(unit)
      ? unit.endIndex - start
      : undefined;
  }
}

const NOTHING: Omit<Attempt, "insert"> = {
  valid: false,
  clean: false,
  tooLarge: false,
  unit: "",
  hasCode: false,
  unitEnd: undefined,
  faults: [],
};

/** The errors of a window as it is, by keys that do not depend on the length of an insertion. */
function baseline(window: Window, language: Language, runtime: SyntaxRuntime): ReadonlySet<string> {
  const text = `${window.head}${window.before}${window.after}${window.tail}\n`;
  const tree = runtime.parse(language, text);
  if (tree === null) return new Set();
  try {
    return new Set(faultsOf(tree, text, language).map((fault) => faultKey(fault, 0)));
  } finally {
    tree.delete();
  }
}

function isBlock(open: OpenBracket | undefined): boolean {
  return open === undefined || open.close === "}" || /^[a-z]/.test(open.close);
}

/** Lines of a notebook that are for IPython, made comments of the same length. */
function masked(text: string): string {
  return text.replace(/^([ \t]*)[%!](?=[%\w])/gm, "$1#");
}
