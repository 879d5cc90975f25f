/** `codescaler models fit`: how a model's judgement is combined with the other signals, fitted on judged samples. */
import { ServiceError } from "../../errors.ts";
import { type Problem, problem, readProblems } from "../../eval/evaluation-sets.ts";
import { type FitProblem, type FitReport, fitCombination } from "../../eval/fit.ts";
import { fitProblem } from "../../eval/fit-problem.ts";
import type { Estimate } from "../../eval/statistics.ts";
import { findModel } from "../../models/find-model.ts";
import { forgetFit, keepFit, readFit } from "../../models/fits.ts";
import { hasRewardHead, readLanguageModel } from "../../models/language-model.ts";
import { readTokenizerFile } from "../../models/read-model.ts";
import { describeWeights, type Fit, TASK_KINDS, type TaskKind } from "../../ranking/fit.ts";
import { readArgs, UsageError } from "../arguments.ts";
import { ENGINE_ARGS, ENGINE_USAGE, engineOptions } from "../engine-options.ts";
import { reliabilityTable } from "../eval/calibration.ts";
import { limited, overItems } from "../eval/items.ts";
import { formatTable } from "../table.ts";
import { print } from "./output.ts";

export const usage = `Usage: codescaler models fit MODEL FILE.jsonl [options]
       codescaler models fit MODEL --forget

Fits how the model's reward or likelihood, agreement of the samples, their writer's own log-probability and their length
are combined, and which chance of being right goes with the result, on judged samples of real models: the lines of eval
best-of-n, whose samples may have "logprobs": {"sum","tokens"}. A signal that does not help gets no weight; a chance
that does not hold on held-out problems is not given. Questions and cursors are fitted apart. The fit is kept beside the
models for this very file, and used from the next time the model is loaded.

  --forget       back to the fit that came with the package, or none
  --limit K      only the first K problems
  --resume FILE  keep results line by line there, and go on from what it holds
${ENGINE_USAGE.split("\n").slice(1).join("\n")}
  --json         print one JSON document`;

/** Problems with right and wrong programs; fewer let chance choose the weights. */
const LEAST_MIXED = 30;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, {
    ...ENGINE_ARGS,
    forget: { type: "boolean", default: false },
    limit: { type: "string" },
    resume: { type: "string" },
    json: { type: "boolean", default: false },
  });
  const [model, file, ...others] = positionals;
  if (model === undefined || others.length > 0 || (file === undefined) !== values.forget) {
    throw new UsageError("models fit needs a model and a FILE.jsonl, or a model and --forget.");
  }
  if (values.model !== undefined) throw new UsageError("models fit takes its model without --model.");
  const { id, path } = await findModel(model, engineOptions(values).remote !== undefined);
  const key = (await hasRewardHead(path))
    ? (await readTokenizerFile(path)).checksum
    : (await readLanguageModel(path)).revision;
  if (file === undefined) {
    await forgetFit(key);
    print(values.json, { id, forgotten: true }, `${id} has the fit that came with the package, or none.`);
    return 0;
  }
  const problems = limited(await readProblems(file, problem), values.limit);
  const { results } = await overItems(file, "fit", problems, { ...values, model }, fitProblem);
  const reports = TASK_KINDS.flatMap((kind) => {
    const own = results.filter((_, index) => kindOf(problems[index]) === kind);
    return own.length === 0 ? [] : [{ kind, report: fitCombination(enough(file, kind, own)) }];
  });
  const fitted: Fit = Object.fromEntries(reports.map(({ kind, report }) => [kind, report.fit]));
  const kept = await keepFit(key, { ...(await readFit(key)), ...fitted });
  print(
    values.json,
    {
      id,
      key,
      fit: fitted,
      reports: Object.fromEntries(reports.map(({ kind, report }) => [kind, report])),
      path: kept,
    },
    `${reports.map(({ kind, report }) => describe(kind, report)).join("\n\n")}\n\nkept in ${kept}`,
  );
  return 0;
}

function kindOf(one: Problem | undefined): TaskKind {
  return one && "prefix" in one.task ? "cursor" : "question";
}

/** @throws ServiceError invalid_request */
function enough(file: string, kind: TaskKind, problems: readonly FitProblem[]): readonly FitProblem[] {
  const mixed = problems.filter(
    ({ candidates }) => candidates.some(({ passed }) => passed) && candidates.some(({ passed }) => !passed),
  ).length;
  if (mixed >= LEAST_MIXED) return problems;
  throw new ServiceError(
    "invalid_request",
    `${file} has ${mixed} ${kind === "cursor" ? "cursors" : "questions"} with right and wrong valid programs; a fit needs at least ${LEAST_MIXED}. Add more problems or samples.`,
  );
}

function describe(kind: TaskKind, report: FitReport): string {
  const { fit, random, combined, oracle, alone, reliability, why_no_probability: why } = report;
  const rows = [
    ["a random sample", estimate(random)],
    ...Object.entries(alone).map(([name, one]) => [`by ${name.replace("_", " ")} alone`, estimate(one)]),
    ["by the combination", estimate(combined)],
    ["the best there is", estimate(oracle)],
  ];
  return (
    `${kind === "cursor" ? "Cursors" : "Questions"}: ${fit.samples} samples of ${fit.problems} problems\n` +
    `weights: ${describeWeights(fit)}\n` +
    `${formatTable(["picked", "right, on held-out problems (95 % interval)"], rows)}\n` +
    `expected calibration error ${reliability.expected_calibration_error.toFixed(3)}. ${why ?? "The chances hold."}\n` +
    reliabilityTable([["right", reliability]])
  );
}

function estimate({ value, low, high }: Estimate): string {
  return `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}
