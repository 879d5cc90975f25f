// Bundles the two programs and puts the grammars beside them. `node scripts/build.mjs` from anywhere; with `--watch` it
// stays and builds again with every change.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build, context } from "esbuild";
import { copyGrammars } from "./grammars.mjs";
import { root } from "./setup.mjs";
import { assemble } from "./wasm.mjs";

const dist = join(root, "dist");

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  sourcemap: "linked",
  sourcesContent: false,
  legalComments: "none",
  logLevel: "warning",
  absWorkingDir: root,
};

/**
 * Libraries that the extension loads with its first request. In files of their own they cost nothing at activation:
 * the engine would have to compile them with the rest.
 */
const LIBRARIES = ["zod", "axios", "http-proxy-agent", "https-proxy-agent"];
const librariesApart = {
  name: "libraries-apart",
  setup({ onResolve }) {
    onResolve({ filter: new RegExp(`^(${LIBRARIES.join("|")})$`) }, ({ path }) => ({
      path: `./libraries/${path}.js`,
      external: true,
    }));
  },
};

/** Loading is compiling: less text is faster. Names stay, for stack traces. */
const small = { minifyWhitespace: true, minifySyntax: true };

// What a test that runs beside a build reads stays.
const KEPT = ["grammars", "vocabulary.wasm"];
mkdirSync(dist, { recursive: true });
for (const entry of readdirSync(dist)) {
  if (!KEPT.includes(entry)) rmSync(join(dist, entry), { recursive: true, force: true });
}
await copyGrammars(join(dist, "grammars"));
/** What is built, each as esbuild takes it. */
const bundles = [
  {
    ...common,
    entryPoints: ["server/main.ts"],
    outfile: join(dist, "server.js"),
    external: ["koffi"],
    banner: { js: "#!/usr/bin/env node" },
  },
  {
    ...common,
    entryPoints: ["src/extension.ts"],
    outfile: join(dist, "extension.js"),
    ...small,
    external: ["vscode"],
    plugins: [librariesApart],
    // Libraries are loaded by require, which knows the default export of a bundled one.
    supported: { "dynamic-import": false },
  },
  {
    ...common,
    ...small,
    entryPoints: ["src/syntax/syntax-engine.ts"],
    outfile: join(dist, "syntax-engine.js"),
  },
  {
    ...common,
    entryPoints: LIBRARIES.map((library) => ({ in: library, out: library })),
    outdir: join(dist, "libraries"),
    minify: true,
  },
];

await assemble(dist);
if (process.argv.includes("--watch")) await watch();
else await Promise.all(bundles.map((options) => build(options)));

/** Builds with every change, and says so in the words that the editor's task waits for. */
async function watch() {
  // All of them are built once at the start: that is over when the last is.
  let running = bundles.length;
  console.log("[watch] build started");
  const announced = () => {
    let first = true;
    return {
      name: "announced",
      setup({ onStart, onEnd }) {
        onStart(() => {
          if (!first && running++ === 0) console.log("[watch] build started");
          first = false;
        });
        onEnd(() => {
          if (--running === 0) console.log("[watch] build finished");
        });
      },
    };
  };
  const contexts = await Promise.all(
    bundles.map((options) => context({ ...options, plugins: [...(options.plugins ?? []), announced()] })),
  );
  await Promise.all(contexts.map((one) => one.watch()));
}
