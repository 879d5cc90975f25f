/** `codescaler eval`: how good a reward model is, measured on judged samples. */
import { readFile } from "node:fs/promises";
import { ServiceError } from "../../errors.ts";
import { comparableRun, compareRuns } from "../../eval/compare.ts";
import { readProblems, readRmBench } from "../../eval/evaluation-sets.ts";
import { summariseLatency, testedProblem, timeProblem } from "../../eval/latency.ts";
import { judgeItem, type RmBenchOutcome, summariseRmBench } from "../../eval/rm-bench.ts";
import { readArgs, UsageError } from "../arguments.ts";
import { ENGINE_ARGS, ENGINE_USAGE } from "../engine-options.ts";
import { formatTable } from "../table.ts";
import { evalBestOfN } from "./best-of-n.ts";
import { evalCalibration } from "./calibration.ts";
import { percent } from "./figures.ts";
import { limited, overItems } from "./items.ts";
import { beside, linearBaseline } from "./linear-baseline.ts";

export const usage = `Usage: codescaler eval best-of-n FILE.jsonl [--plot FILE.svg] [options]
       codescaler eval rm-bench FILE.json [--no-extract] [options]
       codescaler eval latency FILE.jsonl --tests [options]
       codescaler eval calibration FILE.jsonl [--plot FILE.svg] [options]
       codescaler eval compare A.json B.json [--json]

best-of-n   lines {"id","task","language","samples":[{"text","passed"}]}: how often the top-ranked sample is right,
            beside a random one, the first, the oracle and simple rules, with 95 % intervals over the problems
rm-bench    RM-Bench's JSON array (prompt, three chosen, three rejected): accuracy easy, normal, hard, by language
latency     seconds to pick the best by reward, and by running the samples' tests in Python subprocesses; lines as
            for best-of-n with "tests" (Python statements) and "setup"?. --tests confirms that the samples may run here
calibration lines as for best-of-n: do probabilities come true? Expected calibration error, and shares by tenths
compare     two best-of-n results of the same file, with a paired bootstrap

  --limit K      only the first K problems or items
  --model M      may be given several times (best-of-n): the judges are measured on the same problems, side by side
  --resume FILE  keep results line by line there, and go on from what it holds
  --no-extract   score replies as they are (rm-bench)
  --plot FILE    draw the curve over N (best-of-n), or the reliability diagram (calibration)
  --balanced     right and wrong samples of a problem weigh the same (calibration): for sets whose share of right
                 samples was chosen, and calibrations that were fitted so, as the embedded model's
  --ngram FILE   linear n-gram model of the baseline (best-of-n): an ngram.json of the training, or a GGUF that has
                 one (default: the embedded model's)
${ENGINE_USAGE}
  --json         print one JSON document (docs/evaluation.md describes it)`;

const OPTIONS = {
  ...ENGINE_ARGS,
  model: { type: "string", multiple: true },
  limit: { type: "string" },
  resume: { type: "string" },
  "no-extract": { type: "boolean", default: false },
  plot: { type: "string" },
  ngram: { type: "string" },
  tests: { type: "boolean", default: false },
  balanced: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

type Values = ReturnType<typeof readArgs<typeof OPTIONS>>["values"];
type OneModel = Omit<Values, "model"> & { readonly model: string | undefined };

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, OPTIONS);
  const [kind, ...files] = positionals;
  switch (kind) {
    case "best-of-n":
      return evalBestOfN(oneFile(files), values);
    case "rm-bench":
      return evalRmBench(oneFile(files), withOneModel(values));
    case "latency":
      return evalLatency(oneFile(files), withOneModel(values));
    case "calibration":
      return evalCalibration(oneFile(files), withOneModel(values));
    case "compare":
      return evalCompare(files, values);
    default:
      throw new UsageError(
        `eval needs best-of-n, rm-bench, latency, calibration or compare${kind === undefined ? "" : `, not "${kind}"`}.`,
      );
  }
}

async function evalRmBench(file: string, values: OneModel): Promise<number> {
  const items = limited(await readRmBench(file), values.limit);
  const linear = await linearBaseline(values.ngram);
  const kind = `rm-bench${values["no-extract"] ? " as it is" : ""}${beside(linear)}`;
  const { results, seconds } = await overItems(file, kind, items, values, (item, scorer, syntax, signal) =>
    judgeItem(item, { extract: !values["no-extract"], linear, signal }, scorer, syntax),
  );
  const result = summariseRmBench(results satisfies RmBenchOutcome[], seconds);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const row = (name: string, one: typeof result | (typeof result.languages)[string]) => [
      name,
      String(one.items),
      ...[one.easy, one.normal, one.hard, one.average].map((value) => value.toFixed(3)),
    ];
    const rows = [
      row("all", result),
      ...Object.entries(result.languages).map(([name, one]) => row(name, one)),
    ];
    process.stdout.write(
      `${formatTable(["language", "items", "easy", "normal", "hard", "average"], rows)}\n` +
        `average ${[["", result.intervals.average] as const, ...Object.entries(result.baselines)]
          .map(([name, estimate]) => `${name.replaceAll("_", " ")} ${percent(estimate)}`.trim())
          .join(", ")}\n`,
    );
  }
  return 0;
}

async function evalLatency(file: string, values: OneModel): Promise<number> {
  if (!values.tests)
    throw new UsageError("eval latency runs the samples on this machine; --tests says that they may.");
  const problems = limited(await readProblems(file, testedProblem), values.limit);
  const { results, model } = await overItems(file, "latency", problems, values, timeProblem);
  const result = summariseLatency(results);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    process.stdout.write(
      `${result.samples} samples of ${result.problems} problems: ${result.reward_seconds.toFixed(2)} s by reward (${model}), ` +
        `${result.test_seconds.toFixed(2)} s by their tests: ${result.ratio.toFixed(1)} times faster\n`,
    );
  }
  return 0;
}

async function evalCompare(files: readonly string[], values: Values): Promise<number> {
  const [a, b, ...others] = files;
  if (a === undefined || b === undefined || others.length > 0)
    throw new UsageError("eval compare needs two files.");
  const result = compareRuns(await readRun(a), await readRun(b));
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else {
    const { difference } = result;
    process.stdout.write(
      `${result.problems} problems: A ${result.a.toFixed(3)}, B ${result.b.toFixed(3)}, B − A ${difference.value.toFixed(3)} ` +
        `(95 %: ${difference.low.toFixed(3)} to ${difference.high.toFixed(3)}); only A right ${result.only_a_right}, only B right ${result.only_b_right}\n`,
    );
  }
  return 0;
}

/** @throws UsageError for several */
function withOneModel(values: Values): OneModel {
  const [model, ...others] = values.model ?? [];
  if (others.length > 0) throw new UsageError("Only best-of-n takes several --model.");
  return { ...values, model };
}

function oneFile(files: readonly string[]): string {
  const [file, ...others] = files;
  if (file === undefined || others.length > 0) throw new UsageError("eval needs exactly one FILE.");
  return file;
}

async function readRun(file: string) {
  try {
    return comparableRun.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    throw new ServiceError("invalid_request", `${file} is not a result of "eval best-of-n --json".`, {
      cause: error,
    });
  }
}
