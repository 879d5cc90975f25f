// How fast programs are extracted from replies, by the WebAssembly runtime and by the native one where it loads.
// `node scripts/bench-syntax.mjs [FOLDER]` after `node scripts/grammars.mjs` (or a build). One core. FOLDER has the
// native packages in its node_modules, where this one's prebuild does not load.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { root } from "./setup.mjs";

/** Programs for which both runtimes must give the same answers. */
const SAMPLES = {
  python: "def f(x):\n    return x + 1",
  java: "class A { int f(int x) { return x + 1; } }",
  cpp: "template <class T> auto f(T x) { return x + 1; }",
  go: "package main\n\nfunc f(x int) int { return x + 1 }",
  rust: "fn f(x: i32) -> i32 { x + 1 }",
  javascript: "const f = (x) => x + 1;",
};

const folder = mkdtempSync(join(tmpdir(), "codescaler-bench-"));
try {
  const outfile = join(folder, "syntax.cjs");
  await build({
    stdin: {
      contents: `export { wasmRuntime } from "./shared/syntax/parsing/parser.ts";
        export { nativeRuntime } from "./scripts/native-syntax.ts";
        export { assemble } from "./shared/syntax/cursor/assemble.ts";
        export { cursorCases } from "./test/unit/syntax/cursor-corpus.ts";
        export { extract } from "./shared/syntax/extract/extract.ts";
        export { normalForm } from "./shared/syntax/programs/normal-form.ts";`,
      resolveDir: root,
      loader: "ts",
    },
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    // Where the cursor cases look for their fixtures.
    define: { "import.meta.dirname": JSON.stringify(join(root, "test/unit/syntax")) },
  });
  const { default: syntax } = await import(pathToFileURL(outfile).href);
  await run(syntax);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** One function of about 20 lines; the number makes each one another program. */
function program(index) {
  return `def merge_intervals_${index}(intervals, gap=${index % 7}):
    """Merge intervals that overlap or lie within the gap.

    Returns the merged intervals in order.
    """
    if not intervals:
        return []
    ordered = sorted(intervals, key=lambda item: (item[0], item[1]))
    merged = [list(ordered[0])]
    for start, end in ordered[1:]:
        last = merged[-1]
        # Close enough to the last one: extend it.
        if start - last[1] <= gap:
            last[1] = max(last[1], end)
        else:
            merged.append([start, end])
    return [tuple(item) for item in merged if item[1] - item[0] >= ${index % 3}]`;
}

/** A reply of 24 lines: a sentence, the program in a fence, a sentence. */
function reply(index) {
  return `Sort the intervals first, then sweep over them once.\n\n\`\`\`python\n${program(index)}\n\`\`\`\n\nThis runs in O(n log n) time.\n`;
}

/** A reply of 60 lines: three functions, one after the other. */
function longReply(index) {
  const programs = [0, 1, 2].map((part) => program(index * 3 + part)).join("\n\n\n");
  return `Here is the solution:\n\n\`\`\`python\n${programs}\n\`\`\`\n\nIt is linear after sorting.\n`;
}

function plainReply(index) {
  return `Sort the intervals first, then sweep over them once.\n\n${program(index)}\n\nThis runs in O(n log n) time.\n`;
}

async function measure(work, rounds) {
  const times = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)];
}

async function run({ wasmRuntime, nativeRuntime, assemble, cursorCases, extract, normalForm }) {
  const cold = performance.now();
  const wasm = await wasmRuntime({ grammarDir: join(root, "dist/grammars") });
  await wasm.load("python");
  wasm.parse("python", program(0))?.delete();
  console.log(`cold start to the first tree: ${(performance.now() - cold).toFixed(0)} ms`);
  const native = await nativeRuntime(join(process.argv[2] ?? root, "package.json"));
  /** Both runtimes must give the same answers. */
  async function agree(first, second) {
    for (const [language, code] of Object.entries(SAMPLES)) {
      const answers = [];
      for (const text of [code, `${code} ((`]) {
        for (const runtime of [first, second])
          answers.push(await extract(`\`\`\`\n${text}\n\`\`\``, { language }, runtime));
      }
      const [a, b, c, d] = answers.map((answer) => JSON.stringify(answer));
      if (a !== b || c !== d) throw new Error(`the runtimes disagree about ${language}`);
    }
    for (const one of cursorCases()) {
      const [a, b] = [await assemble(one, first), await assemble(one, second)].map((answer) =>
        JSON.stringify(answer),
      );
      if (a !== b) throw new Error(`the runtimes disagree about ${one.title}`);
    }
  }
  const times = {};
  if (native !== undefined) await agree(wasm, native);
  for (const [name, runtime] of Object.entries({ wasm, native })) {
    if (runtime === undefined) continue;
    const options = { language: "python", mode: "lenient" };
    const all = async (replies, then) => {
      for (const text of replies) {
        const found = await extract(text, options, runtime);
        if (!found.valid) throw new Error(`not extracted: ${found.reason}`);
        if (then) await normalForm(found.code, "python", runtime);
      }
    };
    const batch = Array.from({ length: 2_000 }, (_, index) => reply(index));
    const plain = Array.from({ length: 2_000 }, (_, index) => plainReply(index));
    const eight = Array.from({ length: 8 }, (_, index) => longReply(index));
    await all(batch);
    const rate = (ms) => `${Math.round((2_000 / ms) * 1_000)} replies/s`;
    const whole = await measure(() => all(batch), 5);
    times[name] = whole;
    console.log(`${name}: 8 replies of 60 lines: ${(await measure(() => all(eight), 21)).toFixed(2)} ms`);
    console.log(`${name}: 2,000 replies of 24 lines, fenced: ${rate(whole)}`);
    console.log(`${name}: the same with the normal form: ${rate(await measure(() => all(batch, true), 3))}`);
    console.log(`${name}: the same without fences: ${rate(await measure(() => all(plain), 3))}`);
    runtime.dispose();
  }
  console.log(
    native === undefined
      ? "native tree-sitter does not load here"
      : `native : wasm = ${(times.wasm / times.native).toFixed(2)} times as fast`,
  );
}
