/** Compiles the C of a test. Where there is no compiler such tests are skipped, but never in CI. */

import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FIXTURES } from "./paths.ts";

const SOURCES = join(FIXTURES, "native");

const compiler = ["cc", "gcc", "clang"].find((name) => spawnSync(name, ["--version"]).status === 0);

/** Whether a test that needs Linux and a C compiler is left out, which its name should say. */
export const withoutCompiler =
  process.env["CI"] !== "true" && (process.platform !== "linux" || compiler === undefined);

/**
 * Compiles a shared library.
 * @param source file name in test/fixtures/native
 * @returns path of the library, in a temporary folder
 */
export function compileLibrary(source: string): string {
  const library = join(mkdtempSync(join(tmpdir(), "codescaler-native-")), source.replace(/\.c$/, ".so"));
  const { status, stderr, error } = spawnSync(
    compiler ?? "cc",
    ["-shared", "-fPIC", "-O1", "-fno-optimize-sibling-calls", "-o", library, join(SOURCES, source), "-ldl"],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${source} does not compile: ${error?.message ?? stderr}`);
  return library;
}
