/** Runs the parity tests on another set of fixtures: `node scripts/parity.mjs DIR`; training/parity makes such sets. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const [given] = process.argv.slice(2);
const folder = given === undefined ? undefined : resolve(given);
if (folder === undefined || !existsSync(folder)) {
  console.error("usage: node scripts/parity.mjs DIR   (a folder made by training/parity/make_fixtures.py)");
  process.exit(2);
}
const vitest = resolve(root, "node_modules/vitest/vitest.mjs");
const { status } = spawnSync(
  process.execPath,
  [vitest, "run", "test/model/parity.test.ts", "test/unit/rendering/renderer.test.ts"],
  { cwd: root, stdio: "inherit", env: { ...process.env, CODESCALER_PARITY_DIR: folder } },
);
process.exit(status ?? 1);
