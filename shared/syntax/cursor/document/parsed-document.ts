/** The judgement of insertions by parses of their document. */
import { type Language, SYNTAX } from "../../languages/languages.ts";
import type { SyntaxRuntime, SyntaxTree } from "../../parsing/parser.ts";
import { placeAt, type Unit } from "../../units/unit.ts";
import type { BracketScan, LooseCloser } from "../bracket-scan.ts";
import { type CursorPlace, placeOf } from "../place.ts";
import { scanBrackets } from "../scan-brackets.ts";
import { type IndentContext, indentContext } from "../text/indentation.ts";
import type { CursorDocument } from "./document.ts";
import { type Filled, type Located, locate } from "./enclosing-unit.ts";
import { type Excerpt, regionsOf } from "./excerpt.ts";
import { type Judgement, NOTHING } from "./judgement.ts";
import { MissingClosers } from "./missing-closers.ts";
import { masked } from "./notebook-lines.ts";
import { areElsewhere, baseline, type OwnErrors, ownErrors } from "./own-errors.ts";
import { hasCode, solidRange, unitEndIn, unitText } from "./scored-unit.ts";
import { type Fault, faultsOf } from "./syntax-errors.ts";

/** Items that are parsed by themselves for one insertion into a broken document. */
const MAX_ALONE = 2;

/** Languages in which a statement needs a semicolon, which a completion inside brackets cannot supply. */
const SEMICOLONS: ReadonlySet<Language> = new Set(["c", "cpp", "java", "csharp", "php", "rust"]);

export class ParsedDocument implements CursorDocument {
  readonly language: Language;
  readonly excerpt: Excerpt;
  readonly lineEnd: string;
  #indent: IndentContext | undefined;
  readonly #runtime: SyntaxRuntime;
  /** Lines for IPython are no errors in it. */
  readonly #notebook: boolean;
  #before: BracketScan | undefined;
  #scannedAfter: BracketScan | undefined;
  #found: Located | undefined;
  #place: CursorPlace | undefined;
  #known: OwnErrors | undefined;
  #alone: readonly Excerpt[] | undefined;
  #lacking: MissingClosers | undefined;

  constructor(
    language: Language,
    excerpt: Excerpt,
    lineEnd: string,
    notebook: boolean,
    runtime: SyntaxRuntime,
  ) {
    this.#notebook = notebook;
    this.language = language;
    this.excerpt = excerpt;
    this.lineEnd = lineEnd;
    this.#runtime = runtime;
  }

  get indent(): IndentContext {
    const { head, before, after } = this.excerpt;
    const above = head.split("\n").length - 1;
    this.#indent ??= indentContext(before, after, this.language, {
      before: new Set([...this.before.literalLines].map((line) => line - above)),
      after: this.#after.literalLines,
    });
    return this.#indent;
  }

  get before(): BracketScan {
    this.#before ??= scanBrackets(this.excerpt.head + this.excerpt.before, this.language);
    return this.#before;
  }

  get looseAfter(): readonly LooseCloser[] {
    return this.#after.loose;
  }

  get #after(): BracketScan {
    const { after, tail } = this.excerpt;
    this.#scannedAfter ??= scanBrackets(after + tail, this.language, this.before.inside);
    return this.#scannedAfter;
  }

  get #closers(): MissingClosers {
    this.#lacking ??= new MissingClosers(this.language, this.excerpt, this.before, this.looseAfter);
    return this.#lacking;
  }

  get place(): CursorPlace {
    this.#place ??= placeOf({
      language: this.language,
      before: this.excerpt.head + this.excerpt.before,
      after: this.excerpt.after + this.excerpt.tail,
      open: this.before,
      looseAfter: this.looseAfter,
      parse: () => this.parse(this.filled.text),
    });
    return this.#place;
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

  judge(insert: string): Judgement {
    return this.#notebook ? { ...this.#judge(masked(insert)), insert } : this.#judge(insert);
  }

  #judge(insert: string): Judgement {
    const { head, before, after, tail } = this.excerpt;
    const start = head.length + before.length;
    const closers = this.#closers.atCursor(insert);
    if (closers !== undefined && closers.length > 0) {
      const closed = this.#judgeText(
        `${head}${before}${insert}\n${closers.join("\n")}${after}${tail}`,
        insert,
      );
      if (closed !== undefined) return closed;
    }
    const ending = this.#closers.atEnd(insert);
    if (ending !== undefined) {
      const ended = this.#judgeText(`${head}${before}${insert}${after}\n${ending.join("\n")}${tail}`, insert);
      if (ended !== undefined) return ended;
    }
    const plain = head + before + insert + after + tail;
    const tree = this.parse(plain);
    // The item around the cursor may be small enough where its surroundings are not.
    if (tree === null) return this.#judgeAlone(insert) ?? { ...NOTHING, insert, tooLarge: true };
    try {
      if (this.#isClean(tree, plain)) return this.#judged(tree, plain, insert, true, []);
      const ended = this.#withSemicolon(insert);
      const repaired = ended === undefined ? undefined : this.#judgeText(ended, insert);
      if (repaired !== undefined) return repaired;
      const faults = faultsOf(tree, plain, this.language);
      const known = this.#ownErrors();
      if (known.size > 0) {
        const alone = this.#judgeAlone(insert);
        if (alone !== undefined) return alone;
        if (areElsewhere(faults, known, insert, start, after)) {
          return { ...this.#judged(tree, plain, insert, true, faults), clean: false };
        }
      }
      return this.#judged(tree, plain, insert, false, faults);
    } finally {
      tree.delete();
    }
  }

  /** The judgement in this text of the excerpt, if it is without errors. */
  #judgeText(text: string, insert: string, excerpt = this.excerpt): Judgement | undefined {
    const tree = this.parse(text);
    try {
      return tree !== null && this.#isClean(tree, text)
        ? this.#judged(tree, text, insert, true, [], excerpt)
        : undefined;
    } finally {
      tree?.delete();
    }
  }

  #isClean(tree: SyntaxTree, text: string): boolean {
    return !tree.rootNode.hasError && faultsOf(tree, text, this.language).length === 0;
  }

  unitEndWithoutSuffix(insert: string): number | undefined {
    const { head, before } = this.excerpt;
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
    const { head, before, after, tail } = this.excerpt;
    const lineBreak = after.indexOf("\n");
    const rest = lineBreak < 0 ? after : after.slice(0, lineBreak);
    if (!SEMICOLONS.has(this.language) || !/[)\]"'\w]\s*$/.test(rest)) return undefined;
    return `${head}${before}${insert}${rest.trimEnd()};${after.slice(rest.length)}${tail}`;
  }

  #ownErrors(): OwnErrors {
    this.#known ??= ownErrors(this.excerpt, this.filled, this.language, this.#runtime);
    return this.#known;
  }

  /** The judgement in the item around the cursor by itself, for documents that are broken or too large. */
  #judgeAlone(insert: string): Judgement | undefined {
    for (const excerpt of this.#itemsAlone()) {
      const text = excerpt.head + excerpt.before + insert + excerpt.after + excerpt.tail;
      const judgement = this.#judgeText(text, insert, excerpt);
      if (judgement !== undefined) return judgement;
    }
    return undefined;
  }

  /** The items around the cursor that can best be parsed by themselves: fewest errors first, then outermost. */
  #itemsAlone(): readonly Excerpt[] {
    const { before, after } = this.excerpt;
    this.#alone ??= regionsOf(before, after, this.language)
      .flatMap((region) =>
        (region.indent === 0 ? [["", ""] as const] : SYNTAX[this.language].programs.enclosing).map(
          ([head, tail]) => ({
            head,
            before: before.slice(region.start),
            after: after.slice(0, region.end),
            tail,
          }),
        ),
      )
      .map((excerpt) => ({ excerpt, faults: baseline(excerpt, this.language, this.#runtime).size }))
      .sort((a, b) => a.faults - b.faults)
      .slice(0, MAX_ALONE)
      .map(({ excerpt }) => excerpt);
    return this.#alone;
  }

  #judged(
    tree: SyntaxTree,
    text: string,
    insert: string,
    valid: boolean,
    faults: readonly Fault[],
    excerpt = this.excerpt,
  ): Judgement {
    const start = excerpt.head.length + excerpt.before.length;
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
      unit: unitText(place, text, solid, excerpt),
      hasCode: hasCode(tree.rootNode, solid.start, solid.end),
      unitEnd: unitEndIn(tree, insert, start, this.indent.underComment),
      faults,
    };
  }
}
