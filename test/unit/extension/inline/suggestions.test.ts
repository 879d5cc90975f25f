import { describe, expect, it } from "vitest";
import { decide, type Suggestion, suggestionsOf } from "../../../../src/inline/suggestions.ts";
import type { Candidate } from "../../../../src/ranking/ranking.ts";
import { candidateOf, replyOf } from "../reply.ts";

function checked(id: string, insert: string, valid = true): Candidate {
  return { ...candidateOf(id), insert, valid, reason: valid ? null : "broken" };
}
const inserts = (suggestions: readonly Suggestion[]) => suggestions.map(({ insert }) => insert);

describe("what is offered", () => {
  it("is what is valid, in the order of arrival, while nothing is ranked", () => {
    const all = [checked("c1", "bad", false), checked("c2", "b"), checked("c3", "a")];
    expect(inserts(suggestionsOf(all, undefined, undefined))).toEqual(["b", "a"]);
  });

  it("is in the order of the ranking, with what is not ranked yet behind", () => {
    const all = [checked("c1", "one"), checked("c2", "two"), checked("c3", "three")];
    const reply = replyOf([
      { id: "c2", code: "two" },
      { id: "c1", code: "one" },
    ]);
    expect(inserts(suggestionsOf(all, reply, undefined))).toEqual(["two", "one", "three"]);
  });

  it("has what the server finds not valid nowhere", () => {
    const all = [checked("c1", "one"), checked("c2", "two")];
    const reply = replyOf([
      { id: "c2", code: "two" },
      { id: "c1", code: "one", valid: false, reward: null },
    ]);
    expect(inserts(suggestionsOf(all, reply, undefined))).toEqual(["two"]);
  });

  it("has every text once", () => {
    const all = [checked("c1", "one"), checked("c2", "one"), checked("c3", "two")];
    expect(inserts(suggestionsOf(all, undefined, undefined))).toEqual(["one", "two"]);
  });

  it("keeps what was shown first, with better ones behind it", () => {
    const all = [checked("c1", "one"), checked("c2", "two"), checked("c3", "three")];
    const reply = replyOf([
      { id: "c3", code: "three" },
      { id: "c2", code: "two" },
      { id: "c1", code: "one" },
    ]);
    expect(inserts(suggestionsOf(all, reply, "one"))).toEqual(["one", "three", "two"]);
  });

  it("keeps the text that was shown though its program has another representative", () => {
    const all = [checked("c1", "f(a,b)"), checked("c2", "f(a, b)"), checked("c3", "g")];
    const reply = replyOf([
      { id: "c3", code: "g" },
      { id: "c2", code: "f(a, b)", duplicates: ["c1"], probability: 0.4 },
    ]);
    const suggestions = suggestionsOf(all, reply, "f(a,b)");
    expect(inserts(suggestions)).toEqual(["f(a,b)", "g"]);
    expect(suggestions[0]).toMatchObject({ id: "c2", probability: 0.4, ranked: true });
  });

  it("prolongs the first lines that were shown by what they have become", () => {
    const all = [checked("c1", "a\nb"), checked("c2", "z")];
    const reply = replyOf([
      { id: "c2", code: "z" },
      { id: "c1", code: "a\nb" },
    ]);
    expect(inserts(suggestionsOf(all, reply, "a"))).toEqual(["a\nb", "z"]);
  });
});

describe("whether to show it", () => {
  const suggestion = (probability: number | null) => ({
    id: "c1",
    insert: String(probability),
    rest: String(probability),
    replaces: 0,
    probability,
    ranked: true,
  });

  it("says no when nothing is valid", () => {
    expect(decide([], 0.1).kind).toBe("none-valid");
  });

  it("says no when even the best is probably wrong, whichever stands first", () => {
    expect(decide([suggestion(0.01), suggestion(0.09)], 0.1)).toEqual({ kind: "abstain", probability: 0.09 });
    expect(decide([suggestion(0.01), suggestion(0.5)], 0.1).kind).toBe("show");
  });

  it("says yes where nothing is known of one", () => {
    expect(decide([suggestion(0.01), suggestion(null)], 0.1).kind).toBe("show");
    expect(decide([suggestion(null)], 1).kind).toBe("show");
  });

  it("says yes to everything valid when the least is 0", () => {
    expect(decide([suggestion(0)], 0).kind).toBe("show");
  });
});
