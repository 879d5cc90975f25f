// Copies the grammars (WebAssembly) and the runtime that reads them: `node scripts/grammars.mjs [FOLDER]`.
import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);

/** Puts every grammar into the folder as `<name>.wasm`, and web-tree-sitter's files beside them. */
export async function copyGrammars(folder) {
  mkdirSync(folder, { recursive: true });
  const syntax = await languages();
  for (const { grammar } of Object.values(syntax)) {
    for (const [name, path] of Object.entries(grammar.files)) {
      const at = path.lastIndexOf("/");
      const pack = require.resolve(`${path.slice(0, at)}/package.json`);
      put(join(dirname(pack), path.slice(at + 1)), join(folder, `${name}.wasm`));
    }
  }
  put(require.resolve("web-tree-sitter"), join(folder, "web-tree-sitter.cjs"));
  put(require.resolve("web-tree-sitter/web-tree-sitter.wasm"), join(folder, "web-tree-sitter.wasm"));
}

/** The registry of languages, which Node cannot read as it is written. */
async function languages() {
  const { build } = await import("esbuild");
  const entry = fileURLToPath(new URL("../shared/syntax/languages/languages.ts", import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: "esm" });
  const { SYNTAX } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
  return SYNTAX;
}

/** Copies in one step as seen from outside: a test may be reading the old file. */
function put(from, to) {
  const part = `${to}.${process.pid}`;
  copyFileSync(from, part);
  renameSync(part, to);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await copyGrammars(process.argv[2] ?? fileURLToPath(new URL("../dist/grammars", import.meta.url)));
}
