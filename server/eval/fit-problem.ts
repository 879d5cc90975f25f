/** One problem with judged samples as the fit of a combination sees it: programs with their features and outcomes. */
import type { SyntaxRuntime } from "../../shared/syntax/parsing/parser.ts";
import { featuresOf } from "../ranking/fit.ts";
import type { Scorer } from "../ranking/scorer.ts";
import type { Problem } from "./evaluation-sets.ts";
import type { FitProblem } from "./fit.ts";
import { rewardsOf } from "./rewards.ts";

export async function fitProblem(
  { task, language, samples }: Problem,
  scorer: Scorer,
  syntax: SyntaxRuntime,
  signal?: AbortSignal,
): Promise<FitProblem> {
  const asked = "question" in task && language !== undefined ? { ...task, language } : task;
  const replies = await rewardsOf(asked, samples, scorer, syntax, signal);
  const programs = replies.flatMap((reply, index) =>
    reply.valid && reply.representative === index ? [index] : [],
  );
  const of = (index: number) => replies[index];
  const features = featuresOf(
    programs.flatMap((index) => of(index)?.signals ?? []),
    programs.map((index) => of(index)?.code.length ?? 0),
  );
  return {
    candidates: programs.map((program, place) => {
      const own = samples.filter((_, index) => of(index)?.representative === program);
      // Equal programs have the same outcome, but for one that a time limit met.
      const passed = own.filter((sample) => sample.passed).length * 2 > own.length;
      return { features: features[place] ?? {}, passed, samples: own.length };
    }),
    invalid: replies.filter(({ valid }) => !valid).length,
  };
}
