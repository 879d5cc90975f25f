import { describe, expect, it } from "vitest";
import type { Ranking } from "../../../../src/ranking/ranking.ts";
import { MAX_OUTCOMES, outcomeOf, summaryOf, withOutcome } from "../../../../src/statistics/outcomes.ts";
import { cursorIn } from "../cursor.ts";
import { candidateOf, replyOf } from "../reply.ts";

function rankingOf(change: Partial<Ranking> = {}): Ranking {
  return {
    id: "r1",
    kind: "completion",
    cursor: cursorIn("secret = █"),
    candidates: [
      { ...candidateOf("c1", "secret one"), arrivedMs: 100 },
      { ...candidateOf("c2", "secret two"), arrivedMs: 300 },
      { ...candidateOf("c3", "secret three"), arrivedMs: 200 },
    ],
    reply: replyOf([
      { id: "c2", probability: 0.8 },
      { id: "c1", probability: 0.3, duplicates: ["c3"] },
    ]),
    complete: true,
    problems: [],
    shown: "c1",
    accepted: undefined,
    startedAt: 1000,
    totalMs: 350,
    ...change,
  };
}

describe("local statistics", () => {
  it("remember times, chances and ranks, and no code", () => {
    const outcome = outcomeOf(rankingOf({ accepted: "c3" }));
    expect(outcome).toEqual({
      at: 1000,
      candidates: 3,
      valid: 3,
      firstMs: 100,
      lastMs: 300,
      rankMs: 3,
      first: 0.3,
      best: 0.8,
      firstRank: 2,
      shown: true,
      taken: true,
      acceptedRank: 2,
      accepted: 0.3,
    });
    expect(JSON.stringify(outcome)).not.toContain("secret");
  });

  it("count what was shown and accepted before it was ranked, or though the server found it not valid", () => {
    const unranked = outcomeOf(rankingOf({ reply: undefined, shown: "c1", accepted: "c1" }));
    expect(unranked).toMatchObject({ valid: 3, taken: true, acceptedRank: null });
    const reply = replyOf(["c1", "c2", "c3"].map((id) => ({ id, valid: false, reward: null })));
    const refused = outcomeOf(rankingOf({ reply, shown: "c1", accepted: "c1" }));
    expect(refused).toMatchObject({ valid: 1, taken: true });
    expect(summaryOf([unranked, refused])).toMatchObject({ shown: 2, accepted: 2, valid: 4 });
  });

  it("count acceptances that earlier versions kept", () => {
    const { taken: _, ...before } = outcomeOf(rankingOf({ accepted: "c2" }));
    expect(summaryOf([before]).accepted).toBe(1);
  });

  it("count a request once, with what became of it", () => {
    const before = withOutcome([], outcomeOf(rankingOf()));
    const after = withOutcome(before, outcomeOf(rankingOf({ accepted: "c2" })));
    expect(after).toHaveLength(1);
    expect(after[0]?.acceptedRank).toBe(1);
  });

  it("are bounded", () => {
    const outcome = outcomeOf(rankingOf());
    let outcomes = Array.from({ length: MAX_OUTCOMES }, (_, at) => ({ ...outcome, at }));
    outcomes = withOutcome(outcomes, { ...outcome, at: MAX_OUTCOMES });
    expect(outcomes).toHaveLength(MAX_OUTCOMES);
    expect(outcomes[0]?.at).toBe(1);
  });

  it("are summed up by rank and by range of chance", () => {
    const summary = summaryOf([
      outcomeOf(rankingOf({ startedAt: 1, accepted: "c2" })),
      outcomeOf(rankingOf({ startedAt: 2, accepted: "c1" })),
      outcomeOf(rankingOf({ startedAt: 3, shown: undefined })),
    ]);
    expect(summary).toMatchObject({
      requests: 3,
      shown: 2,
      accepted: 2,
      acceptedRanks: [1, 1],
      firstMs: 100,
      lastMs: 300,
      compared: 3,
      firstWasBest: 0,
    });
    expect(summary.ranges.map(({ shown, accepted }) => [shown, accepted])).toEqual([
      [0, 0],
      [0, 1],
      [0, 0],
      [0, 0],
      [2, 1],
    ]);
  });

  it("have nothing to say about nothing", () => {
    expect(summaryOf([])).toMatchObject({ requests: 0, firstMs: undefined });
  });
});
