// Bundles what the tests run: the suite for the extension host, and the replayed language-model servers.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { root } from "../../scripts/setup.mjs";

const common = { bundle: true, platform: "node", target: "node20", logLevel: "warning", absWorkingDir: root };

/** @returns paths of the bundles */
export async function bundle() {
  const out = join(root, "test/host/.cache");
  const suite = join(out, "suite.cjs");
  const replay = join(out, "replay.mjs");
  await Promise.all([
    build({
      ...common,
      entryPoints: ["test/host/suite/index.ts"],
      outfile: suite,
      format: "cjs",
      external: ["vscode", "mocha"],
      sourcemap: "inline",
    }),
    build({ ...common, entryPoints: ["test/helpers/replay/replay.ts"], outfile: replay, format: "esm" }),
  ]);
  return { suite, replay };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
