// Makes media/golden.gguf and media/golden.json, the engine's start-up check, from a parity fixture:
// its rewards were computed by Hugging Face transformers in float64. Run by hand when the fixtures change.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./setup.mjs";

const fixture = join(root, "test/fixtures/parity/qwen3-tied");
const out = join(root, "media", "golden.gguf");
execFileSync(
  process.execPath,
  [
    join(root, "dist/server.js"),
    "models",
    "convert",
    join(fixture, "model"),
    "--out",
    out,
    "--type",
    "f32",
    "--source",
    "golden",
    "--revision",
    "1",
  ],
  { stdio: "inherit" },
);
const { records } = JSON.parse(readFileSync(join(fixture, "records.json"), "utf8"));
/** Two that share their beginning and one that does not, so that the trie is checked too. */
const names = ["subarray, right", "subarray, wrong", "scripts"];
const chosen = names.map((name) => records.find((record) => record.name === name));
writeFileSync(
  join(root, "media", "golden.json"),
  `${JSON.stringify({ sequences: chosen.map((record) => record.ids), rewards: chosen.map((record) => record.reward64) })}\n`,
);
