/**
 * The matching part of the embedded model's reward: the cosine between the vectors of a problem's words and of a
 * program's words and tokens.
 *
 * The features are those of training/train/text_parts/matching.py, number by number. docs/rendering.md defines them. A change is a new
 * MATCHING_VERSION.
 */
import type { MatchingModel } from "../../models/gguf/keys.ts";
import { askedProgram, belowFirstLine, grams, programTokens, wordsInOrder } from "./program-tokens.ts";

/** Numbers that keep the features of a kind apart, also from those of ngram.ts. */
const STREAMS = { problem: 3, words: 4, tokens: 5 } as const;

/**
 * Coefficient times cosine for the program that a rendered conversation ends with and its problem; 0 without a program,
 * and where either has no features.
 * @param fragments texts between the control tokens of ChatML, as `askedProgram` takes them
 */
export function matchingTerm(model: MatchingModel, fragments: readonly string[]): number {
  const asked = askedProgram(fragments);
  return asked ? model.coefficient * matchingValue(model, asked.problem, asked.program) : 0;
}

/** Cosine between problem and program, from -1 to 1. */
export function matchingValue(model: MatchingModel, problem: string, program: string): number {
  const bits = Math.log2(model.program.length / model.dimensions);
  const asked = problemVector(model, problem, bits);
  const said = vectorOf(model.program, model.dimensions, programFeatures(program, bits));
  const lengths = Math.sqrt(product(asked, asked)) * Math.sqrt(product(said, said));
  return lengths === 0 ? 0 : product(asked, said) / lengths;
}

/** The last problem of each model: all candidates of a request have the same one. */
const lastProblems = new WeakMap<MatchingModel, { readonly problem: string; readonly vector: Int32Array }>();

function problemVector(model: MatchingModel, problem: string, bits: number): Int32Array {
  const last = lastProblems.get(model);
  if (last?.problem === problem) return last.vector;
  const features = new Set(grams(wordsInOrder(problem), [1, 2], STREAMS.problem, bits));
  const vector = vectorOf(model.problem, model.dimensions, features);
  lastProblems.set(model, { problem, vector });
  return vector;
}

/** Words of the body, and its tokens and pairs of them, without line starts. */
function programFeatures(program: string, bits: number): Set<number> {
  const text = body(program);
  const tokens = programTokens(text)
    .slice(0, -1)
    .filter((token) => !token.startsWith("\n"));
  return new Set([
    ...grams(wordsInOrder(text), [1], STREAMS.words, bits),
    ...grams(tokens, [1, 2], STREAMS.tokens, bits),
  ]);
}

/** What is below the first line, which the problem may have asked for; all of it where nothing does. */
function body(program: string): string {
  const rest = belowFirstLine(program);
  return /[^ \t\r\n]/.test(rest) ? rest : program;
}

/** Sum of the features' rows. Some 50,000 features of at most 128 each stay far below 2^31. */
function vectorOf(table: Int8Array, dimensions: number, features: ReadonlySet<number>): Int32Array {
  const sum = new Int32Array(dimensions);
  for (const feature of features) {
    const row = feature * dimensions;
    for (let place = 0; place < dimensions; place++) {
      sum[place] = (sum[place] ?? 0) + (table[row + place] ?? 0);
    }
  }
  return sum;
}

function product(a: Int32Array, b: Int32Array): number {
  let sum = 0;
  for (let place = 0; place < a.length; place++) sum += (a[place] ?? 0) * (b[place] ?? 0);
  return sum;
}
