/** What vLLM's pooling server makes of rewards, set up rightly and wrongly. Pure. */

type Ids = readonly number[];

/** The raw logits of sequences of token ids, in order. */
export type Reward = (sequences: readonly Ids[]) => Promise<ArrayLike<number>>;

/** How a server is set up, or set up wrongly. */
export type Setup =
  /** `--runner pooling` for a sequence classifier with one label: what docs/fleet.md asks for. */
  | "right"
  /** The flag for raw logits is not known or not heeded: always a sigmoid. */
  | "probabilities"
  /** Softmax over one label. */
  | "softmax"
  /** `problem_type` regression: no activation at all. */
  | "regression"
  /** `seq_pooling_type` MEAN. */
  | "mean"
  /** `seq_pooling_type` CLS. */
  | "first"
  /** Two labels. */
  | "labels"
  /** Rewards stand in the answer in another order than the texts, rightly indexed. */
  | "shuffled"
  /** Rewards are swapped: the index lies. */
  | "swapped"
  /** The head's sign is wrong. */
  | "negated"
  /** A text's reward depends on the others of its batch. */
  | "company"
  /** Reads only the first tokens of a text, in silence. */
  | "truncating"
  /** Before 0.15: texts only. */
  | "old"
  /** An embedding or generating model: no such route. */
  | "generate";

const TRUNCATED_TOKENS = 64;

/** How many tokens of a text are read. */
export function tokensRead(setup: Setup, tokens: Ids): number {
  return setup === "truncating" ? Math.min(tokens.length, TRUNCATED_TOKENS) : tokens.length;
}

/** `probs` and `num_classes` of one text. */
export function answerFor(setup: Setup, logit: number, activated: boolean) {
  if (setup === "labels") return { probs: [logit, -logit], num_classes: 2 };
  if (setup === "softmax") return { probs: [1], num_classes: 1 };
  const sigmoid = 1 / (1 + Math.exp(-logit));
  const value = setup === "probabilities" || (activated && setup !== "regression") ? sigmoid : logit;
  return { probs: [value], num_classes: 1 };
}

/** The logits that a server with this setup computes. */
export async function logitsFor(setup: Setup, reward: Reward, inputs: readonly Ids[]): Promise<number[]> {
  const rewards = async (sequences: readonly Ids[]) => Array.from(await reward(sequences));
  switch (setup) {
    case "mean":
      // The head is linear, so the mean of the hidden states has the mean of the rewards of all prefixes.
      return Promise.all(
        inputs.map(async (tokens) => {
          const prefixes = await rewards(tokens.map((_, index) => tokens.slice(0, index + 1)));
          return prefixes.reduce((sum, one) => sum + one, 0) / tokens.length;
        }),
      );
    case "first":
      return rewards(inputs.map((tokens) => tokens.slice(0, 1)));
    case "truncating":
      return rewards(inputs.map((tokens) => tokens.slice(0, TRUNCATED_TOKENS)));
    case "negated":
      return (await rewards(inputs)).map((one) => -one);
    case "company":
      return (await rewards(inputs)).map((one) => one + inputs.length);
    default:
      return rewards(inputs);
  }
}

/** The answers of a request, in the order in which they are given. */
export function arranged(setup: Setup, data: readonly unknown[]): readonly unknown[] {
  if (setup === "shuffled") return [...data].reverse();
  if (setup !== "swapped") return data;
  return [...data].reverse().map((item, index) => ({ ...Object(item), index }));
}
