/**
 * vLLM's classification route, as its versions from 0.15 on have it: token ids in, so that no template or tokenizer
 * of the server has a say, and `use_activation` false, so that logits come back and not their sigmoid.
 */
import type { Tokens } from "../engine/engine.ts";
import { countTokens, isObject, readReward, type Wire, WireError, type WireRequest } from "./wire.ts";

/** The first release whose /classify takes token ids. */
export const OLDEST = "0.15";

export const vllm: Wire = {
  product: "vLLM",
  health: { method: "GET", path: "/health" },
  activates: true,
  score: ({ model, sequences, activated }) => ({
    method: "POST",
    path: "/classify",
    body: { model, input: sequences.map((tokens) => Array.from(tokens)), use_activation: activated },
  }),
  readScores(answer, sequences) {
    if (!isObject(answer) || !Array.isArray(answer["data"])) {
      throw new WireError("answers /classify in another form than vLLM");
    }
    const items: readonly unknown[] = answer["data"];
    if (items.length !== sequences.length) {
      throw new WireError(`answers with ${items.length} rewards for ${sequences.length} texts`);
    }
    const rewards = new Float64Array(sequences.length).fill(Number.NaN);
    for (const item of items) {
      const index = isObject(item) ? item["index"] : undefined;
      if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= rewards.length) {
        throw new WireError("answers with a reward for a text that was not sent");
      }
      if (!Number.isNaN(rewards[index])) throw new WireError("answers with two rewards for the same text");
      rewards[index] = readLogit(isObject(item) ? item["probs"] : undefined);
    }
    const decodedTokens = countTokens(sequences);
    const read = isObject(answer["usage"]) ? answer["usage"]["prompt_tokens"] : undefined;
    if (typeof read === "number" && read !== decodedTokens) {
      throw new WireError(
        `read ${read} tokens where ${decodedTokens} were sent: it cuts texts short or adds tokens of its own`,
      );
    }
    return { rewards, decodedTokens };
  },
};

/** `probs` holds one number per label whatever the activation; a reward model has one label. */
function readLogit(probs: unknown): number {
  if (!Array.isArray(probs)) throw new WireError("answers /classify in another form than vLLM");
  const values: readonly unknown[] = probs;
  if (values.length === 1) return readReward(values[0]);
  throw new WireError(
    `answers with ${values.length} numbers for a text instead of one: the model there has no reward head with one label`,
  );
}

/** Asks how the server's own tokenizer cuts a rendered text. */
export function tokenizeRequest(model: string, text: string): WireRequest {
  return { method: "POST", path: "/tokenize", body: { model, prompt: text, add_special_tokens: false } };
}

/** Token ids of an answer of /tokenize; undefined when it is none. */
export function readTokens(answer: unknown): Tokens | undefined {
  if (!isObject(answer) || !Array.isArray(answer["tokens"])) return undefined;
  const tokens: readonly unknown[] = answer["tokens"];
  return tokens.every((token) => typeof token === "number") ? Int32Array.from(tokens) : undefined;
}

/** A model as `GET /v1/models` lists it. */
export interface ServedModel {
  readonly id: string;
  /** Repository or folder it was loaded from. */
  readonly root: string | undefined;
  /** Longest input, in tokens. */
  readonly maxTokens: number | undefined;
}

/** The models of a list in OpenAI's form; undefined when the answer is none. Adapters of a model are left out. */
export function readServedModels(answer: unknown): readonly ServedModel[] | undefined {
  if (!isObject(answer) || !Array.isArray(answer["data"])) return undefined;
  return answer["data"].flatMap((item: unknown) => {
    if (!isObject(item) || typeof item["id"] !== "string" || typeof item["parent"] === "string") return [];
    const { id, root, max_model_len: length } = item;
    return [
      {
        id,
        root: typeof root === "string" ? root : undefined,
        maxTokens: typeof length === "number" && length > 0 ? Math.floor(length) : undefined,
      },
    ];
  });
}
