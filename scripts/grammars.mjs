// Copies the grammars (WebAssembly) and the runtime that reads them: `node scripts/grammars.mjs [FOLDER]`.
import { copyFileSync, mkdirSync, renameSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);

/** Grammar files by the name the syntax module asks for; the packages' own names differ. */
const GRAMMARS = {
  python: ["tree-sitter-python", "tree-sitter-python.wasm"],
  javascript: ["tree-sitter-javascript", "tree-sitter-javascript.wasm"],
  typescript: ["tree-sitter-typescript", "tree-sitter-typescript.wasm"],
  tsx: ["tree-sitter-typescript", "tree-sitter-tsx.wasm"],
  java: ["tree-sitter-java", "tree-sitter-java.wasm"],
  c: ["tree-sitter-c", "tree-sitter-c.wasm"],
  cpp: ["tree-sitter-cpp", "tree-sitter-cpp.wasm"],
  csharp: ["tree-sitter-c-sharp", "tree-sitter-c_sharp.wasm"],
  go: ["tree-sitter-go", "tree-sitter-go.wasm"],
  rust: ["tree-sitter-rust", "tree-sitter-rust.wasm"],
  ruby: ["tree-sitter-ruby", "tree-sitter-ruby.wasm"],
  php: ["tree-sitter-php", "tree-sitter-php.wasm"],
  php_only: ["tree-sitter-php", "tree-sitter-php_only.wasm"],
  bash: ["tree-sitter-bash", "tree-sitter-bash.wasm"],
  kotlin: ["@tree-sitter-grammars/tree-sitter-kotlin", "tree-sitter-kotlin.wasm"],
};

/** Puts every grammar into the folder as `<language>.wasm`, and web-tree-sitter.wasm beside them. */
export function copyGrammars(folder) {
  mkdirSync(folder, { recursive: true });
  for (const [name, [pack, file]] of Object.entries(GRAMMARS)) {
    put(join(dirname(require.resolve(`${pack}/package.json`)), file), join(folder, `${name}.wasm`));
  }
  put(require.resolve("web-tree-sitter"), join(folder, "web-tree-sitter.cjs"));
  put(require.resolve("web-tree-sitter/web-tree-sitter.wasm"), join(folder, "web-tree-sitter.wasm"));
}

/** Copies in one step as seen from outside: a test may be reading the old file. */
function put(from, to) {
  const part = `${to}.${process.pid}`;
  copyFileSync(from, part);
  renameSync(part, to);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  copyGrammars(process.argv[2] ?? fileURLToPath(new URL("../dist/grammars", import.meta.url)));
}
