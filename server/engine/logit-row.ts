/**
 * The logits of one position, in the memory of a small WebAssembly module (vocabulary.wat) that goes over all of them
 * four at a time. A vocabulary has 150,000 entries: in plain JavaScript the softmax of one position takes as long as
 * decoding it (`npm run bench:vocabulary` measures both).
 */
import { readFileSync } from "node:fs";
import { vocabularyModule } from "../files/package-files.ts";

/** The module's functions; addresses are in bytes. */
interface Passes {
  max(from: number, to: number): number;
  sum(from: number, to: number, max: number, scale: number): number;
  above(from: number, to: number, limit: number, out: number): number;
}

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;
const VECTOR_BYTES = 16;
const PAGE_BYTES = 65_536;

let compiled: WebAssembly.Module | undefined;

export class LogitRow {
  /** One logit a token of the vocabulary. Native code may write here: the memory never moves. */
  readonly values: Float32Array;
  readonly #end: number;
  readonly #passes: Passes;
  readonly #memory: WebAssembly.Memory;

  /** @param size tokens of the vocabulary, at least one */
  constructor(size: number) {
    this.#end = Math.ceil((size * FLOAT_BYTES) / VECTOR_BYTES) * VECTOR_BYTES;
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil((2 * this.#end) / PAGE_BYTES) });
    this.values = new Float32Array(this.#memory.buffer, 0, size);
    // What fills the last vector takes no part in anything.
    new Float32Array(this.#memory.buffer, 0, this.#end / FLOAT_BYTES).fill(Number.NEGATIVE_INFINITY, size);
    compiled ??= new WebAssembly.Module(readFileSync(vocabularyModule));
    const { exports } = new WebAssembly.Instance(compiled, { engine: { memory: this.#memory } });
    this.#passes = passesOf(exports);
  }

  /** The largest logit. */
  max(): number {
    return this.#passes.max(0, this.#end);
  }

  /**
   * `ln Σ e^(logit / temperature)`: what is taken off a logit divided by the temperature to give its log-probability.
   * The relative error of the sum is below 1e-6. Not a number when one of the logits is none.
   * @param max the largest logit
   */
  logSum(max: number, temperature = 1): number {
    return max / temperature + Math.log(this.#passes.sum(0, this.#end, max, 1 / temperature));
  }

  /** Tokens with at least this logit, in order of their ids. A view, good until the next call. */
  above(limit: number): Int32Array {
    const count = this.#passes.above(0, this.#end, limit, this.#end);
    return new Int32Array(this.#memory.buffer, this.#end, count);
  }
}

function passesOf({ max, sum, above }: WebAssembly.Exports): Passes {
  if (typeof max !== "function" || typeof sum !== "function" || typeof above !== "function") {
    throw new Error("vocabulary.wasm is of another version. Build again.");
  }
  return {
    max: (from, to) => Number(max(from, to)),
    sum: (from, to, largest, scale) => Number(sum(from, to, largest, scale)),
    above: (from, to, limit, out) => Number(above(from, to, limit, out)),
  };
}
