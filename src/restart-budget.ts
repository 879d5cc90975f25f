/** When a process that ended by itself is started again, and when that is given up. Pure. */

/** This many starts in the window are a crash loop: more would only heat the machine. */
export const MAX_RESTARTS = 4;
export const WINDOW_MS = 5 * 60_000;
const FIRST_DELAY_MS = 500;

/**
 * @param ends times at which it ended by itself, the present one included, in milliseconds
 * @returns how long to wait before the next start; undefined = give up
 */
export function restartDelay(ends: readonly number[], now: number): number | undefined {
  const recent = ends.filter((end) => now - end < WINDOW_MS).length;
  return recent > MAX_RESTARTS ? undefined : FIRST_DELAY_MS * 2 ** (recent - 1);
}
