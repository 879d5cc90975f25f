/** `codescaler eval best-of-n`: how often the pick of one or several judges is right, beside what needs no judge. */
import { type BestOfNResult, judgeProblem, summarise } from "../../eval/best-of-n.ts";
import { type Comparison, compareRuns } from "../../eval/compare.ts";
import { problem, readProblems } from "../../eval/evaluation-sets.ts";
import { plotCurve } from "../../eval/plot.ts";
import { formatTable } from "../table.ts";
import { fraction, percent } from "./figures.ts";
import { type ItemsValues, limited, overItems, writePlot } from "./items.ts";
import { beside, linearBaseline } from "./linear-baseline.ts";

interface Values extends Omit<ItemsValues, "model"> {
  readonly model?: readonly string[] | undefined;
  readonly limit?: string | undefined;
  readonly ngram?: string | undefined;
  readonly plot?: string | undefined;
  readonly json: boolean;
}

export async function evalBestOfN(file: string, values: Values): Promise<number> {
  const problems = limited(await readProblems(file, problem), values.limit);
  // Learnt now, not after an hour of scoring.
  if (values.plot !== undefined) await writePlot(values.plot, "");
  const linear = await linearBaseline(values.ngram);
  const judges: [name: string, result: BestOfNResult][] = [];
  for (const wanted of values.model ?? [undefined]) {
    const { results, seconds, model } = await overItems(
      file,
      `best-of-n${beside(linear)}`,
      problems,
      // Each judge keeps its own results.
      {
        ...values,
        model: wanted,
        resume: judges.length === 0 ? values.resume : `${values.resume}.${judges.length}`,
      },
      (one, scorer, syntax, signal) => judgeProblem(one, scorer, syntax, signal, linear),
    );
    judges.push([model, summarise(results, seconds)]);
  }
  const [first] = judges;
  if (!first) return 0;
  if (values.plot !== undefined)
    await writePlot(values.plot, plotCurve(first[1], `Best of N with ${first[0]}`));
  const differences = judges
    .slice(1)
    .map(([name, result]) => ({ judge: name, against: first[0], ...compareRuns(first[1], result) }));
  if (values.json) {
    const document = judges.length === 1 ? first[1] : { judges: Object.fromEntries(judges), differences };
    process.stdout.write(`${JSON.stringify(document)}\n`);
  } else process.stdout.write(describe(judges, differences));
  return 0;
}

type Difference = Comparison & { readonly judge: string; readonly against: string };

function describe(
  judges: readonly (readonly [name: string, result: BestOfNResult])[],
  differences: readonly Difference[],
): string {
  const result = judges[0]?.[1];
  if (!result) return "";
  const pairwise = result.baselines_pairwise;
  const rows = [
    ["random sample", percent(result.intervals.mean), "0.500"],
    ["first sample", percent(result.intervals.first), ""],
    ...Object.entries(result.baselines).map(([name, estimate]) => [
      name.replaceAll("_", " "),
      percent(estimate),
      fraction(pairwise[name] ?? null),
    ]),
    ...judges.map(([name, { intervals }]) => [
      `best by ${name}`,
      percent(intervals.best_of_n),
      fraction(intervals.pairwise_accuracy),
    ]),
    ["oracle", percent(result.intervals.oracle), ""],
  ];
  const table = formatTable([`${result.problems} problems`, "right (95 % interval)", "pairwise"], rows);
  const seconds = judges.map(([name, { seconds }]) => `${name} ${seconds.toFixed(1)} s`).join(", ");
  const paired = differences.map(
    ({ judge, against, difference, only_a_right: a, only_b_right: b }) =>
      `${judge} − ${against}: ${percent(difference)}; only ${against} right ${a}, only ${judge} right ${b}\n`,
  );
  return `${table}\n${paired.join("")}${seconds}\n`;
}
