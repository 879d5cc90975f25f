/** Logistic regression with a ridge, by Newton's method. Pure. */

export interface Row {
  readonly x: readonly number[];
  /** 1 or 0. */
  readonly y: number;
  readonly weight: number;
}

const STEPS = 50;
const TOLERANCE = 1e-10;

/**
 * The coefficients that make the rows most likely.
 * @param ridge of each coefficient: the weight of the prior that it is 0
 */
export function fitLogistic(rows: readonly Row[], ridge: readonly number[]): number[] {
  const size = ridge.length;
  let beta = new Array<number>(size).fill(0);
  let best = logisticLoss(rows, beta, ridge);
  for (let step = 0; step < STEPS; step++) {
    const gradient = ridge.map((strength, index) => strength * (beta[index] ?? 0));
    const hessian = ridge.map((strength, index) => ridge.map((_, other) => (index === other ? strength : 0)));
    for (const { x, y, weight } of rows) {
      const p = 1 / (1 + Math.exp(-dot(x, beta)));
      const curve = weight * p * (1 - p);
      for (let i = 0; i < size; i++) {
        const xi = x[i] ?? 0;
        gradient[i] = (gradient[i] ?? 0) + weight * (p - y) * xi;
        const row = hessian[i];
        if (row) for (let j = 0; j < size; j++) row[j] = (row[j] ?? 0) + curve * xi * (x[j] ?? 0);
      }
    }
    const direction = solve(hessian, gradient);
    if (!direction) break;
    let length = 1;
    let next = beta.map((value, index) => value - (direction[index] ?? 0));
    let loss = logisticLoss(rows, next, ridge);
    while (loss > best && length > 1e-6) {
      length /= 2;
      next = beta.map((value, index) => value - length * (direction[index] ?? 0));
      loss = logisticLoss(rows, next, ridge);
    }
    if (!(loss < best - TOLERANCE)) break;
    [beta, best] = [next, loss];
  }
  return beta;
}

/** Negative log-likelihood with the ridge's penalty. */
export function logisticLoss(
  rows: readonly Row[],
  beta: readonly number[],
  ridge: readonly number[] = [],
): number {
  const penalty = ridge.reduce((sum, strength, index) => sum + (strength / 2) * (beta[index] ?? 0) ** 2, 0);
  return rows.reduce((sum, { x, y, weight }) => {
    const z = dot(x, beta);
    return sum + weight * (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - y * z);
  }, penalty);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

/** Gaussian elimination with pivoting; undefined for a singular matrix. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | undefined {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]?.[column] ?? 0) > Math.abs(rows[pivot]?.[column] ?? 0)) pivot = row;
    }
    const [chosen, other] = [rows[pivot], rows[column]];
    if (!chosen || !other || Math.abs(chosen[column] ?? 0) < 1e-12) return undefined;
    [rows[column], rows[pivot]] = [chosen, other];
    for (let row = 0; row < size; row++) {
      const current = rows[row];
      if (row === column || !current) continue;
      const factor = (current[column] ?? 0) / (chosen[column] ?? 1);
      for (let at = column; at <= size; at++) current[at] = (current[at] ?? 0) - factor * (chosen[at] ?? 0);
    }
  }
  return rows.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
}
