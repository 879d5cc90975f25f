/** Two best-of-N runs on the same problems, side by side. */
import { z } from "zod";
import { ServiceError } from "../errors.ts";
import { bootstrapMean, type Estimate } from "./statistics.ts";

/** What of a run's JSON a comparison needs. */
export const comparableRun = z.object({
  best_of_n: z.number(),
  items: z.array(z.object({ id: z.string(), picked: z.number(), passed: z.boolean() })).min(1),
});
export interface ComparableRun {
  readonly best_of_n: number;
  readonly items: readonly { readonly id: string; readonly passed: boolean }[];
}

export interface Comparison {
  readonly problems: number;
  readonly a: number;
  readonly b: number;
  /** Paired difference b − a over the problems, bootstrapped. */
  readonly difference: Estimate;
  readonly only_a_right: number;
  readonly only_b_right: number;
}

/** @throws ServiceError invalid_request when the runs do not share their problems */
export function compareRuns(a: ComparableRun, b: ComparableRun): Comparison {
  const passedInB = new Map(b.items.map((item) => [item.id, item.passed]));
  const pairs = a.items.flatMap((item) => {
    const other = passedInB.get(item.id);
    return other === undefined ? [] : [{ a: item.passed, b: other }];
  });
  if (pairs.length !== a.items.length || pairs.length !== b.items.length) {
    throw new ServiceError(
      "invalid_request",
      `The runs are of different problems (${a.items.length} and ${b.items.length}, ${pairs.length} in common). Compare runs of the same file.`,
    );
  }
  return {
    problems: pairs.length,
    a: a.best_of_n,
    b: b.best_of_n,
    difference: bootstrapMean(pairs.map((pair) => Number(pair.b) - Number(pair.a))),
    only_a_right: pairs.filter((pair) => pair.a && !pair.b).length,
    only_b_right: pairs.filter((pair) => pair.b && !pair.a).length,
  };
}
