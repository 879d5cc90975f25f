import { describe, expect, it } from "vitest";
import type { Ranking } from "../../../../src/ranking/ranking.ts";
import { RankingSession } from "../../../../src/ranking/session.ts";
import { cursorIn } from "../cursor.ts";

function ranking(id: string, startedAt: number): Ranking {
  return {
    id,
    kind: "completion",
    cursor: cursorIn("x = █"),
    candidates: [],
    reply: undefined,
    complete: false,
    problems: [],
    shown: undefined,
    accepted: undefined,
    startedAt,
    totalMs: undefined,
  };
}

describe("the rankings of a window", () => {
  it("do not let an older request's late first candidate displace a newer ranking", () => {
    const session = new RankingSession();
    const { uri } = ranking("r2", 2).cursor;
    session.set(ranking("r2", 2));
    session.set(ranking("r1", 1));
    expect(session.latest(uri)?.id).toBe("r2");
    session.set(ranking("r3", 3));
    expect(session.latest(uri)?.id).toBe("r3");
  });
});
