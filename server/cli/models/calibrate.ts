/** `codescaler models calibrate`: fits a model's probability to samples whose outcome is known. */
import { ServiceError } from "../../errors.ts";
import {
  fitCalibration,
  heldOutPredictions,
  type LabelledReward,
  type Reliability,
  reliabilityOf,
} from "../../eval/calibration.ts";
import { forgetCalibration, keepCalibration } from "../../models/calibrations.ts";
import { findModel } from "../../models/find-model.ts";
import { readTokenizerFile } from "../../models/read-model.ts";
import { ENGINE_ARGS, ENGINE_USAGE, engineOptions } from "../engine-options.ts";
import { judgeFile, labelledOf, predictionsOf, reliabilityTable } from "../eval/calibration.ts";
import { readArgs, UsageError } from "../usage.ts";
import { print } from "./output.ts";

export const usage = `Usage: codescaler models calibrate MODEL FILE.jsonl [options]
       codescaler models calibrate MODEL --forget

Fits probability = sigmoid(slope · reward + intercept) on judged samples, the lines of eval best-of-n, and keeps it
beside the models for this very file; the next time the model is loaded, replies have it as "probability". Says how
honest the probabilities were before, and would be on problems that the fit has not seen (five folds).

  --balanced     right and wrong samples of a problem weigh the same: for sets whose share of right samples was chosen
  --forget       back to the calibration that the model came with
  --limit K      only the first K problems
  --resume FILE  keep results line by line there, and go on from what it holds
${ENGINE_USAGE.split("\n").slice(1).join("\n")}
  --json         print one JSON document`;

/** Fewer say too little: the ends of the scale would rest on a handful of samples. */
const LEAST = { problems: 20, right: 50, wrong: 50 } as const;

export async function run(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, {
    ...ENGINE_ARGS,
    balanced: { type: "boolean", default: false },
    forget: { type: "boolean", default: false },
    limit: { type: "string" },
    resume: { type: "string" },
    json: { type: "boolean", default: false },
  });
  const [model, file, ...others] = positionals;
  if (model === undefined || others.length > 0 || (file === undefined) !== values.forget) {
    throw new UsageError("models calibrate needs a model and a FILE.jsonl, or a model and --forget.");
  }
  if (values.model !== undefined) throw new UsageError("models calibrate takes its model without --model.");
  const { id, path } = await findModel(model, engineOptions(values).remote !== undefined);
  const facts = await readTokenizerFile(path);
  if (file === undefined) {
    await forgetCalibration(facts);
    print(values.json, { id, forgotten: true }, `${id} has the calibration it came with, or none.`);
    return 0;
  }
  const { outcomes } = await judgeFile(file, { ...values, model }, false);
  const samples = labelledOf(outcomes, values.balanced);
  requireEnough(file, samples);
  const { slope, intercept } = fitCalibration(samples);
  if (slope <= 0) {
    throw new ServiceError(
      "invalid_request",
      `On ${file} higher rewards of ${id} are not right more often, so no probability can be read from them. Use another model, or check the labels.`,
    );
  }
  const predictions = predictionsOf(samples);
  const before = predictions.length === 0 ? null : reliabilityOf(predictions);
  const heldOut = reliabilityOf(heldOutPredictions(samples));
  const problems = new Set(samples.map((sample) => sample.problem)).size;
  const kept = await keepCalibration(facts, { slope, intercept, problems, samples: samples.length });
  const right = samples.filter((sample) => sample.passed).length;
  print(
    values.json,
    { id, slope, intercept, problems, samples: samples.length, right, before, held_out: heldOut, path: kept },
    `${id}: slope ${slope.toFixed(4)}, intercept ${intercept.toFixed(4)}, from ${samples.length} samples of ${problems} problems (${right} right)\n` +
      `expected calibration error: ${before === null ? "no calibration" : before.expected_calibration_error.toFixed(3)} before, ` +
      `${heldOut.expected_calibration_error.toFixed(3)} on held-out problems now\n` +
      `${reliabilityTable(columns(before, heldOut))}\nkept in ${kept}`,
  );
  return 0;
}

function columns(before: Reliability | null, heldOut: Reliability): [string, Reliability][] {
  const after: [string, Reliability] = ["right, now", heldOut];
  return before === null ? [after] : [["right, before", before], after];
}

function requireEnough(file: string, samples: readonly LabelledReward[]): void {
  const right = samples.filter((sample) => sample.passed).length;
  const wrong = samples.length - right;
  const problems = new Set(samples.map((sample) => sample.problem)).size;
  if (problems >= LEAST.problems && right >= LEAST.right && wrong >= LEAST.wrong) return;
  throw new ServiceError(
    "invalid_request",
    `${file} has ${right} right and ${wrong} wrong samples with a valid program, of ${problems} problems; ` +
      `a calibration needs at least ${LEAST.right} and ${LEAST.wrong}, of ${LEAST.problems} problems. Add more.`,
  );
}
