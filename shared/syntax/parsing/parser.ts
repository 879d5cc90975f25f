/** The one way to a syntax tree: web-tree-sitter, of which the code above sees only these interfaces. */
import type { Parser as TreeSitterParser } from "web-tree-sitter";
import { type Language, SYNTAX } from "../languages/languages.ts";
import { type Budget, budgetOf, READ_CHUNK, tooLarge } from "./budget.ts";
import { type Compiled, compile, createInstance, type Instance, LIBRARY_WASM } from "./instance.ts";

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
  readonly isError: boolean;
  readonly isMissing: boolean;
  /** Contains an ERROR or MISSING node. */
  readonly hasError: boolean;
  readonly startIndex: number;
  readonly endIndex: number;
  readonly startPosition: Position;
  readonly text: string;
  readonly parent: SyntaxNode | null;
  readonly childCount: number;
  readonly children: readonly SyntaxNode[];
  readonly namedChildren: readonly SyntaxNode[];
  readonly firstChild: SyntaxNode | null;
  readonly lastChild: SyntaxNode | null;
  readonly firstNamedChild: SyntaxNode | null;
  readonly lastNamedChild: SyntaxNode | null;
  child(index: number): SyntaxNode | null;
  childForFieldName(name: string): SyntaxNode | null;
  /** The smallest node that spans the range. */
  descendantForIndex(start: number, end?: number): SyntaxNode | null;
  /** All descendants of these types, in the order of the text. */
  descendantsOfType(types: string[]): readonly SyntaxNode[];
}

/** Walks a tree without making an object per node: several times faster than `children`. */
export interface SyntaxCursor {
  readonly nodeType: string;
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
  /** Makes `parse` possible for the language; does nothing when it is already. */
  load(language: Language): Promise<void>;
  /**
   * Parses a text. Null when it is beyond the limits by size (budget.ts): too
   * large to check, on every machine alike; and when the language was not loaded.
   */
  parse(language: Language, text: string): SyntaxTree | null;
  /** Frees the parsers. Trees must have been deleted before. */
  dispose(): void;
}

/** The names of the grammars that a language's texts are parsed with. */
export function grammarsOf(language: Language): readonly string[] {
  return Object.keys(SYNTAX[language].grammar.files);
}

/** The name of the grammar for a text. */
export function grammarFor(language: Language, text: string): string {
  return SYNTAX[language].grammar.choose?.(text) ?? language;
}

/**
 * A runtime on web-tree-sitter with the grammars `<grammarDir>/<name>.wasm`, and its own
 * `web-tree-sitter.wasm` and `.cjs` in the same folder. One parser per grammar that was asked for.
 */
export async function wasmRuntime(options: { readonly grammarDir: string }): Promise<SyntaxRuntime> {
  const { grammarDir } = options;
  const library = await compile(grammarDir, LIBRARY_WASM);
  const grammars = new Map<string, Promise<Compiled>>();
  let instance: Promise<Instance> | undefined;
  /** The parsers of the present instance; emptied when that is given up. */
  const parsers = new Map<string, TreeSitterParser>();

  function start(): Promise<Instance> {
    instance ??= createInstance(grammarDir, library);
    return instance;
  }

  function grammar(name: string): Promise<Compiled> {
    const known = grammars.get(name);
    if (known !== undefined) return known;
    const compiled = compile(grammarDir, `${name}.wasm`);
    grammars.set(name, compiled);
    compiled.catch(() => grammars.delete(name));
    return compiled;
  }

  /** Gives up the instance; the next `load` starts another one. */
  function abandon(): void {
    instance?.then((old) => old.abandon()).catch(() => {});
    instance = undefined;
    parsers.clear();
  }

  await start();
  return {
    async load(language) {
      for (const name of grammarsOf(language)) {
        if (parsers.has(name)) continue;
        const compiled = await grammar(name);
        const current = await start();
        if (!parsers.has(name)) parsers.set(name, current.parserOf(compiled));
      }
    },
    parse(language, text) {
      const parser = parsers.get(grammarFor(language, text));
      if (parser === undefined || tooLarge(text)) return null;
      try {
        return parseWithin(budgetOf(text), parser, text);
      } catch {
        // Out of memory or of stack: the instance is unusable from here on.
        abandon();
        return null;
      }
    },
    dispose() {
      for (const parser of parsers.values()) parser.delete();
      abandon();
    },
  };
}

/** Parses a text; null where that takes more than the budget. Throws when the parser runs out of memory or stack. */
function parseWithin(budget: Budget, parser: TreeSitterParser, text: string): SyntaxTree | null {
  let reads = 0;
  let steps = 0;
  let parsed = false;
  // The tree reads here too, for the text of its nodes: that costs none of the budget.
  const read = (index: number): string => {
    if (!parsed) reads += 1;
    return reads > budget.reads ? "" : text.slice(index, index + READ_CHUNK);
  };
  const progressCallback = (): boolean => {
    steps += 1;
    return steps > budget.steps || reads > budget.reads;
  };
  const tree = parser.parse(read, null, { progressCallback });
  parsed = true;
  if (tree !== null && reads <= budget.reads) return tree;
  tree?.delete();
  parser.reset();
  return null;
}
