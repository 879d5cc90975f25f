// A document with a cursor: what all completions at one place share, and the judgement of one insertion.

import type { Language } from "../languages/languages.ts";
import type { SyntaxRuntime, SyntaxTree } from "../parsing/parser.ts";
import { placeAt, type Unit } from "../units/unit.ts";
import { type Attempt, NOTHING } from "./attempt.ts";
import { type BracketScan, type LooseCloser, scanBrackets } from "./brackets.ts";
import { LackingClosers } from "./closers.ts";
import { type Fault, faultsOf } from "./faults.ts";
import { type IndentContext, indentContext } from "./indentation.ts";
import { baseline, type KnownFaults, knownFaults, standElsewhere } from "./known-faults.ts";
import { lineEndAt, lineFeeds } from "./overlap.ts";
import { type Filled, type Located, locate } from "./surroundings.ts";
import { hasCode, solidRange, unitEndIn, unitText } from "./unit-end.ts";
import { heads, regionsOf, type Window, windowsOf } from "./window.ts";

/** Text on either side of the cursor that is looked at at all, in UTF-16 units; windows are cut from it. */
const REACH = 64 * 1024;

/** Items that are parsed by themselves for one insertion into a broken document. */
const MAX_ALONE = 2;

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
  #known: KnownFaults | undefined;
  #alone: readonly Window[] | undefined;
  #lacking: LackingClosers | undefined;

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

  get #closers(): LackingClosers {
    this.#lacking ??= new LackingClosers(this.language, this.window, this.before, this.looseAfter);
    return this.#lacking;
  }

  get unit(): Unit | undefined {
    this.#found ??= locate(this, this.#closers.atCursor(""));
    return this.#found.unit;
  }

  get filled(): Filled {
    this.#found ??= locate(this, this.#closers.atCursor(""));
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
    const closers = this.#closers.atCursor(insert);
    if (closers !== undefined && closers.length > 0) {
      const closed = this.#attemptText(
        `${head}${before}${insert}\n${closers.join("\n")}${after}${tail}`,
        insert,
      );
      if (closed !== undefined) return closed;
    }
    const ending = this.#closers.atEnd(insert);
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
      const known = this.#knownFaults();
      if (known.size > 0) {
        const alone = this.#attemptAlone(insert);
        if (alone !== undefined) return alone;
        if (standElsewhere(faults, known, insert, start)) {
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
      return unitEndIn(tree, insert, start, this.indent.underComment);
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

  #knownFaults(): KnownFaults {
    this.#known ??= knownFaults(this.window, this.filled, this.language, this.#runtime);
    return this.#known;
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
      unitEnd: unitEndIn(tree, insert, start, this.indent.underComment),
      faults,
    };
  }
}

/** Lines of a notebook that are for IPython, made comments of the same length. */
function masked(text: string): string {
  return text.replace(/^([ \t]*)[%!](?=[%\w])/gm, "$1#");
}
