// How well samples at a cursor are ended by syntax: `node scripts/measure-stops.mjs [STRIDE]`, after a build. Over the
// positions of test/fixtures/syntax/cursor-real it prints
//   - with the file's own text as the sample, at every STRIDE-th (3): whether it ends where the author's text does,
//     earlier, later, or not;
//   - of what a model wrote there: how much of its text is saved, and how often what is shown of it stays the same.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { FIXTURES, positions, rowsOf } from "./cursor/corpus.mjs";
import { root } from "./setup.mjs";

/** A sampler asks every few tokens; so many characters are about one. */
const STEP = 4;
/** How much of the file follows the author's text in a sample. */
const BEYOND = 300;

const stride = Number(process.argv[2] ?? 3);
const { stopOf, documentOf, assemble, runtime } = await load();
const all = positions();
await ownText(all.filter((_, index) => index % stride === 0));
await modelText(rowsOf(join(FIXTURES, "samples-0.5b.jsonl.gz")));
process.exit(0);

async function ownText(places) {
  const found = {};
  for (const { language, kind, prefix, middle, suffix } of places) {
    const text = (middle + suffix).slice(0, middle.length + BEYOND);
    const stop = await firstStop({ language, prefix, suffix }, text);
    const kept = stop && text.slice(0, stop.cut).trimEnd().length;
    const whole = middle.trimEnd().length;
    const end =
      kept === undefined ? "goes on" : kept === whole ? "exact" : kept < whole ? "earlier" : "later";
    for (const row of [language, kind, "all"]) {
      found[row] ??= { exact: 0, earlier: 0, later: 0, "goes on": 0 };
      found[row][end] += 1;
    }
  }
  console.table(found);
}

async function modelText(samples) {
  const byId = new Map(all.map((one) => [one.id, one]));
  const found = { samples: 0, ended: 0, "% of text saved": 0, "shown as without": 0, "shown otherwise": 0 };
  let characters = 0;
  let saved = 0;
  for (const { id, text } of samples) {
    const { language, prefix, suffix } = byId.get(id);
    const place = { language, prefix, suffix };
    found.samples += 1;
    characters += text.length;
    const stop = await firstStop(place, text);
    if (stop === undefined) continue;
    found.ended += 1;
    saved += text.length - Math.min(text.length, stop.asked);
    const [without, cut] = [text, text.slice(0, stop.cut)];
    const [whole, ended] = [await shown(place, without), await shown(place, cut)];
    found[whole === ended ? "shown as without" : "shown otherwise"] += 1;
  }
  found["% of text saved"] = Math.round((1000 * saved) / characters) / 10;
  console.table({ "Qwen2.5-Coder 0.5B": found });
}

async function shown(place, completion) {
  const { insert, valid } = await assemble({ ...place, completion }, runtime);
  return valid ? insert : "";
}

/** The first stop, and how much was written when it was found. */
async function firstStop(place, text) {
  await runtime.load(place.language);
  const document = documentOf(place, runtime);
  for (let asked = STEP; asked < text.length + STEP; asked += STEP) {
    const stop = stopOf(document, text.slice(0, asked));
    if (stop !== undefined) return { ...stop, asked };
  }
  return undefined;
}

async function load() {
  const folder = mkdtempSync(join(tmpdir(), "codescaler-stops-"));
  const outfile = join(folder, "stops.cjs");
  try {
    const contents = `export { assemble, documentOf } from "./cursor/assemble.ts";
      export { stopOf } from "./cursor/sample-stop.ts";
      export { wasmRuntime } from "./parsing/parser.ts";`;
    const stdin = { contents, resolveDir: join(root, "shared/syntax"), loader: "ts" };
    await build({ stdin, outfile, bundle: true, platform: "node", format: "cjs" });
    const { default: loaded } = await import(pathToFileURL(outfile).href);
    const runtime = await loaded.wasmRuntime({ grammarDir: join(root, "dist", "grammars") });
    return { ...loaded, runtime };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
