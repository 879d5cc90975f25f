/**
 * One instance of web-tree-sitter. The parser is C compiled to WebAssembly, and hostile text can drive C into the
 * ground. So an instance gets a memory limit and a stack that its recursion fits in, and can be thrown away for a
 * fresh one. The package offers none of it: it keeps one instance per process.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type * as TreeSitter from "web-tree-sitter";

/** The library's own code and its WebAssembly: both are beside the grammars. */
const LIBRARY_CODE = "web-tree-sitter.cjs";
export const LIBRARY_WASM = "web-tree-sitter.wasm";

/**
 * Memory of one instance at most, in 64 KiB pages (128 MiB). Texts within the limits by size need a tenth
 * of it; grammars that fork on hostile text would take gigabytes.
 */
const MAX_MEMORY_PAGES = 2048;

/** Memory at the start, in pages (32 MiB): what the package itself starts with. */
const INITIAL_MEMORY_PAGES = 512;

/**
 * The C stack in bytes. The package's own is 64 KiB, and running over it overwrites the parser's data without
 * a trap. With this size the JavaScript engine's own stack check comes first, which is an exception.
 */
const STACK_BYTES = 8 * 1024 * 1024;

/** What finalizers of the package call when a tree or parser was garbage. */
const FINALIZERS = ["_ts_tree_delete", "_ts_parser_delete", "_ts_tree_cursor_delete_wasm", "_free"];

/** The part of the WebAssembly interface that is used here; Node's types name only its namespace. */
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<Compiled>;
  readonly Instance: new (compiled: Compiled, imports: Imports) => object;
  readonly Memory: new (limits: { readonly initial: number; readonly maximum: number }) => object;
  readonly Global: abstract new () => { value: number };
};
type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Compiled WebAssembly code, shared by all instances. */
export type Compiled = Parameters<typeof TreeSitter.Language.loadSync>[0];

/** A fresh parser library with a memory of its own. */
export interface Instance {
  /** A parser for a compiled grammar. */
  parserOf(grammar: Compiled): TreeSitter.Parser;
  /** Ends its use after a failure: nothing of its code runs any more, and the memory becomes garbage. */
  abandon(): void;
}

/** Compiles a WebAssembly file of the folder. */
export async function compile(grammarDir: string, file: string): Promise<Compiled> {
  return WebAssembly.compile(await readFile(join(grammarDir, file)));
}

/** Starts an instance of the library. */
export async function createInstance(grammarDir: string, library: Compiled): Promise<Instance> {
  const api = freshLibrary(grammarDir);
  let stackPointer: unknown;
  // The package makes this object its module: the compiled functions appear in it.
  const module: Record<string, unknown> = {
    wasmMemory: new WebAssembly.Memory({ initial: INITIAL_MEMORY_PAGES, maximum: MAX_MEMORY_PAGES }),
    print: ignore,
    printErr: ignore,
    instantiateWasm(imports: Imports, done: (made: object, of: Compiled) => void): object {
      stackPointer = imports["env"]?.["__stack_pointer"];
      done(new WebAssembly.Instance(library, imports), library);
      return {};
    },
  };
  await api.Parser.init(module);
  const { _malloc: malloc } = module;
  if (!(stackPointer instanceof WebAssembly.Global) || typeof malloc !== "function") {
    throw new Error("web-tree-sitter has changed: its stack cannot be moved.");
  }
  const stack: unknown = malloc(STACK_BYTES);
  // It grows downwards, and C code expects it aligned to 16 bytes.
  stackPointer.value = (Number(stack) + STACK_BYTES) & ~15;
  return {
    parserOf: (grammar) => new api.Parser().setLanguage(api.Language.loadSync(grammar)),
    abandon() {
      for (const name of FINALIZERS) module[name] = ignore;
    },
  };
}

/** The library, evaluated anew: it keeps its instance in a variable of its own. */
function freshLibrary(grammarDir: string): typeof TreeSitter {
  const path = join(grammarDir, LIBRARY_CODE);
  const require = createRequire(path);
  delete require.cache[path];
  const api: typeof TreeSitter = require(path);
  delete require.cache[path];
  return api;
}

/** The exception says what the library would print. */
function ignore(): void {}
