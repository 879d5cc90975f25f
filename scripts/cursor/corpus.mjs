// The corpus of cursor positions in real packages, and the assembly of a working tree, for the scripts that use both.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "../setup.mjs";

export const FIXTURES = join(root, "test", "fixtures", "syntax", "cursor-real");
export const CORPUS = join(FIXTURES, "corpus.jsonl.gz");

/** Rows of a compressed file of lines of JSON. */
export function rowsOf(path) {
  return gunzipSync(readFileSync(path))
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** All positions of the corpus: language, kind, prefix, middle (what was written there), suffix, and an id. */
export function positions() {
  return rowsOf(CORPUS)
    .filter(({ text }) => text !== undefined)
    .flatMap(({ text, language, of, file, positions }) =>
      positions.map(({ kind, start, end, resume }) => ({
        id: `${of}/${file}:${start}-${end}`,
        language,
        kind,
        prefix: text.slice(0, start),
        middle: text.slice(start, end),
        suffix: text.slice(resume),
      })),
    );
}

/**
 * The parser and the assembly of a tree.
 * @param tree folder of the working tree to measure; this one by default
 */
export async function loadAssembly(tree = root) {
  const folder = mkdtempSync(join(tmpdir(), "codescaler-assembly-"));
  const outfile = join(folder, "assembly.cjs");
  try {
    const at = await placesIn(tree);
    await build({
      stdin: {
        contents: `export { wasmRuntime } from "./${at.parser}"; export { assemble } from "./${at.assemble}";`,
        resolveDir: tree,
        loader: "ts",
      },
      outfile,
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20",
      nodePaths: [join(root, "node_modules")],
    });
    const { default: loaded } = await import(pathToFileURL(outfile).href);
    const runtime = await loaded.wasmRuntime({ grammarDir: join(root, "dist", "grammars") });
    return { runtime, assemble: (request) => loaded.assemble(request, runtime) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where parser and assembly are: `shared/` once was part of `server/`. */
async function placesIn(tree) {
  const { existsSync } = await import("node:fs");
  return existsSync(join(tree, "shared", "syntax", "cursor", "assemble.ts"))
    ? { parser: "shared/syntax/parsing/parser.ts", assemble: "shared/syntax/cursor/assemble.ts" }
    : { parser: "server/syntax/parser.ts", assemble: "server/syntax/assemble.ts" };
}
