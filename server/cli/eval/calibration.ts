/** `codescaler eval calibration`: how honest a model's probabilities are on judged samples. */
import { ServiceError } from "../../errors.ts";
import { judgeProblem, type ProblemOutcome } from "../../eval/best-of-n.ts";
import { problem, readProblems } from "../../eval/evaluation-sets.ts";
import {
  balanced,
  type LabelledReward,
  type Prediction,
  type Reliability,
  reliabilityOf,
} from "../../eval/fit-calibration.ts";
import { plotReliability } from "../../eval/plot-reliability.ts";
import { print } from "../models/output.ts";
import { formatTable } from "../table.ts";
import { type ItemsValues, limited, overItems, writePlot } from "./items.ts";

interface CalibrationValues extends ItemsValues {
  readonly limit?: string | undefined;
  readonly plot?: string | undefined;
  readonly balanced: boolean;
  readonly json: boolean;
}

export async function evalCalibration(file: string, values: CalibrationValues): Promise<number> {
  if (values.plot !== undefined) await writePlot(values.plot, "");
  const { outcomes, seconds, model } = await judgeFile(file, values, true);
  const predictions = predictionsOf(labelledOf(outcomes, values.balanced));
  if (predictions.length === 0) {
    throw new ServiceError(
      "invalid_request",
      `${file} has no sample that counts${values.balanced ? ": --balanced needs problems with right and wrong ones" : ""}.`,
    );
  }
  const result = {
    problems: outcomes.length,
    unscored: outcomes.flatMap((one) => one.rewards).filter((reward) => reward === null).length,
    right: predictions.filter((one) => one.passed).length,
    ...reliabilityOf(predictions),
    seconds,
  };
  if (values.plot !== undefined) {
    await writePlot(values.plot, plotReliability(result, `Probabilities of ${model}`));
  }
  print(
    values.json,
    result,
    `${model}: ${result.samples} samples of ${result.problems} problems, ${result.right} right, ${result.unscored} without a valid program\n` +
      `expected calibration error ${result.expected_calibration_error.toFixed(3)}, Brier score ${result.brier.toFixed(3)}\n` +
      reliabilityTable([["right", result]]),
  );
  return 0;
}

/**
 * Rewards and probabilities of all samples of a file with judged samples.
 * @param calibrated refuse a model without probabilities at its first problem, not after all of them
 */
export async function judgeFile(
  file: string,
  values: ItemsValues & { readonly limit?: string | undefined },
  calibrated: boolean,
): Promise<{
  readonly outcomes: readonly ProblemOutcome[];
  readonly seconds: number;
  readonly model: string;
}> {
  const problems = limited(await readProblems(file, problem), values.limit);
  const { results, seconds, model } = await overItems(
    file,
    calibrated ? "probabilities" : "rewards",
    problems,
    values,
    (one, scorer, syntax, signal) => {
      const fitted = scorer.fit?.["prefix" in one.task ? "cursor" : "question"];
      if (calibrated && (fitted ? fitted.probability : scorer.probability(0)) === null) {
        throw new ServiceError(
          "invalid_request",
          `${scorer.identity.id} has no calibration. "codescaler models fit ${scorer.identity.id} ${file}" fits one.`,
        );
      }
      return judgeProblem(one, scorer, syntax, signal);
    },
  );
  return { outcomes: results, seconds, model };
}

/** Rewards, probabilities and outcomes of all samples with a valid program. */
export function labelledOf(outcomes: readonly ProblemOutcome[], equally: boolean): LabelledSample[] {
  const samples = outcomes.flatMap((one, problem) =>
    one.rewards.flatMap((reward, index) => {
      const passed = one.outcomes[index] ?? false;
      const probability = one.probabilities[index] ?? null;
      return reward === null ? [] : [{ problem, reward, probability, passed, weight: 1 }];
    }),
  );
  return equally ? balanced(samples) : samples;
}

type LabelledSample = LabelledReward & { readonly probability: number | null };

/** Those of them that have a probability. */
export function predictionsOf(samples: readonly LabelledSample[]): Prediction[] {
  return samples.flatMap(({ probability, ...rest }) =>
    probability === null ? [] : [{ ...rest, probability }],
  );
}

/** One line a tenth, with the share that was right for each of the named reliabilities. */
export function reliabilityTable(columns: readonly (readonly [name: string, of: Reliability])[]): string {
  const bins = columns[0]?.[1].bins ?? [];
  const cell = (value: number | null | undefined, samples: number | undefined): string =>
    value === null || value === undefined ? "–" : `${value.toFixed(2)} of ${samples}`;
  const rows = bins.map(({ from, to }, index) => [
    `${from.toFixed(1)} to ${to.toFixed(1)}`,
    ...columns.map(([, { bins: own }]) => cell(own[index]?.right, own[index]?.samples)),
  ]);
  return formatTable(["predicted", ...columns.map(([name]) => name)], rows);
}
