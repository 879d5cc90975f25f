// The one way to a syntax tree. Everything above this file sees these interfaces only, so that
// the reference runtime (web-tree-sitter) and the native one are interchangeable.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Language as Grammar, Parser } from "web-tree-sitter";
import type { Language } from "./languages.ts";

/** Zero-based row, and column in UTF-16 code units. */
export interface Position {
  readonly row: number;
  readonly column: number;
}

/** A node of a syntax tree; invalid once its tree was deleted. Indices are UTF-16 code units. */
export interface SyntaxNode {
  /** Unique within its tree. */
  readonly id: number;
  readonly type: string;
  readonly isNamed: boolean;
  /** May stand anywhere in the grammar: comments, mostly. */
  readonly isExtra: boolean;
  readonly isError: boolean;
  readonly isMissing: boolean;
  /** An ERROR or MISSING node stands in here. */
  readonly hasError: boolean;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly startPosition: Position;
  readonly endPosition: Position;
  readonly text: string;
  readonly parent: SyntaxNode | null;
  readonly childCount: number;
  readonly namedChildCount: number;
  readonly children: readonly SyntaxNode[];
  readonly namedChildren: readonly SyntaxNode[];
  readonly firstChild: SyntaxNode | null;
  readonly lastChild: SyntaxNode | null;
  readonly firstNamedChild: SyntaxNode | null;
  readonly lastNamedChild: SyntaxNode | null;
  readonly nextSibling: SyntaxNode | null;
  readonly previousSibling: SyntaxNode | null;
  readonly nextNamedSibling: SyntaxNode | null;
  readonly previousNamedSibling: SyntaxNode | null;
  child(index: number): SyntaxNode | null;
  namedChild(index: number): SyntaxNode | null;
  childForFieldName(name: string): SyntaxNode | null;
  /** The smallest node that spans the range. */
  descendantForIndex(start: number, end?: number): SyntaxNode | null;
  namedDescendantForIndex(start: number, end?: number): SyntaxNode | null;
}

/** Walks a tree without making an object per node: several times faster than `children`. */
export interface SyntaxCursor {
  readonly nodeType: string;
  readonly nodeIsNamed: boolean;
  readonly nodeIsMissing: boolean;
  readonly startIndex: number;
  readonly endIndex: number;
  gotoFirstChild(): boolean;
  gotoNextSibling(): boolean;
  gotoParent(): boolean;
  delete(): void;
}

/** A parsed text. It lives outside the JavaScript heap: whoever parses must delete it. */
export interface SyntaxTree {
  readonly rootNode: SyntaxNode;
  walk(): SyntaxCursor;
  delete(): void;
}

/** A parser for the fourteen languages, whose grammars are loaded when first asked for. */
export interface SyntaxRuntime {
  readonly name: "wasm" | "native";
  /** Makes `parse` possible for the language; does nothing when it is already. */
  load(language: Language): Promise<void>;
  /**
   * Parses a text. Null when it is beyond the limits by size (`MAX_TEXT_LENGTH`, `MAX_PARSE_STEPS`): too
   * large to check, on every machine alike. Throws when the language was not loaded.
   */
  parse(language: Language, text: string): SyntaxTree | null;
  /** Frees the parsers. Trees must have been deleted before. */
  dispose(): void;
}

/** Longest text that is parsed, in UTF-16 units: ten times what any reward model reads (4096 tokens). */
export const MAX_TEXT_LENGTH = 256 * 1024;

/**
 * Most parse steps for one text, in units of the parser's progress callback (a fixed number of parser
 * actions). Real code needs far fewer; grammars that fork on hostile text are stopped here.
 */
export const MAX_PARSE_STEPS = 40_000;

/** Grammars by file name; a language may need a second one. */
export type GrammarName = Language | "php_only";

/** The grammars that a language's texts are parsed with. */
export function grammarsOf(language: Language): readonly GrammarName[] {
  return language === "php" ? ["php", "php_only"] : [language];
}

/**
 * The grammar for a text. PHP's own grammar takes any text for HTML, so that no prose would ever be wrong:
 * it is used only where the text starts with a tag, and the grammar without HTML otherwise.
 */
export function grammarFor(language: Language, text: string): GrammarName {
  return language === "php" && !/^\s*</.test(text) ? "php_only" : language;
}

/** Web-tree-sitter initialises a module of its own once per process. */
let initialised: Promise<void> | undefined;

/**
 * The reference runtime: web-tree-sitter with the grammars `<grammarDir>/<language>.wasm` and its own
 * `web-tree-sitter.wasm` in the same folder. One parser, switched between grammars.
 */
export async function wasmRuntime(options: { readonly grammarDir: string }): Promise<SyntaxRuntime> {
  const { grammarDir } = options;
  initialised ??= Parser.init({ locateFile: (file: string) => join(grammarDir, file) });
  initialised.catch(() => {
    initialised = undefined;
  });
  await initialised;
  const loading = new Map<GrammarName, Promise<void>>();
  const parsers = new Map<GrammarName, Parser>();

  async function loadGrammar(name: GrammarName): Promise<void> {
    const grammar = await Grammar.load(await readFile(join(grammarDir, `${name}.wasm`)));
    parsers.set(name, new Parser().setLanguage(grammar));
  }

  return {
    name: "wasm",
    async load(language) {
      await Promise.all(
        grammarsOf(language).map((name) => {
          const known = loading.get(name);
          if (known !== undefined) return known;
          const started = loadGrammar(name);
          loading.set(name, started);
          started.catch(() => loading.delete(name));
          return started;
        }),
      );
    },
    parse(language, text) {
      const parser = parsers.get(grammarFor(language, text));
      if (parser === undefined) throw new Error(`The grammar of ${language} was not loaded before use.`);
      if (text.length > MAX_TEXT_LENGTH) return null;
      let steps = 0;
      const tree = parser.parse(text, null, { progressCallback: () => ++steps > MAX_PARSE_STEPS });
      if (tree === null) parser.reset();
      return tree;
    },
    dispose() {
      for (const parser of parsers.values()) parser.delete();
      parsers.clear();
      loading.clear();
    },
  };
}
