/** Every fault of the chaos once, with real processes. `node scripts/chaos.mjs` goes on for as long as you like. */
import { expect, test } from "vitest";
import { runChaos } from "./chaos.ts";
import { deeds } from "./schedule.ts";

/** A minute on a machine with nothing else to do; it is counted in rounds, so others just take longer. */
const TIMEOUT_MS = 40 * 60_000;

// It finds processes and their sizes in /proc.
test.runIf(process.platform === "linux")(
  "five windows lose no request, and nothing is left, whatever is killed, cut, filled or replaced",
  async () => {
    const all = deeds(false);
    const report = await runChaos({
      seed: 1,
      more: (rounds) => rounds < all.length,
      hang: false,
      say: () => {},
    });
    if (!report.deeds["disk"]) console.log("The full disk was left out: only root can make a small one.");
    expect(report.answered).toBeGreaterThanOrEqual(5 * all.length);
    // A step that nobody gets to any more proves nothing.
    const missed = Object.entries(report.deeds).filter(([, { happened }]) => happened === 0);
    expect(missed).toEqual([]);
  },
  TIMEOUT_MS,
);
