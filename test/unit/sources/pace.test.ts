/** How much a source is asked for, by how it kept up with typing. */
import { describe, expect, test } from "vitest";
import { Pace } from "../../../src/sources/pace.ts";

const BUDGET_MS = 4000;
/** Asks a source as it has shown to be able, again and again; gives how many completions were asked for. */
function asked(pace: Pace, times: readonly number[], most = 4): string[] {
  return times.map((firstMs) => {
    const portion = pace.portion("s", most);
    pace.learn("s", { asked: portion, firstMs, elapsedMs: firstMs, budgetMs: BUDGET_MS });
    return portion.singleLine ? "one line" : String(portion.count);
  });
}

describe("a source", () => {
  test("that is in time is asked for all that the user wants", () => {
    expect(asked(new Pace(), [500, 600, 3000])).toEqual(["4", "4", "4"]);
  });

  test("that is late is asked for half, at last for one line", () => {
    expect(asked(new Pace(), [12_000, 9000, 6000, 3000, 3000])).toEqual([
      "4",
      "2",
      "1",
      "one line",
      "one line",
    ]);
  });

  test("that is early again is asked for more, step by step", () => {
    const pace = new Pace();
    asked(pace, [12_000, 12_000, 12_000]);
    expect(asked(pace, [800, 800, 800, 800, 800, 800])).toEqual(["one line", "1", "2", "3", "4", "4"]);
  });

  test("that was given up before its time was over has shown nothing", () => {
    const pace = new Pace();
    const portion = pace.portion("s", 4);
    pace.learn("s", { asked: portion, firstMs: undefined, elapsedMs: 900, budgetMs: BUDGET_MS });
    expect(pace.portion("s", 4)).toMatchObject({ count: 4, singleLine: false });
    expect(pace.usualMs("s")).toBeUndefined();
  });

  test("that never answered takes at least as long as it was waited for", () => {
    const pace = new Pace();
    const portion = pace.portion("s", 4);
    pace.learn("s", { asked: portion, firstMs: undefined, elapsedMs: 30_000, budgetMs: BUDGET_MS });
    expect(pace.usualMs("s")).toBe(30_000);
    expect(pace.portion("s", 4).count).toBe(2);
  });

  test("has a pace of its own, and the fastest of all is known", () => {
    const pace = new Pace();
    for (const [id, firstMs] of [
      ["slow", 9000],
      ["fast", 300],
    ] as const) {
      const portion = pace.portion(id, 4);
      pace.learn(id, { asked: portion, firstMs, elapsedMs: firstMs, budgetMs: BUDGET_MS });
    }
    expect(pace.portion("fast", 4).count).toBe(4);
    expect(pace.portion("slow", 4).count).toBe(2);
    expect(pace.fastestMs()).toBe(300);
    pace.forget();
    expect(pace.portion("slow", 4).count).toBe(4);
  });

  test("says nothing by a request that began before settings changed", () => {
    const pace = new Pace();
    const portion = pace.portion("s", 4);
    pace.forget();
    pace.learn("s", { asked: portion, firstMs: 12_000, elapsedMs: 12_000, budgetMs: BUDGET_MS });
    expect(pace.portion("s", 4).count).toBe(4);
    expect(pace.usualMs("s")).toBeUndefined();
  });

  test("is never asked for more than the user wants, also when that has changed", () => {
    const pace = new Pace();
    asked(pace, [500, 500, 500], 8);
    expect(pace.portion("s", 2).count).toBe(2);
  });
});
