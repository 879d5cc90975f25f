/**
 * Everything that parses: two fifths of the extension's code. The build makes a file of its own of it, which is loaded
 * with the first completion; only types of it may be imported elsewhere.
 */
import { assemble, documentOf } from "../../shared/syntax/cursor/assemble.ts";
import { stopOf } from "../../shared/syntax/cursor/sample-stop.ts";
import { type SyntaxRuntime, wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import { problemAt } from "../../shared/syntax/units/problem.ts";
import { functionAt, functionsIn } from "../scoring/functions.ts";

/** The functions that parse, with what they parse by. */
export interface SyntaxEngine {
  readonly runtime: SyntaxRuntime;
  readonly assemble: typeof assemble;
  readonly documentOf: typeof documentOf;
  readonly stopOf: typeof stopOf;
  readonly problemAt: typeof problemAt;
  readonly functionAt: typeof functionAt;
  readonly functionsIn: typeof functionsIn;
}

/** @param grammarDir folder with the grammars and web-tree-sitter's files */
export async function loadSyntaxEngine(grammarDir: string): Promise<SyntaxEngine> {
  const runtime = await wasmRuntime({ grammarDir });
  return { runtime, assemble, documentOf, stopOf, problemAt, functionAt, functionsIn };
}
