import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grammarFolder } from "../../../../server/files/package-files.ts";
import { acceptanceIn, parsePreference, preferenceOf } from "../../../../src/preferences/preference.ts";
import { MAX_BYTES, PreferenceStore } from "../../../../src/preferences/preference-store.ts";
import { recordPreferences } from "../../../../src/preferences/record-preferences.ts";
import type { Ranking } from "../../../../src/ranking/ranking.ts";
import { RankingSession } from "../../../../src/ranking/session.ts";
import { Syntax } from "../../../../src/syntax/syntax.ts";
import { cursorIn } from "../cursor.ts";
import { candidateOf, replyOf } from "../reply.ts";

const log = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

function rankingOf(change: Partial<Ranking> = {}): Ranking {
  return {
    id: "r1",
    kind: "completion",
    cursor: cursorIn("def add(a, b):\n    █"),
    candidates: [
      candidateOf("c1", "return a + b"),
      candidateOf("c2", "return a - b"),
      candidateOf("c3", "return (a"),
      candidateOf("c4", "return a+b"),
    ],
    reply: replyOf([
      { id: "c2" },
      { id: "c1", duplicates: ["c4"] },
      { id: "c3", valid: false, reward: null, probability: null },
    ]),
    complete: true,
    problems: [],
    shown: "c2",
    accepted: undefined,
    startedAt: 1000,
    totalMs: 350,
    ...change,
  };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "preferences-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("a preference", () => {
  it("sets the accepted completion against the other valid programs", () => {
    expect(acceptanceIn(rankingOf({ accepted: "c4" }))).toEqual({
      accepted: "return a + b",
      others: ["return a - b"],
    });
  });

  it("needs an acceptance, an alternative, and a finished request for completions", () => {
    expect(acceptanceIn(rankingOf())).toBeUndefined();
    expect(acceptanceIn(rankingOf({ accepted: "c1", complete: false }))).toBeUndefined();
    expect(acceptanceIn(rankingOf({ accepted: "c1", kind: "score" }))).toBeUndefined();
    expect(acceptanceIn(rankingOf({ accepted: "c1", reply: replyOf([{ id: "c1" }]) }))).toBeUndefined();
  });

  it("leaves out what cannot be read and what reads the same", () => {
    const units = ["x = 1", null, "x = 1", "x = 2", "x = 2"];
    expect(preferenceOf(rankingOf(), "w", { problem: "p", units })?.rejected).toEqual([{ code: "x = 2" }]);
    expect(preferenceOf(rankingOf(), "w", { problem: "p", units: [null, "x"] })).toBeUndefined();
  });

  it("is read from its own line, and from nothing else", () => {
    const line = '{"id":"a","at":1,"language":"go","problem":"p","chosen":"c","rejected":[{"code":"r"}]}';
    expect(parsePreference(line)?.chosen).toBe("c");
    for (const other of [
      "",
      "{",
      "null",
      "[]",
      line.replace('"c"', "3"),
      line.replace('{"code":"r"}', "1"),
    ]) {
      expect(parsePreference(other)).toBeUndefined();
    }
  });
});

describe("recording", () => {
  async function record(
    allowed: boolean,
    rankings: readonly Ranking[],
    name: string,
  ): Promise<PreferenceStore> {
    const session = new RankingSession();
    const store = new PreferenceStore(join(folder, name));
    const syntax = new Syntax(dirname(grammarFolder));
    const readings: Promise<unknown>[] = [];
    const recorder = recordPreferences({
      session,
      store,
      log,
      allowed: () => allowed,
      read: (cursor, completions) => {
        const reading = syntax.reading(cursor, completions);
        readings.push(reading);
        return reading;
      },
    });
    for (const ranking of rankings) session.set(ranking);
    await Promise.all(readings);
    recorder.dispose();
    syntax.dispose();
    return store;
  }

  it("keeps problem and programs as the reward model reads them", async () => {
    const store = await record(true, [rankingOf(), rankingOf({ accepted: "c1" })], "read");
    const [preference] = await store.all();
    expect(preference).toMatchObject({
      at: 1000,
      language: "python",
      chosen: "def add(a, b):\n    return a + b",
      rejected: [{ code: "def add(a, b):\n    return a - b" }],
    });
    expect(preference?.problem).toContain("def add(a, b)");
  });

  it("keeps one line of an acceptance, and the last of several", async () => {
    const accepted = rankingOf({ accepted: "c1" });
    const store = await record(true, [accepted, accepted, rankingOf({ accepted: "c2" })], "last");
    const all = await store.all();
    expect(all.map(({ chosen }) => chosen)).toEqual(["def add(a, b):\n    return a - b"]);
  });

  it("writes nothing where it is not allowed", async () => {
    const store = await record(false, [rankingOf({ accepted: "c1" })], "not");
    expect(await store.all()).toEqual([]);
    await expect(stat(join(folder, "not"))).rejects.toThrow("ENOENT");
  });
});

describe("the file of preferences", () => {
  const preference = (id: string, chosen = "x") => ({
    id,
    at: 1,
    language: "go",
    problem: "p",
    chosen,
    rejected: [{ code: "y" }],
  });

  it("is readable by its user only and survives half a line", async () => {
    const store = new PreferenceStore(join(folder, "half"));
    await store.add(preference("a"));
    const file = join(folder, "half", "preferences.jsonl");
    if (process.platform !== "win32") expect((await stat(file)).mode & 0o077).toBe(0);
    await writeFile(file, `${await readFile(file, "utf8")}{"id":"b","at`);
    expect((await store.all()).map(({ id }) => id)).toEqual(["a"]);
  });

  it("stays within its bound and loses the oldest first", async () => {
    const store = new PreferenceStore(join(folder, "bound"));
    const large = "x".repeat(MAX_BYTES / 4);
    for (const id of ["a", "b", "c", "d", "e"]) await store.add(preference(id, large));
    const ids = (await store.all()).map(({ id }) => id);
    expect(ids).not.toContain("a");
    expect(ids.at(-1)).toBe("e");
    expect((await stat(join(folder, "bound", "preferences.jsonl"))).size).toBeLessThanOrEqual(MAX_BYTES);
  });

  it("is gone once it is erased", async () => {
    const store = new PreferenceStore(join(folder, "gone"));
    await store.add(preference("a"));
    await store.erase();
    expect(await store.all()).toEqual([]);
  });
});
