/**
 * Native tree-sitter behind the interface of the product's parser, for the benchmark: so that the decision for
 * WebAssembly can be checked again (bench-syntax.mjs). Measured with tree-sitter 0.25.1 compiled here, on two busy
 * cores, five rounds of 2,000 replies of 24 lines: a parse takes 0.13–0.22 ms natively and 0.14–0.24 ms in WebAssembly;
 * extraction reaches 3,600–5,800 and 2,400–5,100 replies/s, with a ratio of 0.8 to 1.3 from run to run: noise. Against
 * that: its prebuild wants GLIBCXX_3.4.31 (not on Debian 12 or Ubuntu 22.04); a native parser has no memory limit and
 * runs its recursion on the process's own stack, so that hostile text ends the process where WebAssembly throws.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { SYNTAX } from "../shared/syntax/languages/languages.ts";
import { budgetOf, READ_CHUNK, tooLarge } from "../shared/syntax/parsing/budget.ts";
import {
  grammarFor,
  grammarsOf,
  type SyntaxRuntime,
  type SyntaxTree,
} from "../shared/syntax/parsing/parser.ts";

/** The parser of the package, as far as it is used. */
interface NativeParser {
  setLanguage(language: unknown): void;
  reset(): void;
  parse(
    read: (index: number) => string,
    old: null,
    options: { readonly progressCallback: () => boolean },
  ): Pick<SyntaxTree, "rootNode" | "walk"> | undefined;
}

/** The native runtime with the packages that `from` (a file) can reach; undefined where it does not load. */
export async function nativeRuntime(from: string): Promise<SyntaxRuntime | undefined> {
  const require = createRequire(from);
  let create: new () => NativeParser;
  try {
    create = require("tree-sitter");
  } catch {
    return undefined;
  }
  const parsers = new Map<string, NativeParser>();
  return {
    async load(language) {
      for (const name of grammarsOf(language)) {
        if (parsers.has(name)) continue;
        const file = SYNTAX[language].grammar.files[name] ?? "";
        const pack = file.slice(0, file.lastIndexOf("/"));
        // The C# package waits at its top level, which only import() can load.
        const loaded = await import(pathToFileURL(require.resolve(pack)).href);
        const grammars = loaded.default ?? loaded;
        const parser = new create();
        // Packages of several grammars export them by name.
        parser.setLanguage(grammars[name] ?? grammars);
        parsers.set(name, parser);
      }
    },
    parse(language, text) {
      const parser = parsers.get(grammarFor(language, text));
      if (parser === undefined || tooLarge(text)) return null;
      const budget = budgetOf(text);
      let reads = 0;
      let steps = 0;
      const read = (index: number): string => {
        reads += 1;
        return reads > budget.reads ? "" : text.slice(index, index + READ_CHUNK);
      };
      const progressCallback = (): boolean => {
        steps += 1;
        return steps > budget.steps || reads > budget.reads;
      };
      const tree = parser.parse(read, null, { progressCallback });
      if (tree === undefined || tree === null || reads > budget.reads) {
        parser.reset();
        return null;
      }
      // The package's trees are freed by the garbage collector.
      return { rootNode: tree.rootNode, walk: () => tree.walk(), delete() {} };
    },
    dispose() {
      parsers.clear();
    },
  };
}
