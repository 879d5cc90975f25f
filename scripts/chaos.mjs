// Chaos with real processes, for as long as you like: `node scripts/chaos.mjs [--seconds 3600] [--seed 1] [--rounds N] [--json]`
// Needs Linux and a built dist/. Five windows rank while every round something goes wrong; docs/server-life.md has what
// and what must hold. As root it fills a small disk of its own, too. The same seed does the same things in the same order.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { root } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "3600" },
    rounds: { type: "string" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    json: { type: "boolean", default: false },
  },
});
const { outputFiles } = await build({
  entryPoints: [join(root, "test", "server", "chaos", "chaos.ts")],
  bundle: true,
  write: false,
  platform: "node",
  target: "node20",
  format: "cjs",
  external: ["esbuild"],
  logLevel: "error",
});
// In the package, so that its own files and esbuild are found from there.
const file = join(root, "dist", `chaos-${process.pid}.cjs`);
writeFileSync(file, outputFiles[0].text);
let module;
try {
  module = await import(pathToFileURL(file).href);
} finally {
  rmSync(file, { force: true });
}

const end = performance.now() + 1000 * Number(values.seconds);
const started = performance.now();
// Ends with what was seen so far, and leaves nothing.
let stopped = false;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    stopped = true;
  });
}
try {
  const report = await module.runChaos({
    seed: Number(values.seed),
    more: (rounds) =>
      !stopped && (values.rounds === undefined ? performance.now() < end : rounds < Number(values.rounds)),
    hang: true,
    say: (line) => {
      if (!values.json)
        console.log(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${line}`);
    },
  });
  const { window, ...rest } = report;
  const ends = window.length > 0 ? [window[Math.min(5, window.length - 1)], window.at(-1)] : [];
  console.log(
    JSON.stringify({ seed: Number(values.seed), ...rest, window: ends }, undefined, values.json ? 0 : 2),
  );
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
