/** `codescaler bench`: scoring speed as ratios against a ceiling and one-by-one scoring of the same run. */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { wasmRuntime } from "../../shared/syntax/parsing/parser.ts";
import type { Tokens } from "../engine/engine.ts";
import type { LlamaEngine } from "../engine/llama/llama-engine.ts";
import { startEngine } from "../engine/llama/start.ts";
import { compareTokens, countNodes } from "../engine/trie.ts";
import { seeded } from "../eval/statistics.ts";
import { grammarFolder } from "../files/package-files.ts";
import { randomModel } from "../models/convert/random.ts";
import { findModel } from "../models/find-model.ts";
import { hasRewardHead, readLanguageModel } from "../models/language-model.ts";
import { readRewardModel } from "../models/read-model.ts";
import { programReader } from "../ranking/programs.ts";
import { rank } from "../ranking/rank.ts";
import { createScorer, type Scorer } from "../ranking/scorer.ts";
import { readArgs, UsageError, wholeNumber } from "./arguments.ts";
import { ENGINE_ARGS, ENGINE_USAGE, engineOptions } from "./engine-options.ts";
import { formatTable } from "./table.ts";

export const usage = `Usage: codescaler bench [options]

Times N candidates for one question: ranked together, one by one, and the ceiling, which is the plain prefill
of one sequence of as many tokens, without logits. A language model judges by likelihood, with logits for every
token of a candidate. All three run in turn, from an empty cache; the figures are medians.

  --question-tokens Q   tokens of the question (default 600)
  --candidate-tokens C  tokens of each candidate (default 150)
  --shared-tokens S     tokens that all candidates begin with (default 0)
  --n N                 candidates (default 8)
  --rounds R            rounds (default 3)
${ENGINE_USAGE}
                        --model random:SHAPE:TYPE: random weights of a real shape, made once into a cache folder
                        (shapes qwen3-0.6b, qwen3-1.7b, qwen3-4b, qwen3-8b; types f32, f16, bf16, q8_0, q4_0)
  --json                print one JSON document`;

export interface BenchResult {
  readonly model: string;
  readonly device: string;
  /** Tokens per second of the plain prefill. */
  readonly ceiling_tokens_per_s: number;
  readonly one_by_one_s: number;
  readonly ranked_s: number;
  readonly speedup: number;
  /** Trie nodes of all texts; also what was decoded, counted at the decode call. */
  readonly unique_tokens: number;
  readonly decoded_tokens: number;
  readonly total_tokens: number;
  readonly fraction_of_ceiling: number;
  /** A second request with one more candidate. */
  readonly added_candidate: { readonly decoded_tokens: number; readonly seconds: number };
  /** Longest time that the event loop did not answer while ranking, in milliseconds. */
  readonly event_loop_gap_ms: number;
  /** All of ranking eight replies but the decoding: parse, fold, render, tokenize, sort; null for random models. */
  readonly around_model_ms: number | null;
  readonly rss_mib: number;
}

export async function run(args: string[]): Promise<number> {
  const { values } = readArgs(args, {
    ...ENGINE_ARGS,
    "question-tokens": { type: "string", default: "600" },
    "candidate-tokens": { type: "string", default: "150" },
    "shared-tokens": { type: "string", default: "0" },
    n: { type: "string", default: "8" },
    rounds: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
  });
  const candidate = wholeNumber("candidate-tokens", values["candidate-tokens"], 2, 100_000);
  const shape = {
    question: wholeNumber("question-tokens", values["question-tokens"], 1, 100_000),
    candidate,
    shared: wholeNumber("shared-tokens", values["shared-tokens"], 0, candidate - 1),
    n: wholeNumber("n", values.n, 1, 256),
  };
  const rounds = wholeNumber("rounds", values.rounds, 3, 1000);

  const model = values.model?.startsWith("random:")
    ? { id: values.model, path: await makeOrReuse(values.model) }
    : await findModel(values.model);
  const judge = (await hasRewardHead(model.path)) ? await readRewardModel(model.path) : undefined;
  const file = judge ?? (await readLanguageModel(model.path));
  const options = engineOptions(values);
  if (options.remote !== undefined)
    throw new UsageError("bench measures the engine here: leave --engine out.");
  const engine = await startEngine(file, {
    ...options,
    contextTokens: options.contextTokens ?? contextFor(shape),
  });
  try {
    const around =
      judge === undefined || values.model?.startsWith("random:")
        ? null
        : await aroundModel(createScorer(model.id, judge, engine));
    const likelihood = judge === undefined;
    const result = await measure({ id: model.id, likelihood, around }, engine, shape, rounds);
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : describe(result));
    return 0;
  } finally {
    await engine.close();
  }
}

/** The ceiling is one sequence of as many tokens as all candidates have together: it must fit in one piece. */
function contextFor(shape: BenchShape): number {
  const unique = shape.question + shape.shared + shape.n * (shape.candidate - shape.shared);
  return Math.max(8192, Math.ceil((unique + 512) / 256) * 256);
}

interface BenchShape {
  readonly question: number;
  readonly candidate: number;
  readonly shared: number;
  readonly n: number;
}

interface Measured {
  readonly id: string;
  /** A language model judges by the likelihood of all of a candidate's tokens: logits for each of them. */
  readonly likelihood: boolean;
  readonly around: number | null;
}

async function measure(
  { id, likelihood, around }: Measured,
  engine: LlamaEngine,
  shape: BenchShape,
  rounds: number,
): Promise<BenchResult> {
  const random = seeded(42);
  // Ids of ordinary text: small enough for every vocabulary, no control token among them.
  const tokens = (count: number) => Int32Array.from({ length: count }, () => Math.floor(random() * 250));
  const question = tokens(shape.question);
  const start = tokens(shape.shared);
  const make = () => Int32Array.from([...question, ...start, ...tokens(shape.candidate - shape.shared)]);
  const texts = Array.from({ length: shape.n }, make);
  const unique = countNodes([...texts].sort(compareTokens));
  const plain = tokens(unique);

  /** @param judged tokens at the end of each sequence that are judged by their likelihood */
  const time = async (sequences: readonly Tokens[], judged = shape.candidate) => {
    const spans = sequences.map(({ length }) => ({ from: Math.max(1, length - judged), to: length }));
    const started = performance.now();
    const { decodedTokens } = await engine.score(sequences, {
      priority: "interactive",
      ...(likelihood && { spans }),
    });
    return { seconds: (performance.now() - started) / 1000, decodedTokens };
  };
  await time([tokens(64)]);
  const ceiling: number[] = [];
  const ranked: number[] = [];
  const single: number[] = [];
  let decoded = 0;
  let gap = 0;
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`Round ${round + 1} of ${rounds} on ${engine.device} …\n`);
    await engine.forget();
    ceiling.push((await time([plain], 1)).seconds);
    await engine.forget();
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    const together = await time(texts);
    loop.disable();
    gap = Math.max(gap, loop.max / 1e6);
    ranked.push(together.seconds);
    decoded = together.decodedTokens;
    let sum = 0;
    for (const text of texts) {
      await engine.forget();
      sum += (await time([text])).seconds;
    }
    single.push(sum);
  }
  await engine.forget();
  await time(texts);
  const added = await time([...texts, make()]);

  const rankedSeconds = median(ranked);
  const ceilingRate = unique / median(ceiling);
  return {
    model: id,
    device: engine.device,
    ceiling_tokens_per_s: ceilingRate,
    one_by_one_s: median(single),
    ranked_s: rankedSeconds,
    speedup: median(single) / rankedSeconds,
    unique_tokens: unique,
    decoded_tokens: decoded,
    total_tokens: texts.reduce((sum, text) => sum + text.length, 0),
    fraction_of_ceiling: unique / rankedSeconds / ceilingRate,
    added_candidate: { decoded_tokens: added.decodedTokens, seconds: added.seconds },
    event_loop_gap_ms: gap,
    around_model_ms: around,
    rss_mib: process.resourceUsage().maxRSS / 1024,
  };
}

function describe(result: BenchResult): string {
  const rows = [
    ["ceiling (plain prefill)", `${result.ceiling_tokens_per_s.toFixed(0)} tokens/s`],
    ["one by one", `${result.one_by_one_s.toFixed(2)} s`],
    ["ranked together", `${result.ranked_s.toFixed(2)} s`],
    ["speedup", `${result.speedup.toFixed(2)} ×`],
    ["fraction of ceiling", `${(100 * result.fraction_of_ceiling).toFixed(0)} %`],
    ["tokens", `${result.decoded_tokens} decoded, ${result.unique_tokens} unique of ${result.total_tokens}`],
    [
      "one more candidate",
      `${result.added_candidate.decoded_tokens} tokens, ${result.added_candidate.seconds.toFixed(2)} s`,
    ],
    ["event loop gap", `${result.event_loop_gap_ms.toFixed(1)} ms`],
    ["around the model", result.around_model_ms === null ? "–" : `${result.around_model_ms.toFixed(1)} ms`],
    ["memory", `${result.rss_mib.toFixed(0)} MiB`],
  ];
  return `${formatTable([result.model, result.device], rows)}\n`;
}

/** Rounds before the figure counts: grammar and JIT are warm after these. */
const WARM_UP = 5;

/** Milliseconds that ranking eight replies of about twenty lines takes beside the engine; median of nine. */
async function aroundModel(scorer: Scorer): Promise<number> {
  const syntax = await wasmRuntime({ grammarDir: grammarFolder });
  const times: number[] = [];
  for (let round = 0; round < WARM_UP + 9; round++) {
    const candidates = Array.from({ length: 8 }, (_, index) => ({
      id: String(index),
      text: reply(round * 8 + index),
    }));
    const task = { question: `Return the sum of the multiples of ${round} in a list.`, language: "python" };
    const { timings } = await rank(
      { task, candidates, mode: "lenient", priority: "interactive" },
      scorer,
      programReader(syntax),
    );
    if (round >= WARM_UP) times.push(timings.total_ms - timings.score_ms);
  }
  return median(times);
}

function reply(seed: number): string {
  const lines = Array.from(
    { length: 16 },
    (_, line) => `    if values[${line}] % ${seed + line + 2} == 0:\n        total += values[${line}]\n`,
  );
  return `Here is a function for it:\n\n\`\`\`python\ndef solve(values):\n    total = ${seed}\n${lines.join("")}    return total\n\`\`\`\n\nIt runs in linear time.\n`;
}

/** Middle value (of an even number, the upper one). */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

async function makeOrReuse(specification: string): Promise<string> {
  process.stderr.write(`Preparing ${specification} (made once into the cache folder) …\n`);
  return randomModel(specification);
}
