// Bundles the two programs and puts the grammars beside them. `node scripts/build.mjs` from anywhere.
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { root } from "./setup.mjs";

const require = createRequire(import.meta.url);
const dist = join(root, "dist");

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
  bash: ["tree-sitter-bash", "tree-sitter-bash.wasm"],
  kotlin: ["@tree-sitter-grammars/tree-sitter-kotlin", "tree-sitter-kotlin.wasm"],
};

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "none",
  logLevel: "warning",
  absWorkingDir: root,
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, "grammars"), { recursive: true });
await Promise.all([
  build({
    ...common,
    entryPoints: ["server/main.ts"],
    outfile: join(dist, "server.js"),
    external: ["koffi", "tree-sitter", "tree-sitter-*", "@tree-sitter-grammars/*"],
    banner: { js: "#!/usr/bin/env node" },
  }),
  existsSync(join(root, "src/extension.ts")) &&
    build({
      ...common,
      entryPoints: ["src/extension.ts"],
      outfile: join(dist, "extension.js"),
      external: ["vscode"],
    }),
]);
for (const [name, [pack, file]] of Object.entries(GRAMMARS)) {
  copyFileSync(
    join(dirname(require.resolve(`${pack}/package.json`)), file),
    join(dist, "grammars", `${name}.wasm`),
  );
}
copyFileSync(
  require.resolve("web-tree-sitter/web-tree-sitter.wasm"),
  join(dist, "grammars", "web-tree-sitter.wasm"),
);
