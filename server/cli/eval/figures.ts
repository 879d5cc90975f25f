/** Estimates with their intervals, as text. */
import type { Estimate } from "../../eval/statistics.ts";

export function percent({ value, low, high }: Estimate): string {
  return `${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
}

export function fraction(estimate: Estimate | null): string {
  return estimate === null ? "–" : percent(estimate);
}
