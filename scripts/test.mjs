// `npm test`: sets everything up and runs every test. Works alone from a fresh clone. With arguments it runs only what
// vitest finds by them.
import { join } from "node:path";
import { root, run, setup } from "./setup.mjs";
import { testPython } from "./test-python.mjs";

setup();
const bin = (...parts) => join(root, "node_modules", ...parts);
const only = process.argv.slice(2);
run(process.execPath, [bin("@biomejs", "biome", "bin", "biome"), "check", "."]);
run(process.execPath, [bin("typescript", "bin", "tsc"), "--noEmit"]);
run(process.execPath, [join(root, "scripts", "build.mjs")]);
run(process.execPath, [bin("vitest", "vitest.mjs"), "run", ...only]);
if (only.length === 0) {
  testPython();
  run(process.execPath, [join(root, "scripts", "test-host.mjs")]);
}
