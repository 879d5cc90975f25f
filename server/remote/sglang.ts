/**
 * SGLang's own classification route: token ids in, and in `embedding` what the head says, without activation. Its
 * OpenAI-like `/v1/classify` is never asked: that one always applies a softmax, which makes 1 of every single label.
 * Source: SGLang 0.5.23, entrypoints/http_server.py and managers/tokenizer_manager.py.
 */
import { countTokens, isObject, readReward, type Wire, WireError } from "./wire.ts";

export const sglang: Wire = {
  product: "SGLang",
  health: { method: "GET", path: "/health" },
  activates: false,
  score: ({ sequences }) => ({
    method: "POST",
    path: "/classify",
    body: { input_ids: sequences.map((tokens) => Array.from(tokens)) },
  }),
  readScores(answer, sequences) {
    // A single text is answered without a list around it.
    const items: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
    if (items.length !== sequences.length) {
      throw new WireError(`answers with ${items.length} rewards for ${sequences.length} texts`);
    }
    const rewards = Float64Array.from(items, (item, index) => {
      const embedding = isObject(item) ? item["embedding"] : undefined;
      if (!Array.isArray(embedding)) throw new WireError("answers /classify in another form than SGLang");
      if (embedding.length !== 1) {
        throw new WireError(
          `answers with ${embedding.length} numbers for a text instead of one: the model there has no reward head with one label`,
        );
      }
      const facts = isObject(item) && isObject(item["meta_info"]) ? item["meta_info"] : undefined;
      const read = facts?.["prompt_tokens"];
      const sent = sequences[index]?.length;
      if (typeof read === "number" && read !== sent) {
        throw new WireError(
          `read ${read} tokens where ${sent} were sent: it cuts texts short or adds tokens of its own`,
        );
      }
      return readReward(embedding[0]);
    });
    return { rewards, decodedTokens: countTokens(sequences) };
  },
};

/** Whether a list of models is SGLang's: it says so in each entry. */
export function isSglang(answer: unknown): boolean {
  if (!isObject(answer) || !Array.isArray(answer["data"])) return false;
  const models: readonly unknown[] = answer["data"];
  return models.length > 0 && models.every((model) => isObject(model) && model["owned_by"] === "sglang");
}
