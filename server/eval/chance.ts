/**
 * From a score to a chance: `ceiling · sigmoid(slope · score + intercept)`. The ceiling is what separates this from
 * Platt's calibration: no judge that only reads code is ever certain, and without it the highest scores promise too
 * much. Pure.
 */

export interface Chance {
  readonly slope: number;
  readonly intercept: number;
  readonly ceiling: number;
}

export interface ScoredOutcome {
  readonly score: number;
  readonly passed: boolean;
  readonly weight: number;
}

/** Upper asymptotes that are tried. */
const CEILINGS = Array.from({ length: 17 }, (_, index) => 1 - index * 0.03);
const STEPS = 60;
/** Keeps separable sets finite: one sample's worth. */
const RIDGE = 1;
/** No outcome is held for impossible. */
const LEAST = 1e-6;

export function chanceOf({ slope, intercept, ceiling }: Chance, score: number): number {
  return ceiling / (1 + Math.exp(-(slope * score + intercept)));
}

/** The likeliest chance; one half for everything without samples. */
export function fitChance(samples: readonly ScoredOutcome[]): Chance {
  if (samples.length === 0) return { slope: 0, intercept: 0, ceiling: 1 };
  let best: { readonly chance: Chance; readonly loss: number } | undefined;
  for (const ceiling of CEILINGS) {
    const chance = fitBelow(samples, ceiling);
    const loss = lossOf(samples, chance);
    if (!best || loss < best.loss) best = { chance, loss };
  }
  return best?.chance ?? { slope: 0, intercept: 0, ceiling: 1 };
}

/** Fisher scoring on the standardised score, halving steps that make it worse. */
function fitBelow(samples: readonly ScoredOutcome[], ceiling: number): Chance {
  const all = samples.reduce((sum, { weight }) => sum + weight, 0);
  const centre = samples.reduce((sum, { score, weight }) => sum + weight * score, 0) / all;
  const spread =
    Math.sqrt(samples.reduce((sum, { score, weight }) => sum + weight * (score - centre) ** 2, 0) / all) || 1;
  const toChance = (a: number, b: number): Chance => ({
    slope: a / spread,
    intercept: b - (a * centre) / spread,
    ceiling,
  });
  const right = samples.reduce((sum, { passed, weight }) => sum + (passed ? weight : 0), 0) / all;
  const share = Math.min(0.98, Math.max(0.02, right / ceiling));
  let [a, b] = [0, Math.log(share / (1 - share))];
  const lossAt = (slope: number, intercept: number) =>
    lossOf(samples, toChance(slope, intercept)) + (RIDGE / 2) * slope * slope;
  let best = lossAt(a, b);
  for (let step = 0; step < STEPS; step++) {
    let [ga, gb, haa, hab, hbb] = [-RIDGE * a, 0, RIDGE, 0, 0];
    for (const { score, passed, weight } of samples) {
      const x = (score - centre) / spread;
      const s = 1 / (1 + Math.exp(-(a * x + b)));
      const p = Math.min(1 - LEAST, Math.max(LEAST, ceiling * s));
      const rate = ceiling * s * (1 - s);
      const pull = (weight * (Number(passed) - p) * rate) / (p * (1 - p));
      const curve = (weight * rate * rate) / (p * (1 - p));
      ga += pull * x;
      gb += pull;
      haa += curve * x * x;
      hab += curve * x;
      hbb += curve;
    }
    const determinant = haa * hbb - hab * hab;
    if (!(determinant > 0)) break;
    let [da, db] = [(hbb * ga - hab * gb) / determinant, (haa * gb - hab * ga) / determinant];
    let next = lossAt(a + da, b + db);
    while (next > best && Math.abs(da) + Math.abs(db) > 1e-9) {
      [da, db] = [da / 2, db / 2];
      next = lossAt(a + da, b + db);
    }
    if (!(next < best - 1e-9)) break;
    [a, b, best] = [a + da, b + db, next];
  }
  return toChance(a, b);
}

function lossOf(samples: readonly ScoredOutcome[], chance: Chance): number {
  return samples.reduce((sum, { score, passed, weight }) => {
    const p = Math.min(1 - LEAST, Math.max(LEAST, chanceOf(chance, score)));
    return sum - weight * Math.log(passed ? p : 1 - p);
  }, 0);
}
