/** Another CodeScaler server's `POST /v1/score`, with token ids: its rewards are raw logits by contract. */
import { countTokens, isObject, readReward, type Wire, WireError } from "./wire.ts";

export const codescaler: Wire = {
  product: "CodeScaler",
  health: { method: "GET", path: "/health" },
  activates: false,
  score: ({ model, sequences, priority }) => ({
    method: "POST",
    path: "/v1/score",
    body: {
      model,
      items: sequences.map((tokens) => ({ tokens: Array.from(tokens) })),
      priority,
    },
  }),
  readScores(answer, sequences) {
    if (!isObject(answer) || !Array.isArray(answer["rewards"]) || !Array.isArray(answer["tokens"])) {
      throw new WireError("answers /v1/score in another form than this version of CodeScaler");
    }
    const [rewards, tokens]: (readonly unknown[])[] = [answer["rewards"], answer["tokens"]];
    if (rewards?.length !== sequences.length) {
      throw new WireError(`answers with ${rewards?.length} rewards for ${sequences.length} texts`);
    }
    if (sequences.some((sequence, index) => tokens?.[index] !== sequence.length)) {
      throw new WireError("read another number of tokens than were sent");
    }
    const usage = isObject(answer["usage"]) ? answer["usage"]["unique_tokens"] : undefined;
    return {
      rewards: Float64Array.from(rewards, readReward),
      decodedTokens: typeof usage === "number" ? usage : countTokens(sequences),
    };
  },
};

/** A model as `GET /v1/models` of a CodeScaler server lists it. */
export interface HostedModel {
  readonly id: string;
  readonly revision: string | undefined;
  readonly type: string | undefined;
  /** Longest input, in tokens. */
  readonly maxTokens: number | undefined;
}

/** The models of such a list; undefined when the answer is none. */
export function readHostedModels(answer: unknown): readonly HostedModel[] | undefined {
  if (!isObject(answer) || !Array.isArray(answer["models"])) return undefined;
  return answer["models"].flatMap((item: unknown) => {
    if (!isObject(item) || typeof item["id"] !== "string" || item["problem"] !== undefined) return [];
    const { id, revision, type, max_tokens: length } = item;
    return [
      {
        id,
        revision: typeof revision === "string" ? revision : undefined,
        type: typeof type === "string" ? type : undefined,
        maxTokens: typeof length === "number" && length > 0 ? Math.floor(length) : undefined,
      },
    ];
  });
}
