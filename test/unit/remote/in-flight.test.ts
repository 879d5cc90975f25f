/** The limit finds what an address takes, on a simulated engine whose throughput has a known end. */
import { expect, test } from "vitest";
import { InFlightLimit } from "../../../server/remote/in-flight.ts";

/** Runs requests against an address that works on `capacity` at once, each taking 100 ms; returns the limit at the end. */
function settle(
  limit: InFlightLimit,
  capacity: number,
  rounds: number,
  demand = Number.POSITIVE_INFINITY,
): number {
  let now = 1;
  for (let round = 0; round < rounds; round++) {
    const wanted = Math.min(limit.limit, demand);
    for (let one = 1; one <= wanted; one++) limit.started(one, now);
    // What is beyond the capacity waits for its turn.
    now += 100 * Math.max(1, wanted / capacity);
    for (let one = 0; one < wanted; one++) limit.finished(1, now);
  }
  return limit.limit;
}

test("one engine keeps about the first limit", () => {
  expect(settle(new InFlightLimit(), 4, 200)).toBeLessThanOrEqual(6);
});
test("a balancer before many engines gets as many requests as they take together", () => {
  const limit = settle(new InFlightLimit(), 32, 200);
  expect(limit).toBeGreaterThanOrEqual(29);
  expect(limit).toBeLessThanOrEqual(54);
});
test("it does not climb while too little is asked for to tell", () => {
  expect(settle(new InFlightLimit(), 32, 200, 2)).toBe(4);
});
test("engines that join later are found", () => {
  const limit = new InFlightLimit();
  const before = settle(limit, 4, 100);
  expect(settle(limit, 64, 400)).toBeGreaterThan(4 * before);
});
test("a limit that the user set stays", () => {
  const limit = new InFlightLimit(3);
  expect(settle(limit, 64, 100)).toBe(3);
  limit.reset();
  expect(limit.limit).toBe(3);
});
test("one that failed starts small again", () => {
  const limit = new InFlightLimit();
  settle(limit, 64, 200);
  limit.reset();
  expect(limit.limit).toBe(4);
});
