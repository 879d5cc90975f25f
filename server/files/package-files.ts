/** Where the package's own files are, from the bundle in dist/ and from the sources alike. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder with our package.json: the first one above this file. */
export const packageRoot: string = (() => {
  let folder = __dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${__dirname}.`);
    folder = parent;
  }
  return folder;
})();

/** The bundled server and command line. */
export const serverScript = join(packageRoot, "dist", "server.js");
/** Grammars and the parser's own WebAssembly file. */
export const grammarFolder = join(packageRoot, "dist", "grammars");
/** Passes over a vocabulary's logits, in WebAssembly: server/engine/vocabulary.wat. */
export const vocabularyModule = join(packageRoot, "dist", "vocabulary.wasm");
/** Embedded models. */
export const mediaFolder = join(packageRoot, "media");
