/**
 * From rewards to probabilities: logistic regression on one variable (Platt 1999), and how honest the result is.
 * Pure functions. A reward is comparable only within its model; a probability is what a person can read.
 */
import { mean, seeded } from "./statistics.ts";

/** `sigmoid(slope · reward + intercept)` is the chance of being right. */
export interface Calibration {
  readonly slope: number;
  readonly intercept: number;
}

/** A scored sample whose outcome is known. */
export interface LabelledReward {
  /** Samples of one problem stay together in the folds. */
  readonly problem: number;
  readonly reward: number;
  readonly passed: boolean;
  /** How much it counts; 1 where nothing was reweighted. */
  readonly weight: number;
}

/** A prediction with its outcome. */
export interface Prediction {
  readonly probability: number;
  readonly passed: boolean;
  readonly weight: number;
}

export interface ReliabilityBin {
  /** Predictions from `from` to below `to` (the last to 1 itself). */
  readonly from: number;
  readonly to: number;
  readonly samples: number;
  /** Mean prediction of the bin; null in an empty one. */
  readonly predicted: number | null;
  /** Share of them that passed. */
  readonly right: number | null;
}

export interface Reliability {
  readonly samples: number;
  /** Mean distance of predicted and right over the bins, each by its share of the samples' weight. */
  readonly expected_calibration_error: number;
  /** Mean squared difference of prediction and outcome. */
  readonly brier: number;
  readonly bins: readonly ReliabilityBin[];
}

/** Tenths: enough to see a bend, and some hundred samples still fill them. */
const BINS = 10;
/** Weight of the prior on the slope of standardised rewards: one sample's worth, which keeps separable sets finite. */
const RIDGE = 1;
const NEWTON_STEPS = 100;
const FOLDS = 5;

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

export function probabilityOf({ slope, intercept }: Calibration, reward: number): number {
  return sigmoid(slope * reward + intercept);
}

/**
 * The most likely slope and intercept, with a little regularisation of the slope; one half for everything without samples.
 * Newton's method on the standardised reward, halving steps that make it worse.
 */
export function fitCalibration(samples: readonly LabelledReward[]): Calibration {
  if (samples.length === 0) return { slope: 0, intercept: 0 };
  const centre = mean(samples.map((sample) => sample.reward));
  const spread = Math.sqrt(mean(samples.map((sample) => (sample.reward - centre) ** 2))) || 1;
  const points = samples.map(({ reward, passed, weight }) => ({
    x: (reward - centre) / spread,
    y: passed ? 1 : 0,
    w: weight,
  }));
  const loss = (a: number, b: number): number =>
    points.reduce(
      (sum, { x, y, w }) => sum + w * (softplus(a * x + b) - y * (a * x + b)),
      (RIDGE / 2) * a * a,
    );
  const [right, all] = [weightOf(samples.filter((sample) => sample.passed)), weightOf(samples)];
  let [a, b] = [0, Math.log((right + 0.5) / (all - right + 0.5))];
  let best = loss(a, b);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    let [ga, gb, haa, hab, hbb] = [RIDGE * a, 0, RIDGE, 0, 0];
    for (const { x, y, w } of points) {
      const p = sigmoid(a * x + b);
      const curve = w * p * (1 - p);
      ga += w * (p - y) * x;
      gb += w * (p - y);
      haa += curve * x * x;
      hab += curve * x;
      hbb += curve;
    }
    const determinant = haa * hbb - hab * hab;
    if (!(determinant > 0)) break;
    let [da, db] = [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant];
    let next = loss(a - da, b - db);
    while (next > best && Math.abs(da) + Math.abs(db) > 1e-12) {
      [da, db] = [da / 2, db / 2];
      next = loss(a - da, b - db);
    }
    if (!(next < best)) break;
    [a, b, best] = [a - da, b - db, next];
  }
  return { slope: a / spread, intercept: b - (a * centre) / spread };
}

/** Predictions for each sample by a fit on the other folds' problems: what the fit would say of new problems. */
export function heldOutPredictions(samples: readonly LabelledReward[]): Prediction[] {
  const problems = shuffled([...new Set(samples.map((sample) => sample.problem))]);
  const foldOf = new Map(problems.map((problem, index) => [problem, index % FOLDS]));
  return Array.from({ length: FOLDS }, (_, fold) => {
    const inFold = (sample: LabelledReward): boolean => foldOf.get(sample.problem) === fold;
    const calibration = fitCalibration(samples.filter((sample) => !inFold(sample)));
    return samples
      .filter(inFold)
      .map(({ reward, ...rest }) => ({ ...rest, probability: probabilityOf(calibration, reward) }));
  }).flat();
}

/** How predictions and outcomes agree. */
export function reliabilityOf(predictions: readonly Prediction[]): Reliability {
  const bins = Array.from({ length: BINS }, (_, bin): ReliabilityBin & { weight: number } => {
    const inside = predictions.filter(
      ({ probability }) => Math.min(BINS - 1, Math.floor(probability * BINS)) === bin,
    );
    const some = inside.length > 0;
    return {
      from: bin / BINS,
      to: (bin + 1) / BINS,
      samples: inside.length,
      weight: weightOf(inside),
      predicted: some ? weighted(inside, (one) => one.probability) : null,
      right: some ? weighted(inside, (one) => Number(one.passed)) : null,
    };
  });
  const all = weightOf(predictions);
  return {
    samples: predictions.length,
    expected_calibration_error: bins.reduce(
      (sum, { weight, predicted, right }) =>
        predicted === null || right === null ? sum : sum + (weight / all) * Math.abs(predicted - right),
      0,
    ),
    brier: weighted(predictions, ({ probability, passed }) => (probability - Number(passed)) ** 2),
    bins: bins.map(({ weight: _, ...bin }) => bin),
  };
}

/**
 * The samples with weights under which right and wrong ones of a problem count the same, as if a candidate's chance
 * were one half before it is read. For sets whose share of right samples was chosen by who made them. Problems with one
 * outcome only are left out.
 */
export function balanced<Sample extends { readonly problem: number; readonly passed: boolean }>(
  samples: readonly Sample[],
): (Sample & { readonly weight: number })[] {
  const counts = new Map<number, { right: number; wrong: number }>();
  for (const { problem, passed } of samples) {
    const count = counts.get(problem) ?? { right: 0, wrong: 0 };
    count[passed ? "right" : "wrong"]++;
    counts.set(problem, count);
  }
  return samples.flatMap((sample) => {
    const { right = 0, wrong = 0 } = counts.get(sample.problem) ?? {};
    if (right === 0 || wrong === 0) return [];
    return [{ ...sample, weight: (right + wrong) / (2 * (sample.passed ? right : wrong)) }];
  });
}

function weightOf(samples: readonly { readonly weight: number }[]): number {
  return samples.reduce((sum, { weight }) => sum + weight, 0);
}

function weighted<Sample extends { readonly weight: number }>(
  samples: readonly Sample[],
  value: (sample: Sample) => number,
): number {
  return samples.reduce((sum, sample) => sum + sample.weight * value(sample), 0) / weightOf(samples);
}

/** ln(1 + e^x) without overflow. */
function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** The values in an order that is the same in every run. */
export function shuffled(values: readonly number[]): number[] {
  const random = seeded(2);
  return values
    .map((value) => ({ value, key: random() }))
    .sort((x, y) => x.key - y.key)
    .map(({ value }) => value);
}
