/** When a process that ended by itself is started again, and when that is given up. Pure. */
import { RankError } from "../ranking/server-client.ts";
import type { Exit } from "./server-process.ts";

/** This many starts in the window are a crash loop: more would only heat the machine. */
export const MAX_RESTARTS = 4;
export const WINDOW_MS = 5 * 60_000;
const FIRST_DELAY_MS = 500;
/** Exit codes by which the command line says that it refused, rather than that it broke. */
const REFUSED: readonly (number | null)[] = [1, 2];

/**
 * @param ends times at which it ended by itself, the present one included, in milliseconds
 * @returns how long to wait before the next start; undefined = give up
 */
export function restartDelay(ends: readonly number[], now: number): number | undefined {
  const recent = ends.filter((end) => now - end < WINDOW_MS).length;
  return recent > MAX_RESTARTS ? undefined : FIRST_DELAY_MS * 2 ** (recent - 1);
}

/** What follows an end. */
export type Sequel =
  /** It said what is wrong and did not crash: the same start would end the same way. */
  | { readonly kind: "refused"; readonly problem: RankError }
  /** It died too often. */
  | { readonly kind: "given up"; readonly problem: RankError }
  /** It is started again after so many milliseconds. */
  | { readonly kind: "again"; readonly problem: RankError; readonly delay: number };

/**
 * @param exit how a process ended that never served; undefined where it did
 * @param ends as for restartDelay
 */
export function afterEnd(
  problem: RankError,
  exit: Exit | undefined,
  ends: readonly number[],
  now: number,
): Sequel {
  if (exit && REFUSED.includes(exit.code)) return { kind: "refused", problem };
  const delay = restartDelay(ends, now);
  if (delay !== undefined) return { kind: "again", problem, delay };
  const { code, hint } = problem;
  const way = `It was restarted ${ends.length - 1} times; restart it by hand once the cause is gone.`;
  const whole = new RankError(code, `${problem.message} ${way}`, { cause: problem, hint });
  return { kind: "given up", problem: whole };
}
