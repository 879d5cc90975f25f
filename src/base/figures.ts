/** Figures as people read them. Pure. */

/** A fraction as a whole percentage. */
export function percent(fraction: number): number {
  return Math.round(fraction * 100);
}

/** Milliseconds in whole seconds, at least one. */
export function seconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1000));
}
