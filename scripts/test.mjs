// `npm test`: sets everything up and runs every test. Works alone from a fresh clone.
import { join } from "node:path";
import { root, run, setup } from "./setup.mjs";

setup();
const bin = (...parts) => join(root, "node_modules", ...parts);
run(process.execPath, [bin("@biomejs", "biome", "bin", "biome"), "check", "."]);
run(process.execPath, [bin("typescript", "bin", "tsc"), "--noEmit"]);
run(process.execPath, [join(root, "scripts", "build.mjs")]);
run(process.execPath, [bin("vitest", "vitest.mjs"), "run", ...process.argv.slice(2)]); // The tests inside a real VS Code are still a command of their own, `node scripts/test-host.mjs`: on quiet cores one
// of its 38 failed in one of three runs ("typing in one of two editors …"); they join when that race is found.
