// Assembles our own WebAssembly modules: `node scripts/wasm.mjs [FOLDER]`.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import wabt from "wabt";

const source = fileURLToPath(new URL("../server/engine/vocabulary.wat", import.meta.url));

/** Puts vocabulary.wasm into the folder. */
export async function assemble(folder) {
  const { parseWat } = await wabt();
  const module = parseWat(source, readFileSync(source, "utf8"), { simd: true });
  try {
    module.validate();
    mkdirSync(folder, { recursive: true });
    // In one step as seen from outside: a test may be reading the old file.
    const part = join(folder, `vocabulary.wasm.${process.pid}`);
    writeFileSync(part, module.toBinary({}).buffer);
    renameSync(part, join(folder, "vocabulary.wasm"));
  } finally {
    module.destroy();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await assemble(process.argv[2] ?? fileURLToPath(new URL("../dist", import.meta.url)));
}
