/** What people read of a candidate: its rank, agreement and reward, and no chance that does not hold. */
import { describe, expect, it, vi } from "vitest";
import { hoverText } from "../../../../src/editor/hover.ts";
import { type Ranking, rowsOf, validPrograms } from "../../../../src/ranking/ranking.ts";
import { standingOf } from "../../../../src/ranking/standing.ts";
import { cursorIn } from "../cursor.ts";
import { candidateOf, replyOf } from "../reply.ts";

vi.mock("vscode", () => ({
  l10n: {
    t: (template: string, ...values: readonly unknown[]) =>
      template.replaceAll(/\{(\d+)\}/g, (_, index: string) => String(values[Number(index)])),
  },
}));

function rankingOf(change: Partial<Ranking> = {}): Ranking {
  return {
    id: "r1",
    kind: "completion",
    cursor: cursorIn("x = █"),
    candidates: ["c1", "c2", "c3", "c4"].map((id) => candidateOf(id)),
    reply: replyOf([
      { id: "c2", duplicates: ["c4"], probability: 0.95, reward: 3.5 },
      { id: "c1", probability: 0.94, reward: 3.25 },
      { id: "c3", valid: false, reward: null, probability: null, reason: "broken" },
    ]),
    complete: true,
    problems: [],
    shown: undefined,
    accepted: undefined,
    startedAt: 0,
    totalMs: 1,
    ...change,
  };
}

describe("a candidate", () => {
  it("is told by its rank, by the samples that agree with it and by its reward", () => {
    const ranking = rankingOf();
    expect(rowsOf(ranking).map((row) => standingOf(ranking, row))).toEqual([
      "rank 1 of 2, 2 of 4 samples, reward 3.50",
      "rank 2 of 2, 1 of 4 samples, reward 3.25",
      "not valid",
    ]);
  });

  it("that was in the document already is told by its reward alone", () => {
    const ranking = rankingOf({ kind: "score", reply: replyOf([{ id: "c1", reward: 2 }]) });
    const [row] = rowsOf(ranking);
    expect(row && standingOf(ranking, row)).toBe("reward 2.00");
  });

  it("has no percentage in its hover", () => {
    const ranking = rankingOf();
    for (const row of rowsOf(ranking)) {
      const text = hoverText(ranking, row, { origin: "accepted", stale: false });
      // Links are encoded with percent signs of their own.
      expect(text.replaceAll(/command:[^)]*/g, "")).not.toContain("%");
    }
  });
});

describe("the valid programs of a ranking", () => {
  it("are the different ones that the server found valid", () => {
    expect(validPrograms(rankingOf())).toEqual(["c1", "c2"]);
  });

  it("are those of the editor where nothing is ranked, and what was shown always is one", () => {
    expect(validPrograms(rankingOf({ reply: undefined }))).toEqual(["c1", "c2", "c3", "c4"]);
    expect(validPrograms(rankingOf({ shown: "c3" }))).toEqual(["c1", "c2", "c3"]);
  });
});
