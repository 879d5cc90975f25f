// Long fuzzing of the syntax module: `node scripts/fuzz-syntax.mjs [REPLIES] [SEED]`, 100,000 replies by default.
// The same tests as in `npm test` with more replies, mutated and nested, of all languages; a reply that takes longer than
// half a second fails them. It prints how many replies take more than 100 ms, and the slowest.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { copyGrammars } from "./grammars.mjs";
import { root, run, setup } from "./setup.mjs";

const [replies = "100000", seed = String(Math.floor(Math.random() * 2 ** 31))] = process.argv.slice(2);
if (!/^\d+$/.test(replies) || !/^\d+$/.test(seed)) {
  console.error("Usage: node scripts/fuzz-syntax.mjs [REPLIES] [SEED]");
  process.exit(2);
}
setup();
const grammars = join(root, "dist", "grammars");
if (!existsSync(grammars)) await copyGrammars(grammars);
console.log(`Seed ${seed}: give it again to repeat this run.`);
try {
  run(
    process.execPath,
    [
      join(root, "node_modules", "vitest", "vitest.mjs"),
      "run",
      "--project",
      "unit",
      "test/unit/syntax/fuzz.test.ts",
    ],
    { env: { ...process.env, FUZZ_REPLIES: replies, FUZZ_SEED: seed } },
  );
} catch {
  // vitest has said what failed.
  process.exit(1);
}
