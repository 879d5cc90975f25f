/**
 * What picking the best of N costs: by reward, and by running every sample's unit tests (Python), on the same
 * samples in one run. Running model-written programs is what a reward model saves; this command runs them, in
 * subprocesses with a time limit, only when it is asked for with --tests.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { z } from "zod";
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import { ServiceError } from "../errors.ts";
import type { Scorer } from "../ranking/scorer.ts";
import { problem } from "./evaluation-sets.ts";
import { rewardsOf } from "./rewards.ts";

/** A problem whose samples can be run: `setup` and `tests` are Python statements appended to each sample. */
export const testedProblem = problem.extend({
  samples: z.array(z.object({ text: z.string(), passed: z.boolean().default(false) })).min(1),
  setup: z.string().default(""),
  tests: z.array(z.string()).min(1),
});
export type TestedProblem = z.infer<typeof testedProblem>;

export interface LatencyOutcome {
  readonly samples: number;
  readonly rewardSeconds: number;
  readonly testSeconds: number;
}

export interface LatencyResult {
  readonly problems: number;
  readonly samples: number;
  readonly reward_seconds: number;
  readonly test_seconds: number;
  /** How many times faster picking by reward is. */
  readonly ratio: number;
}

/** A program that loops for ever is ended after this; test harnesses commonly allow ten seconds. */
const TIME_LIMIT_MS = 10_000;

/** Picks once by reward and once by tests; as many test processes at a time as the machine has cores. */
export async function timeProblem(
  one: TestedProblem,
  scorer: Scorer,
  syntax: SyntaxRuntime,
  signal: AbortSignal,
): Promise<LatencyOutcome> {
  const started = performance.now();
  const replies = await rewardsOf(one.task, one.samples, scorer, syntax, signal);
  const ranked = performance.now();
  const programs = replies
    .filter((reply) => reply.valid)
    .map((reply) => [reply.code, one.setup, ...one.tests].join("\n"));
  const waiting = programs.values();
  const workers = Array.from({ length: availableParallelism() }, async () => {
    for (const program of waiting) await runPython(program, signal);
  });
  await Promise.all(workers);
  return {
    samples: one.samples.length,
    rewardSeconds: (ranked - started) / 1000,
    testSeconds: (performance.now() - ranked) / 1000,
  };
}

export function summariseLatency(outcomes: readonly LatencyOutcome[]): LatencyResult {
  const sum = (value: (outcome: LatencyOutcome) => number) =>
    outcomes.reduce((total, one) => total + value(one), 0);
  const [reward, tests] = [sum((one) => one.rewardSeconds), sum((one) => one.testSeconds)];
  return {
    problems: outcomes.length,
    samples: sum((one) => one.samples),
    reward_seconds: reward,
    test_seconds: tests,
    ratio: tests / reward,
  };
}

/** Runs a program to its end or its time limit; whether it passed does not matter here, only that it was run. */
function runPython(program: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("python3", ["-I", "-"], {
      stdio: ["pipe", "ignore", "ignore"],
      timeout: TIME_LIMIT_MS,
      killSignal: "SIGKILL",
      signal,
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "ENOENT"
          ? new ServiceError(
              "invalid_request",
              "python3 was not found; it is needed to run the samples' tests.",
            )
          : error,
      );
    });
    child.on("close", () => resolve());
    // A program that ends before it has read everything closes its input.
    child.stdin.on("error", () => {});
    child.stdin.end(program);
  });
}
