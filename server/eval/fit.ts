/**
 * Fits the combination of signals on judged samples: which of them help to pick within a problem, with which weights,
 * and which chance goes with the result. Everything that is claimed of a fit is measured on problems it has not seen.
 * Pure.
 */
import { combinedScore, FEATURES, type Feature, type Features, type TaskFit } from "../ranking/fit.ts";
import { type Chance, chanceOf, fitChance } from "./chance.ts";
import { type Prediction, type Reliability, reliabilityOf, shuffled } from "./fit-calibration.ts";
import { fitLogistic, logisticLoss, type Row } from "./logistic.ts";
import { bestOfN, bootstrapMean, type Estimate, mean } from "./statistics.ts";

/** One program of a problem: valid, judged, and the outcome that nothing of it can see. */
export interface FitCandidate {
  readonly features: Features;
  readonly passed: boolean;
  /** Samples that are this program. */
  readonly samples: number;
}

export interface FitProblem {
  readonly candidates: readonly FitCandidate[];
  /** Samples that are no valid program; none of them is picked while there is one that is. */
  readonly invalid: number;
}

export interface FitReport {
  readonly fit: TaskFit;
  /** On held-out problems: a random sample, the pick of the combination, the best that any pick could be. */
  readonly random: Estimate;
  readonly combined: Estimate;
  readonly oracle: Estimate;
  /** Each feature alone. */
  readonly alone: Readonly<Partial<Record<Feature, Estimate>>>;
  /** Of the chances, on held-out problems. */
  readonly reliability: Reliability;
  /** Why there is no chance; null where there is one. */
  readonly why_no_probability: string | null;
}

const FOLDS = 5;
/** Weight of the prior that a weight is 0, in problems. */
const RIDGE = 1;
/** Chances hold when they are this close to what came true, on average. */
const LARGEST_ERROR = 0.05;
/** Of candidates with a chance of this much … */
const CONFIDENT = 0.8;
/** … at least this share must be right. */
const CONFIDENT_RIGHT = 0.7;

/** Fits weights and chance, and says what both are worth on held-out problems. */
export function fitCombination(problems: readonly FitProblem[]): FitReport {
  const selected = select(problems);
  const fit = fitOn(problems, selected);
  const folds = foldsOf(problems);
  const heldOut = folds.flatMap(({ train, test }) => {
    const own = fitOn(train, selected);
    return test.map((problem) => ({ problem, own }));
  });
  const predictions = heldOut.flatMap(({ problem, own }) =>
    problem.candidates.map(
      ({ features, passed, samples }): Prediction => ({
        probability: chanceOf(own.probability, combinedScore(own, features)),
        passed,
        weight: samples,
      }),
    ),
  );
  const reliability = reliabilityOf(predictions);
  const why = defectOf(reliability, predictions);
  return {
    fit: { ...fit, probability: why === null ? fit.probability : null },
    random: bootstrapMean(problems.map(randomPick)),
    combined: bootstrapMean(
      heldOut.map(({ problem, own }) => pick(problem, (one) => combinedScore(own, one))),
    ),
    oracle: bootstrapMean(problems.map(({ candidates }) => Number(candidates.some(({ passed }) => passed)))),
    alone: Object.fromEntries(
      knownFeatures(problems).map((name) => [
        name,
        bootstrapMean(problems.map((problem) => pick(problem, (one) => one[name] ?? 0))),
      ]),
    ),
    reliability,
    why_no_probability: why,
  };
}

/** A fit with a chance, whatever that is worth. */
type Fitted = Omit<TaskFit, "probability"> & { readonly probability: Chance };

/**
 * Forward selection: the feature that lowers the loss on held-out problems most is added while it does so by more than
 * the standard error of the difference.
 */
function select(problems: readonly FitProblem[]): Feature[] {
  const chosen: Feature[] = [];
  let losses = heldOutLosses(problems, chosen);
  for (;;) {
    let best: { feature: Feature; losses: number[]; gain: number } | undefined;
    for (const feature of knownFeatures(problems)) {
      if (chosen.includes(feature)) continue;
      const next = heldOutLosses(problems, [...chosen, feature]);
      const differences = losses.map((loss, index) => loss - (next[index] ?? loss));
      const gain = mean(differences) - standardError(differences);
      if (gain > (best?.gain ?? 0)) best = { feature, losses: next, gain };
    }
    if (!best) return chosen;
    chosen.push(best.feature);
    losses = best.losses;
  }
}

/** Mean loss of each problem's pairs, by a fit on other problems. In the order of the folds. */
function heldOutLosses(problems: readonly FitProblem[], features: readonly Feature[]): number[] {
  return foldsOf(problems).flatMap(({ train, test }) => {
    const beta = fitLogistic(
      train.flatMap((problem) => pairs(problem, features)),
      ridges(features.length),
    );
    return test.flatMap((problem) => {
      const rows = pairs(problem, features);
      return rows.length === 0 ? [] : [logisticLoss(rows, beta)];
    });
  });
}

function fitOn(problems: readonly FitProblem[], features: readonly Feature[]): Fitted {
  const beta = fitLogistic(
    problems.flatMap((problem) => pairs(problem, features)),
    ridges(features.length),
  );
  const weights = Object.fromEntries(features.map((name, index) => [name, round(beta[index] ?? 0)]));
  const scored = problems.flatMap(({ candidates }) =>
    candidates.map(({ features: own, passed, samples }) => ({
      score: combinedScore({ weights }, own),
      passed,
      weight: samples,
    })),
  );
  return {
    weights,
    probability: rounded(fitChance(scored)),
    problems: problems.length,
    samples: problems.reduce((sum, problem) => sum + sizeOf(problem), 0),
  };
}

/** The pairs of a problem as rows of a regression without intercept: right minus wrong. Each problem counts once. */
function pairs({ candidates }: FitProblem, features: readonly Feature[]): Row[] {
  const right = candidates.filter(({ passed }) => passed);
  const wrong = candidates.filter(({ passed }) => !passed);
  const weight = 1 / (right.length * wrong.length);
  return right.flatMap((good) =>
    wrong.map((bad) => ({
      x: features.map((name) => (good.features[name] ?? 0) - (bad.features[name] ?? 0)),
      y: 1,
      weight,
    })),
  );
}

/** What is wrong with chances; null where they hold. */
function defectOf(reliability: Reliability, predictions: readonly Prediction[]): string | null {
  const error = reliability.expected_calibration_error;
  if (error > LARGEST_ERROR) {
    return `The expected calibration error on held-out problems is ${error.toFixed(3)}, more than ${LARGEST_ERROR}.`;
  }
  const confident = predictions.filter(({ probability }) => probability >= CONFIDENT);
  const all = confident.reduce((sum, { weight }) => sum + weight, 0);
  const right = confident.reduce((sum, { weight, passed }) => sum + (passed ? weight : 0), 0);
  return all > 0 && right / all < CONFIDENT_RIGHT
    ? `Of candidates with a chance of ${CONFIDENT} and more only ${(right / all).toFixed(2)} are right.`
    : null;
}

/** Probability that the pick is right; candidates with the same score share it, invalid ones come last. */
function pick({ candidates, invalid }: FitProblem, score: (features: Features) => number): number {
  const samples = candidates.map(({ features, passed }) => ({ score: score(features), passed }));
  if (samples.length === 0) return invalid > 0 ? 0 : Number.NaN;
  return bestOfN(samples, samples.length);
}

function randomPick(problem: FitProblem): number {
  const right = problem.candidates.reduce((sum, { passed, samples }) => sum + (passed ? samples : 0), 0);
  return right / sizeOf(problem);
}

function sizeOf({ candidates, invalid }: FitProblem): number {
  return candidates.reduce((sum, { samples }) => sum + samples, invalid);
}

/** Features that every candidate has. */
function knownFeatures(problems: readonly FitProblem[]): Feature[] {
  return FEATURES.filter((name) =>
    problems.every(({ candidates }) => candidates.every(({ features }) => features[name] !== undefined)),
  );
}

function foldsOf(problems: readonly FitProblem[]) {
  const order = shuffled(problems.map((_, index) => index));
  return Array.from({ length: FOLDS }, (_, fold) => {
    const inFold = new Set(order.filter((_, place) => place % FOLDS === fold));
    return {
      train: problems.filter((_, index) => !inFold.has(index)),
      test: problems.filter((_, index) => inFold.has(index)),
    };
  });
}

function ridges(count: number): number[] {
  return new Array<number>(count).fill(RIDGE);
}

function standardError(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - centre) ** 2)) / Math.max(1, values.length - 1));
}

function rounded({ slope, intercept, ceiling }: Chance): Chance {
  return { slope: round(slope), intercept: round(intercept), ceiling: round(ceiling) };
}

/** Four significant digits: more would claim what the samples do not hold. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}
