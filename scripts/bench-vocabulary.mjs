// What a vocabulary costs: the log-softmax of one position, and getting its logits there. `npm run bench:vocabulary`
// after a build. All ways take turns in one run; the figures are medians in milliseconds a position.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { root } from "./setup.mjs";

const require = createRequire(import.meta.url);
const koffi = require("koffi");

const TOKENS = 151_936;
const ROUNDS = 60;
const bytes = Math.ceil((TOKENS * 4) / 16) * 16;
const memory = new WebAssembly.Memory({ initial: Math.ceil((2 * bytes) / 65_536) });
const module = new WebAssembly.Module(readFileSync(join(root, "dist", "vocabulary.wasm")));
const { max, sum } = new WebAssembly.Instance(module, { engine: { memory } }).exports;
const row = new Float32Array(memory.buffer, 0, TOKENS);
const source = Float32Array.from({ length: TOKENS }, (_, index) => Math.sin(index * 12.9898) * 11);
const address = koffi.address(source);

function inJavaScript() {
  let best = Number.NEGATIVE_INFINITY;
  for (const logit of row) if (logit > best) best = logit;
  let total = 0;
  for (const logit of row) total += Math.exp(logit - best);
  return best + Math.log(total);
}

function inWebAssembly() {
  const best = max(0, bytes);
  return best + Math.log(sum(0, bytes, best, 1));
}

const package_ = `@node-llama-cpp/${process.platform === "darwin" ? "mac" : process.platform === "win32" ? "win" : "linux"}-${process.arch}`;
const folder = join(root, "node_modules", package_, "bins", package_.split("/")[1]);
const library =
  { darwin: "libggml-base.dylib", win32: "ggml-base.dll" }[process.platform] ?? "libggml-base.so";
const copy = koffi
  .load(join(folder, library))
  .func(
    "size_t ggml_quantize_chunk(int type, const void *source, void *target, int64_t start, int64_t rows, int64_t columns, const void *matrix)",
  );

const ways = {
  "softmax in JavaScript": inJavaScript,
  "softmax in WebAssembly": inWebAssembly,
  "copied by ggml into WebAssembly's memory": () => copy(0, address, row, 0, 1, TOKENS, null),
  "copied by koffi": () => koffi.decode(address, "float", TOKENS),
};
copy(0, address, row, 0, 1, TOKENS, null);
const times = new Map(Object.keys(ways).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, way] of Object.entries(ways)) {
    const started = performance.now();
    way();
    times.get(name).push(performance.now() - started);
  }
}
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
for (const [name, values] of times) console.log(`${median(values).toFixed(3).padStart(8)} ms  ${name}`);
console.log(
  `difference of the two softmaxes: ${Math.abs(inJavaScript() - inWebAssembly()).toExponential(1)}`,
);
