/** Samples side by side on a small language: which share their text, how they end, and that they differ. */
import { describe, expect, test } from "vitest";
import { LogitRow } from "../../../../server/engine/logit-row.ts";
import { Distribution } from "../../../../server/engine/sampling/distribution.ts";
import { Draft } from "../../../../server/engine/sampling/draft.ts";
import { Drafts } from "../../../../server/engine/sampling/drafts.ts";
import { randomNumbers } from "../../../../server/engine/sampling/random.ts";
import { UsedPaths } from "../../../../server/engine/sampling/used-paths.ts";
import type { Sample, SampleRequest } from "../../../../server/engine/writer.ts";

/** Letters as tokens; the last one ends a text. */
const LETTERS = "abcdefgh";
const END = LETTERS.length;
const bytesOf = (token: number) => Buffer.from(LETTERS[token] ?? "");

type Language = (text: string) => Readonly<Record<string, number>>;

interface Run {
  readonly samples: readonly Sample[];
  readonly steps: number;
  /** Rows that were decoded. */
  readonly rows: number;
}

/** Writes samples in a language that gives each text the probabilities of what comes next ("." ends it). */
async function write(
  language: Language,
  count: number,
  request: Partial<SampleRequest> & { readonly seed?: number } = {},
  stops: readonly string[] = [],
): Promise<Run> {
  const drafts = Array.from(
    { length: count },
    (_, index) => new Draft(index, randomNumbers(request.seed ?? 1, index), bytesOf, stops),
  );
  const all = new Drafts(drafts, { maxTokens: 20, ...request }, (token) => token === END);
  const row = new LogitRow(LETTERS.length + 1);
  let steps = 0;
  let rows = 0;
  while (all.unfinished) {
    const branches = all.branches();
    steps++;
    rows += branches.length;
    for (const branch of branches) {
      const next = language(branch[0].text);
      row.values.fill(Number.NEGATIVE_INFINITY);
      for (const [letter, probability] of Object.entries(next)) {
        row.values[letter === "." ? END : LETTERS.indexOf(letter)] = Math.log(probability);
      }
      const distribution = new Distribution(row, { temperature: 1, topP: 1, minP: 0 });
      for (const draft of branch) all.advance(draft, distribution);
    }
    await all.settle();
  }
  return { samples: all.samples(), steps, rows };
}

const texts = ({ samples }: Run) => samples.map(({ text }) => text);

describe("samples of one request", () => {
  /** Two letters, each of two, then the end. */
  const four: Language = (text) => (text.length < 2 ? { a: 0.7, b: 0.3 } : { ".": 1 });

  test("that have the same text are decoded as one", async () => {
    let shared = 0;
    await write(
      (text) => {
        if (text.length >= 10) return { b: 0.5, c: 0.5 };
        shared++;
        return { a: 1 };
      },
      8,
      { maxTokens: 11 },
    );
    expect(shared).toBe(10);
  });

  test("are as many different ones as the language has", async () => {
    const run = await write(four, 4);
    expect(new Set(texts(run))).toEqual(new Set(["aa", "ab", "ba", "bb"]));
    expect(run.samples.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  });

  test("repeat each other only where there is no other", async () => {
    const run = await write(four, 6);
    expect(run.samples.length).toBe(6);
    expect(new Set(texts(run)).size).toBe(4);
  });

  test("are distributed as drawing again until one is new would have it", async () => {
    let [second, other] = [0, 0];
    for (let seed = 0; seed < 1500; seed++) {
      const [one, two] = texts(await write(four, 2, { seed }));
      if (one !== "aa") continue;
      other++;
      if (two === "ab") second++;
    }
    // Of what is left, "ab" has .21 of .51.
    expect(Math.abs(second / other - 0.21 / 0.51)).toBeLessThan(0.06);
  });

  test("say the log-probability of their tokens, without that of the end", async () => {
    const { samples } = await write(four, 4);
    const expected: Record<string, number> = { aa: 0.49, ab: 0.21, ba: 0.21, bb: 0.09 };
    for (const { text, logprob, tokens } of samples) {
      expect(logprob).toBeCloseTo(Math.log(expected[text] ?? 0), 5);
      expect(tokens).toBe(2);
    }
  });

  test("never begin with the end", async () => {
    const empty: Language = (text) => (text === "" ? { ".": 0.999, a: 0.001 } : { ".": 1 });
    expect(texts(await write(empty, 1))).toEqual(["a"]);
  });

  test("end before a stop text, also one that several tokens make", async () => {
    const lines: Language = (text) => ({ [LETTERS[text.length] ?? "."]: 1 });
    const { samples } = await write(lines, 1, {}, ["ef", "gh"]);
    expect(samples).toMatchObject([{ text: "abcd", finish: "stop" }]);
    // Tokens of the stop text are no part of the sample.
    expect(samples[0]?.tokens).toBe(4);
  });

  test("end at the limit of tokens", async () => {
    const { samples } = await write(() => ({ a: 1 }), 1, { maxTokens: 5 });
    expect(samples).toMatchObject([{ text: "aaaaa", finish: "length", tokens: 5 }]);
  });

  test("end where their text is complete, however far they had gone", async () => {
    const asked: string[] = [];
    const { samples } = await write((text) => ({ [LETTERS[text.length] ?? "a"]: 1 }), 1, {
      completeAt: async (texts) => {
        asked.push(...texts);
        return texts.map((text) => (text.includes("e") ? text.indexOf("e") + 1 : undefined));
      },
    });
    expect(samples).toMatchObject([{ text: "abcde", finish: "syntax", tokens: 5 }]);
    expect(asked).toEqual(["abcd", "abcdefgh"]);
  });

  test("that are complete with the same text differ all the same", async () => {
    const run = await write((text) => (text.length < 2 ? { a: 0.7, b: 0.3 } : { c: 1 }), 4, {
      completeAt: async (texts) => texts.map((text) => (text.length >= 2 ? 2 : undefined)),
    });
    expect(new Set(texts(run)).size).toBe(4);
  });

  test("are told as they end", async () => {
    const told: number[] = [];
    const run = await write(four, 4, { onSample: ({ index }) => told.push(index) });
    expect([...told].sort()).toEqual([0, 1, 2, 3]);
    expect(run.samples.length).toBe(4);
  });

  test("are the same for the same seed", async () => {
    const language: Language = (text) => (text.length < 6 ? { a: 1, b: 1, c: 1 } : { ".": 1 });
    expect(await write(language, 5, { seed: 3 })).toEqual(await write(language, 5, { seed: 3 }));
    expect(texts(await write(language, 5, { seed: 3 }))).not.toEqual(
      texts(await write(language, 5, { seed: 4 })),
    );
  });

  test("end as they are when there is no more time", async () => {
    const draft = new Draft(0, randomNumbers(1, 0), bytesOf, []);
    const all = new Drafts([draft], { maxTokens: 9 }, () => false);
    draft.take({ token: 0, logprob: -1, share: 1 });
    all.endAll();
    expect(all.unfinished).toBe(false);
    expect(all.samples()).toMatchObject([{ text: "a", finish: "length" }]);
  });
});

describe("where a sample leaves the ways of others", () => {
  const path = (...steps: [number, number][]) => steps.map(([token, share]) => ({ token, share }));

  test("follows the chance to leave there", () => {
    const way = path([1, 0.5], [2, 0.9], [3, 0.2]);
    const paths = new UsedPaths();
    paths.add(way);
    const counts = [0, 0, 0];
    for (let index = 0; index < 3000; index++) {
      const exit = paths.exit(way, (index + 0.5) / 3000);
      if (exit) counts[exit.place] = (counts[exit.place] ?? 0) + 1 / 3000;
    }
    const leaving = [0.5, 0.5 * 0.1, 0.5 * 0.9 * 0.8];
    const sum = leaving.reduce((total, one) => total + one, 0);
    leaving.forEach((chance, place) => {
      expect(counts[place]).toBeCloseTo(chance / sum, 2);
    });
  });

  test("is never where all that follows is used already", () => {
    const paths = new UsedPaths();
    paths.add(path([1, 0.7], [1, 0.7]));
    paths.add(path([1, 0.7], [2, 0.3]));
    const way = path([2, 0.3], [1, 0.7]);
    paths.add(way);
    for (const random of [0, 0.3, 0.6, 0.999]) {
      expect(paths.exit(way, random)).toEqual({ place: 1, banned: new Set([1]) });
    }
  });

  test("is nowhere when the model leaves no choice", () => {
    const way = path([1, 1], [2, 1]);
    const paths = new UsedPaths();
    paths.add(way);
    expect(paths.exit(way, 0.5)).toBeUndefined();
    expect(paths.exit([], 0.5)).toBeUndefined();
  });
});

describe("a draft", () => {
  const euro = [...Buffer.from("€")];
  const bytewise = (token: number) => Uint8Array.of(euro[token] ?? 0x61);

  test("shows a character when all its bytes are there", () => {
    const draft = new Draft(0, Math.random, bytewise, []);
    const seen = [0, 1, 2, 3].map((token) => {
      draft.take({ token, logprob: 0, share: 1 });
      return draft.text;
    });
    expect(seen).toEqual(["", "", "€", "€a"]);
  });

  test("that goes back has the text and the bans of that place", () => {
    const draft = new Draft(0, Math.random, bytesOf, []);
    for (const token of [0, 1, 2]) draft.take({ token, logprob: -1, share: 0.5 });
    draft.goBack({ place: 1, banned: new Set([1]) });
    expect(draft.text).toBe("a");
    expect([...draft.banned]).toEqual([1]);
    expect(draft.logprob).toBe(-1);
    draft.take({ token: 3, logprob: -2, share: 0.5 });
    expect(draft.banned.size).toBe(0);
  });
});
