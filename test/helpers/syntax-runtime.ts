import { join } from "node:path";
import { type SyntaxRuntime, wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import { ROOT } from "./paths.ts";

/** Where `node scripts/build.mjs` (or `node scripts/grammars.mjs` alone) puts the grammars. */
export const GRAMMAR_DIR = join(ROOT, "dist/grammars");

let runtime: Promise<SyntaxRuntime> | undefined;

/** The reference runtime, one for all tests of a file. */
export function testRuntime(): Promise<SyntaxRuntime> {
  runtime ??= wasmRuntime({ grammarDir: GRAMMAR_DIR });
  return runtime;
}
