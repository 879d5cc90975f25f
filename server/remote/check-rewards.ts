/**
 * Does an engine return what a reward model's head says of the last token? Published models' rewards are not known
 * here, so what is checked are properties that every right answer has and that the usual wrong ones lack:
 * probabilities instead of logits, mean or first-token pooling, answers in another order or that depend on their
 * company, a head that was never loaded.
 */
import type { Message } from "../../shared/contract.ts";
import type { Tokens } from "../engine/engine.ts";
import { WireError } from "./wire.ts";

export interface GoldenModel {
  render(messages: readonly Message[]): Tokens;
  encode(text: string): Tokens;
  /** Longest sequence that may be sent, in tokens. */
  readonly maxSequence: number;
}

/** Rewards of sequences in order; with `activated`, what the engine's own activation makes of them. */
export type AskRewards = (sequences: readonly Tokens[], activated: boolean) => Promise<Float64Array>;

interface Pair {
  readonly problem: string;
  readonly right: string;
  readonly wrong: string;
}

/** Any model that judges programs at all tells these apart, taken together. */
const PAIRS: readonly Pair[] = [
  {
    problem: "Write a Python function add(a, b) that returns the sum of two numbers.",
    right: "def add(a, b):\n    return a + b\n",
    wrong: "def add(a, b):\n    pass\n",
  },
  {
    problem: "Write a Python function is_palindrome(text) that says whether a text reads the same backwards.",
    right: "def is_palindrome(text):\n    return text == text[::-1]\n",
    wrong: "def is_palindrome(text):\n    print(undefined_name)\n    return 7\n",
  },
  {
    problem: "Write a Python function largest(numbers) that returns the largest element of a non-empty list.",
    right:
      "def largest(numbers):\n    best = numbers[0]\n    for number in numbers:\n        if number > best:\n            best = number\n    return best\n",
    wrong: "def largest(numbers):\n    return None\n",
  },
];

/** Pieces whose first tokens are put at the end of a text, to see how much the last token decides. */
const ENDINGS = [" the", "return", "(", "\n", "0", "def", " =", "import", ":", "x"] as const;
/** Length of the long text. The longer, the less a single token weighs in a mean. */
const LONG_TOKENS = 512;
/**
 * Part of the rewards' range by which two answers for the same text may differ: engines compute in 16 bits and in
 * batches of other shapes.
 */
const NOISE = 0.05;
/** Differences that mean nothing whatever the range. */
const NOTHING = 1e-6;

/**
 * Part of the rewards' range by which the rewards of two engines for the same programs may differ. Twice the noise, and
 * more than what other number formats do: a bfloat16 engine was seen 0.13 away from a float32 one.
 */
const BETWEEN_ENGINES = 0.1;

/**
 * By how much an engine's rewards of the programs differ from another engine's, where that is more than number formats
 * explain; undefined where it is not. A head with a bias that the checkpoint does not fill differs so.
 * @param one and other what `checkGolden` returned
 */
export function disagreement(one: Float64Array, other: Float64Array): number | undefined {
  const largest = Math.max(...one.map((reward, index) => Math.abs(reward - (other[index] ?? Number.NaN))));
  const range = Math.max(rangeOf(one), rangeOf(other));
  return largest <= BETWEEN_ENGINES * range + NOTHING ? undefined : largest;
}

/**
 * Asks about a handful of short programs and one long text.
 * @returns the rewards of the programs
 * @param activates whether the engine can be asked for activated values too
 * @throws WireError with what is wrong; whatever `ask` throws
 */
export async function checkGolden(
  model: GoldenModel,
  ask: AskRewards,
  activates: boolean,
): Promise<Float64Array> {
  const programs = PAIRS.flatMap((pair) => [rendered(model, pair, "right"), rendered(model, pair, "wrong")]);
  const endings = distinctEndings(model);
  const long = longText(model);
  const short = long.slice(0, 1);
  const probes = [
    ...programs,
    ...endings.map((token) => appended(long, token)),
    ...endings.map((token) => appended(short, token)),
  ];
  const rewards = await ask(probes, false);
  const [first, last] = [probes[0], programs.at(-1)];
  if (!first || !last) throw new Error("there are no programs to ask about");
  const backwards = (await ask([...probes].reverse(), false)).reverse();
  const [alone = Number.NaN] = await ask([last], false);
  const ofPrograms = rewards.slice(0, programs.length);
  const range = rangeOf(rewards);
  if (range <= NOTHING) {
    throw new WireError(
      `answers ${rewards[0]} whatever the text: it applies a softmax to a single label, or reads only the first token`,
    );
  }
  if (activates) await checkLogits(rewards, () => ask(programs, true));
  checkRepeatable(rewards, backwards, alone, programs.length - 1, range);
  checkLastToken(
    rewards.slice(programs.length, programs.length + endings.length),
    rewards.slice(programs.length + endings.length),
    long.length + 1,
    range,
  );
  const advantage = ofPrograms.reduce((sum, reward, index) => sum + (index % 2 === 0 ? reward : -reward), 0);
  if (!(advantage > 0)) {
    throw new WireError(
      "rates plainly wrong programs above right ones: another model, or a reward head that was not loaded",
    );
  }
  return ofPrograms;
}

/** A sigmoid of a logit lies between 0 and 1; logits of so different texts do not all. */
async function checkLogits(rewards: Float64Array, activated: () => Promise<Float64Array>): Promise<void> {
  if (rewards.some((reward) => reward < 0 || reward > 1)) return;
  const values = await activated();
  // A model of small rewards is cleared by its own activation: it changes logits, and probabilities are its results.
  const isSigmoid = values.every(
    (value, index) => Math.abs(value - sigmoid(rewards[index] ?? Number.NaN)) < 0.01,
  );
  if (isSigmoid) return;
  throw new WireError("returns probabilities although raw logits were asked for");
}

function checkRepeatable(
  rewards: Float64Array,
  backwards: Float64Array,
  alone: number,
  aloneIndex: number,
  range: number,
): void {
  const differ = (a: number, b: number): boolean => !(Math.abs(a - b) <= NOISE * range + NOTHING);
  if (rewards.some((reward, index) => differ(reward, backwards[index] ?? Number.NaN))) {
    throw new WireError("gives a text another reward when the texts come in another order");
  }
  if (differ(rewards[aloneIndex] ?? Number.NaN, alone)) {
    throw new WireError("gives a text another reward when it is sent alone than among others");
  }
}

/**
 * The reward of the last token depends on that token as much in a long text as in one of two tokens. In a mean over n
 * tokens it has the weight 1/n, so the spread that different last tokens make shrinks by 2/n. The bound lies in the
 * geometric middle between that and no shrinking at all.
 */
function checkLastToken(long: Float64Array, short: Float64Array, length: number, range: number): void {
  const [spreadLong, spreadShort] = [deviation(long), deviation(short)];
  if (spreadShort <= NOTHING * range) {
    throw new WireError("does not look at the last token of a text: it pools the first one");
  }
  if (spreadLong < spreadShort * Math.sqrt(2 / length)) {
    throw new WireError("hardly looks at the last token of a long text: it pools the mean of all tokens");
  }
}

function rendered(model: GoldenModel, pair: Pair, which: "right" | "wrong"): Tokens {
  return model.render([
    { role: "user", content: pair.problem },
    { role: "assistant", content: pair[which] },
  ]);
}

function longText(model: GoldenModel): Tokens {
  const length = Math.max(2, Math.min(LONG_TOKENS, model.maxSequence - 1));
  const problem = PAIRS.map((pair) => pair.problem).join("\n");
  const tokens = model.render([
    { role: "user", content: `${problem}\n`.repeat(LONG_TOKENS / 16) },
    { role: "assistant", content: PAIRS[0]?.right ?? "" },
  ]);
  return tokens.slice(0, length);
}

function distinctEndings(model: GoldenModel): number[] {
  return [...new Set(ENDINGS.flatMap((text) => Array.from(model.encode(text).slice(0, 1))))];
}

function appended(tokens: Tokens, token: number): Tokens {
  return Int32Array.from([...tokens, token]);
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

function rangeOf(values: Float64Array): number {
  return Math.max(...values) - Math.min(...values);
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}
