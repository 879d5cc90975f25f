// A document with a cursor: what all completions at one place share, and the judgement of one insertion.
import { type BracketScan, type LooseCloser, type OpenBracket, scanBrackets } from "./assemble-brackets.ts";
import { type IndentContext, indentContext, indentOf, isCloser } from "./assemble-indent.ts";
import { lineEndAt, lineFeeds } from "./assemble-text.ts";
import { heads, startsItem, type Window, windowsOf } from "./assemble-window.ts";
import type { Language } from "./languages.ts";
import type { SyntaxNode, SyntaxRuntime, SyntaxTree } from "./parser.ts";
import { isClosed, isComment, type Place, placeAt, type Unit, unitOf } from "./unit.ts";

/** Text on either side of the cursor that is looked at at all, in UTF-16 units; windows are cut from it. */
const REACH = 64 * 1024;

/** Most of a unit that is returned for scoring, in UTF-16 units: twice what reward models read (4096 tokens). */
const MAX_UNIT_LENGTH = 32 * 1024;

/** A module without functions is its own unit up to this size; beyond, the touched statements are. */
const SMALL_MODULE = 4 * 1024;

/** Enclosing items that are parsed by themselves in a broken document: functions in types in namespaces. */
const MAX_REGIONS = 4;

/** A syntax error in the assembled text. Offsets count from the start of the window. */
export interface Fault {
  readonly start: number;
  readonly end: number;
  readonly missing: string | undefined;
}

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
  attempt(insert: string): Attempt;
  /** Offset in the insertion at which its unit is complete, by a parse of the text without what follows. */
  unitEndWithoutSuffix(insert: string): number | undefined;
  parse(text: string): SyntaxTree | null;
}

/** Languages in which a statement needs a semicolon, which a completion inside brackets cannot supply. */
const SEMICOLONS: ReadonlySet<Language> = new Set(["c", "cpp", "java", "csharp", "php", "rust"]);

/** Prepares a document for completions at the end of `prefix`. The language must have been loaded. */
export function cursorDocument(
  task: { readonly prefix: string; readonly suffix: string; readonly language: Language },
  runtime: SyntaxRuntime,
): CursorDocument {
  const { language } = task;
  const lineEnd = lineEndAt(task.prefix, task.suffix);
  // A cursor between the two characters of a line end stands before both.
  const split = task.prefix.endsWith("\r") && task.suffix.startsWith("\n");
  const before = masked(lineFeeds(task.prefix.slice(-REACH, split ? -1 : undefined)), language);
  const after = masked(lineFeeds(task.suffix.slice(0, REACH)), language);
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
  return new ParsedDocument(language, window, lineEnd, runtime);
}

class ParsedDocument implements CursorDocument {
  readonly language: Language;
  readonly window: Window;
  readonly lineEnd: string;
  readonly indent: IndentContext;
  readonly #runtime: SyntaxRuntime;
  #before: BracketScan | undefined;
  #looseAfter: readonly LooseCloser[] | undefined;
  #unit: { readonly found: Unit | undefined } | undefined;
  #known: ReadonlySet<string> | undefined;

  constructor(language: Language, window: Window, lineEnd: string, runtime: SyntaxRuntime) {
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
    this.#unit ??= { found: this.#findUnit() };
    return this.#unit.found;
  }

  parse(text: string): SyntaxTree | null {
    return this.#runtime.parse(this.language, text.endsWith("\n") ? text : `${text}\n`);
  }

  attempt(insert: string): Attempt {
    const { head, before, after, tail } = this.window;
    const start = head.length + before.length;
    const plain = head + before + insert + after + tail;
    const tree = this.parse(plain);
    if (tree === null) return { ...NOTHING, insert, tooLarge: true };
    try {
      if (this.#isClean(tree)) return this.#judged(tree, plain, insert, start, true, []);
      for (const repaired of this.#repairs(insert)) {
        const other = this.parse(repaired);
        try {
          if (other?.rootNode.hasError === false)
            return this.#judged(other, repaired, insert, start, true, []);
        } finally {
          other?.delete();
        }
      }
      const faults = faultsOf(tree, this.language);
      if (this.#knownFaults().size > 0) {
        if (this.#brokenElsewhere(faults, start, insert)) {
          return { ...this.#judged(tree, plain, insert, start, true, faults), clean: false };
        }
        const alone = this.#attemptAlone(insert, faults);
        if (alone !== undefined) return alone;
      }
      return this.#judged(tree, plain, insert, start, false, faults);
    } finally {
      tree.delete();
    }
  }

  #isClean(tree: SyntaxTree): boolean {
    return !tree.rootNode.hasError && strayClosers(tree, this.language).length === 0;
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

  /** Texts in which what the document itself leaves open around the cursor is closed. */
  *#repairs(insert: string): Generator<string> {
    const { head, before, after, tail } = this.window;
    const closers = this.#closers(insert);
    if (closers !== undefined && closers.length > 0) {
      yield `${head}${before}${insert}\n${closers.join("\n")}${after}${tail}`;
    }
    const lineBreak = after.indexOf("\n");
    const rest = lineBreak < 0 ? after : after.slice(0, lineBreak);
    if (SEMICOLONS.has(this.language) && /[)\]"'\w]\s*$/.test(rest)) {
      yield `${head}${before}${insert}${rest.trimEnd()};${after.slice(rest.length)}${tail}`;
    }
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

  /** The document's errors without a completion. */
  #knownFaults(): ReadonlySet<string> {
    this.#known ??= baseline(this.window, this.language, this.#runtime);
    return this.#known;
  }

  /**
   * In a broken document, the item around the cursor by its indentation, parsed by itself: from a line above
   * with less indentation to the line below that ends it. Outermost first.
   */
  #attemptAlone(insert: string, faults: readonly Fault[]): Attempt | undefined {
    const { before, after } = this.window;
    for (const region of regionsOf(before, after, this.language)) {
      const piece = before.slice(region.start);
      for (const [head, close] of region.indent === 0 ? [["", ""] as const] : heads(this.language)) {
        const text = `${head}${piece}${insert}${after.slice(0, region.end)}${close}`;
        const tree = this.parse(text);
        try {
          if (tree === null || !this.#isClean(tree)) continue;
          const window = { head, before: piece, after: after.slice(0, region.end), tail: close };
          const start = head.length + piece.length;
          return { ...this.#judged(tree, text, insert, start, true, faults, window), clean: false };
        } finally {
          tree?.delete();
        }
      }
    }
    return undefined;
  }

  #judged(
    tree: SyntaxTree,
    text: string,
    insert: string,
    start: number,
    valid: boolean,
    faults: readonly Fault[],
    window = this.window,
  ): Attempt {
    const solid = solidRange(insert, start);
    if (solid === undefined) return { ...NOTHING, insert, faults };
    const place = placeAt(tree.rootNode, solid.start, solid.end);
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

  #findUnit(): Unit | undefined {
    const { head, before, after, tail } = this.window;
    const start = head.length + before.length;
    const placeholder = this.#placeholder();
    const closers = this.#closers("");
    const middles = [
      placeholder,
      ...(closers === undefined ? [] : [`${placeholder}\n${closers.join("\n")}`]),
    ];
    let found: Unit | undefined;
    for (const middle of middles) {
      const tree = this.parse(head + before + middle + after + tail);
      if (tree === null) continue;
      try {
        const at = placeholder === "" ? start : start + placeholder.length - placeholder.trimStart().length;
        const place = placeAt(tree.rootNode, at, at + placeholder.trim().length);
        const node = place.node ?? place.types.at(-1);
        // A statement that the placeholder itself makes is no unit.
        if (node !== undefined && node.startIndex < start && place.kind !== "statement") {
          found = shifted(
            unitOf(node, place.node === undefined ? "type" : (place.kind ?? "statement")),
            -head.length,
          );
        }
        if (found !== undefined && !tree.rootNode.hasError) return found;
      } finally {
        tree.delete();
      }
    }
    return found;
  }

  /** A statement where one is missing: Python's blocks end where their last statement does. */
  #placeholder(): string {
    const { atLineStart, lineIndent, expected, opened } = this.indent;
    if (this.language !== "python" || this.before.inside !== undefined) return "";
    if (atLineStart)
      return opened && lineIndent < expected ? `${" ".repeat(expected - lineIndent)}pass` : "pass";
    return opened ? " pass" : "";
  }
}

/** The text of the unit at a place, or of what was inserted where there is none. */
function unitText(place: Place, text: string, solid: Range, window: Window): string {
  const inner = { start: window.head.length, end: text.length - window.tail.length };
  if (place.container.parent === null && place.kind !== "function" && place.kind !== "type") {
    const small = inner.end - inner.start <= SMALL_MODULE;
    const script = small && place.container.namedChildren.every((child) => kindAt(child) === "statement");
    if (script) return text.slice(inner.start, inner.end).trim();
  }
  if (place.node !== undefined && place.node.endIndex - place.node.startIndex <= MAX_UNIT_LENGTH) {
    return atMargin(text, place.node.startIndex, place.node.endIndex);
  }
  const touched = place.container.namedChildren.filter(
    (child) => child.endIndex > solid.start && child.startIndex < solid.end,
  );
  const from = Math.min(solid.start, touched[0]?.startIndex ?? solid.start);
  const to = Math.max(solid.end, touched.at(-1)?.endIndex ?? solid.end);
  if (to - from <= MAX_UNIT_LENGTH) return atMargin(text, from, to);
  // Longer than any model reads: the lines around the insertion, from its start on.
  const near = Math.max(from, solid.start - MAX_UNIT_LENGTH / 2);
  return atMargin(text, near, Math.min(to, near + MAX_UNIT_LENGTH));
}

interface Range {
  readonly start: number;
  readonly end: number;
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

/** The errors of a tree: missing tokens, and tokens that no rule took up. */
function faultsOf(tree: SyntaxTree, language: Language): Fault[] {
  const faults = strayClosers(tree, language);
  const visit = (node: SyntaxNode) => {
    if (node.isMissing) faults.push({ start: node.startIndex, end: node.startIndex, missing: node.type });
    else if (node.isError) {
      const loose = node.children.filter(
        (child) => child.childCount === 0 && !child.isMissing && !isComment(child),
      );
      if (loose.length === 0) faults.push({ start: node.startIndex, end: node.endIndex, missing: undefined });
      for (const child of loose)
        faults.push({ start: child.startIndex, end: child.endIndex, missing: undefined });
    }
    if (node.hasError) for (const child of node.children) visit(child);
  };
  visit(tree.rootNode);
  return faults;
}

/** Words that only close or continue something, which the grammar takes for a name or a command elsewhere. */
const STRAYS: Readonly<Partial<Record<Language, { readonly type: string; readonly words: RegExp }>>> = {
  ruby: { type: "identifier", words: /^end$/ },
  bash: { type: "command_name", words: /^(?:[{}]|\]{1,2}|fi|done|esac|then|else|elif|do)$/ },
};

/** Closing words that close nothing. */
function strayClosers(tree: SyntaxTree, language: Language): Fault[] {
  const stray = STRAYS[language];
  if (stray === undefined) return [];
  const faults: Fault[] = [];
  const text = tree.rootNode.text;
  const offset = tree.rootNode.startIndex;
  const cursor = tree.walk();
  try {
    for (let more = true; more; ) {
      if (cursor.nodeType === stray.type) {
        const { startIndex: start, endIndex: end } = cursor;
        if (stray.words.test(text.slice(start - offset, end - offset)))
          faults.push({ start, end, missing: undefined });
      }
      more = cursor.gotoFirstChild() || cursor.gotoNextSibling();
      while (!more && cursor.gotoParent()) more = cursor.gotoNextSibling();
    }
  } finally {
    cursor.delete();
  }
  return faults;
}

/** The errors of a window as it is, by keys that do not depend on the length of an insertion. */
function baseline(window: Window, language: Language, runtime: SyntaxRuntime): ReadonlySet<string> {
  const { head, before, after, tail } = window;
  const tree = runtime.parse(language, `${head}${before}${after}${tail}\n`);
  if (tree === null) return new Set();
  try {
    return new Set(faultsOf(tree, language).map((fault) => faultKey(fault, 0)));
  } finally {
    tree.delete();
  }
}

function faultKey(fault: Fault, inserted: number): string {
  return `${fault.start - inserted}-${fault.end - inserted}-${fault.missing ?? ""}`;
}

/** Lines above the cursor that are indented less and less: what they start, up to where it ends below. */
function regionsOf(
  before: string,
  after: string,
  language: Language,
): { start: number; end: number; indent: number }[] {
  const regions: { start: number; end: number; indent: number }[] = [];
  const lines = before.split("\n");
  let start = before.length - (lines.at(-1)?.length ?? 0);
  let limit = Number.POSITIVE_INFINITY;
  const current = lines.at(-1) ?? "";
  if (current.trim() !== "") {
    limit = indentOf(current);
    if (limit === 0) return [{ start, end: endOfItem(after, 0), indent: 0 }];
  }
  for (let index = lines.length - 2; index >= 0 && limit > 0; index--) {
    const line = lines[index] ?? "";
    start -= line.length + 1;
    if (line.trim() === "" || indentOf(line) >= limit || !startsItem(line, language)) continue;
    limit = indentOf(line);
    regions.push({ start, end: endOfItem(after, limit), indent: limit });
  }
  return regions.reverse().slice(0, MAX_REGIONS);
}

/** Offset behind the line that ends an item with this indentation, or before the line that starts the next. */
function endOfItem(after: string, indent: number): number {
  let index = after.indexOf("\n") + 1;
  if (index === 0) return after.length;
  for (const line of after.slice(index).split("\n")) {
    if (line.trim() !== "" && indentOf(line) <= indent) {
      return isCloser(line) && indentOf(line) === indent
        ? Math.min(after.length, index + line.length)
        : index;
    }
    index += line.length + 1;
  }
  return after.length;
}

function solidRange(insert: string, start: number): Range | undefined {
  const lead = insert.length - insert.trimStart().length;
  const end = insert.trimEnd().length;
  return end <= lead ? undefined : { start: start + lead, end: start + end };
}

/** A token other than a comment starts in the range, or one that started before goes on in it. */
function hasCode(root: SyntaxNode, start: number, end: number): boolean {
  const node = root.descendantForIndex(start, end);
  if (node === null) return false;
  // Inside a comment or string that began before, text is what was asked for.
  if (node.startIndex < start && node.childCount === 0) return true;
  const visit = (one: SyntaxNode): boolean => {
    if (one.endIndex <= start || one.startIndex >= end) return false;
    if (isComment(one)) return one.startIndex < start;
    if (one.childCount === 0) return one.endIndex > one.startIndex;
    return one.children.some(visit);
  };
  return visit(node);
}

function kindAt(node: SyntaxNode): Unit["kind"] {
  return placeAt(node, node.startIndex, node.endIndex).kind ?? "statement";
}

function isBlock(open: OpenBracket | undefined): boolean {
  return open === undefined || open.close === "}" || /^[a-z]/.test(open.close);
}

function shifted(unit: Unit, by: number): Unit {
  const move = (offset: number | undefined) => (offset === undefined ? undefined : offset + by);
  return {
    ...unit,
    start: unit.start + by,
    end: unit.end + by,
    bodyStart: move(unit.bodyStart),
    contentStart: move(unit.contentStart),
  };
}

/** A piece of text with the indentation of its first line taken off all its lines, where all have it. */
function atMargin(text: string, start: number, end: number): string {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const margin = /^[ \t]*/.exec(text.slice(lineStart, start))?.[0] ?? "";
  const piece = text.slice(start, end).trimEnd();
  const lines = piece.split("\n");
  const regular = lines.slice(1).every((line) => line.trim() === "" || line.startsWith(margin));
  if (margin === "" || !regular || indentOf(margin) === 0) return piece;
  return lines.map((line, index) => (index === 0 ? line : line.slice(margin.length))).join("\n");
}

/** Lines of a notebook that are for IPython, made comments of the same length. */
function masked(text: string, language: Language): string {
  return language === "python" ? text.replace(/^([ \t]*)[%!](?=[%\w])/gm, "$1#") : text;
}
