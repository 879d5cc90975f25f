// `npm test`: sets everything up and runs every test. Works alone from a fresh clone.
import { join } from "node:path";
import { root, run, setup } from "./setup.mjs";

setup();
const bin = (...parts) => join(root, "node_modules", ...parts);
run(process.execPath, [bin("@biomejs", "biome", "bin", "biome"), "check", "."]);
run(process.execPath, [bin("typescript", "bin", "tsc"), "--noEmit"]);
run(process.execPath, [join(root, "scripts", "build.mjs")]);
run(process.execPath, [bin("vitest", "vitest.mjs"), "run", ...process.argv.slice(2)]);
// Arguments choose among vitest's tests; without any, the ones inside a real VS Code run too.
if (process.argv.length === 2) run(process.execPath, [join(root, "scripts", "test-host.mjs")]);
