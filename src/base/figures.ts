/** Figures as people read them. Pure. */

/** A fraction as a whole percentage. */
export function percent(fraction: number): number {
  return Math.round(fraction * 100);
}
