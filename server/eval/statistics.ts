/** Statistics of picking one sample of several. Pure functions; fractions are 0 to 1. */

/** A sample as a picker sees it, with the outcome it cannot see. */
export interface JudgedSample {
  /** What it is picked by; -Infinity for what must never win. */
  readonly score: number;
  readonly passed: boolean;
}

/** An estimate with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Probability that the best-scored of `n` samples, drawn without replacement, passed. Exact: the i-th best of N
 * wins with probability C(N−i, n−1) / C(N, n). Equal scores share their places.
 */
export function bestOfN(samples: readonly JudgedSample[], n: number): number {
  const total = samples.length;
  if (n < 1 || n > total) throw new RangeError(`best of ${n} of ${total} samples`);
  const sorted = [...samples].sort((a, b) => b.score - a.score);
  let expected = 0;
  let index = 0;
  while (index < total) {
    let end = index;
    while (end < total && sorted[end]?.score === sorted[index]?.score) end++;
    const share = mean(sorted.slice(index, end).map((sample) => Number(sample.passed)));
    for (let place = index; place < end; place++) expected += share * winsFrom(place, total, n);
    index = end;
  }
  return expected;
}

/** Probability that the sample at a place (0 = best) is the best of a random subset of n. */
function winsFrom(place: number, total: number, n: number): number {
  // C(total-1-place, n-1) / C(total, n), as a product that stays small.
  if (total - 1 - place < n - 1) return 0;
  let probability = n / total;
  for (let step = 0; step < n - 1; step++) probability *= (total - 1 - place - step) / (total - 1 - step);
  return probability;
}

/** (passed, failed) pairs of one problem, and how many have the passed one higher; ties count half. */
export interface Pairs {
  readonly won: number;
  readonly pairs: number;
}

export function pairsOf(samples: readonly JudgedSample[]): Pairs {
  const failed = samples.filter((sample) => !sample.passed);
  let won = 0;
  let pairs = 0;
  for (const good of samples) {
    if (!good.passed) continue;
    for (const bad of failed) {
      pairs++;
      won += good.score > bad.score ? 1 : good.score === bad.score ? 0.5 : 0;
    }
  }
  return { won, pairs };
}

/** Share of the pairs of all problems that are won. NaN without pairs. */
export function pairwiseAccuracy(problems: readonly Pairs[]): number {
  const sum = (count: (one: Pairs) => number): number =>
    problems.reduce((total, one) => total + count(one), 0);
  return sum((one) => one.won) / sum((one) => one.pairs);
}

/** Area under the ROC curve over all samples together (Mann–Whitney U, ties count half). NaN without both outcomes. */
export function areaUnderCurve(samples: readonly JudgedSample[]): number {
  const sorted = [...samples].sort((a, b) => a.score - b.score);
  const passed = samples.filter((sample) => sample.passed).length;
  const failed = samples.length - passed;
  if (passed === 0 || failed === 0) return Number.NaN;
  let rankSum = 0;
  let index = 0;
  while (index < sorted.length) {
    let end = index;
    while (end < sorted.length && sorted[end]?.score === sorted[index]?.score) end++;
    const rank = (index + 1 + end) / 2;
    for (let place = index; place < end; place++) if (sorted[place]?.passed) rankSum += rank;
    index = end;
  }
  return (rankSum - (passed * (passed + 1)) / 2) / (passed * failed);
}

/** Resamples of the bootstrap: enough that the third digit of an interval is steady. */
const RESAMPLES = 2000;

/** Mean with a 95 % percentile bootstrap interval over the values (problems); the same in every run. */
export function bootstrapMean(values: readonly number[]): Estimate {
  const random = seeded(1);
  const means = Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw++) sum += values[Math.floor(random() * values.length)] ?? 0;
    return sum / values.length;
  }).sort((a, b) => a - b);
  const at = (share: number) => means[Math.min(RESAMPLES - 1, Math.floor(share * RESAMPLES))] ?? Number.NaN;
  return { value: mean(values), low: at(0.025), high: at(0.975) };
}

/**
 * Any statistic of problems with its 95 % percentile bootstrap interval; the same in every run. NaN throughout where
 * it has no value.
 * @param resamples fewer for what is slow to compute
 */
export function bootstrap<Problem>(
  problems: readonly Problem[],
  statistic: (drawn: readonly Problem[]) => number,
  resamples: number = RESAMPLES,
): Estimate {
  const random = seeded(1);
  const values = Array.from({ length: resamples }, () =>
    statistic(problems.map((one) => problems[Math.floor(random() * problems.length)] ?? one)),
  )
    .filter((value) => !Number.isNaN(value))
    .sort((a, b) => a - b);
  const at = (share: number): number =>
    values[Math.min(values.length - 1, Math.floor(share * values.length))] ?? Number.NaN;
  return { value: statistic(problems), low: at(0.025), high: at(0.975) };
}

/** Mulberry32: figures must be the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
