/** OpenAI's shapes of an answer, whole and as a stream of events. One field more: `codescaler`. */
import { randomBytes } from "node:crypto";
import type { Choices } from "./best-of.ts";
import type { Sample } from "./samples.ts";

export type Endpoint = "chat" | "completion";

/** A whole answer. */
export function wholeReply(endpoint: Endpoint, choices: Choices, created: number) {
  return {
    ...head(endpoint, choices, created, false),
    choices: choices.chosen.map((sample, index) => ({
      index,
      ...(endpoint === "chat"
        ? { message: { role: "assistant", content: sample.text, refusal: null } }
        : { text: sample.text }),
      logprobs: null,
      finish_reason: sample.finish,
    })),
    usage: usageOf(choices),
    codescaler: factsOf(choices),
  };
}

/**
 * The same as events: the text of each choice, its end, and the usage where it was asked for. The facts come with the
 * last event of the choices.
 */
export function* streamedReply(endpoint: Endpoint, choices: Choices, created: number, withUsage: boolean) {
  const common = head(endpoint, choices, created, true);
  const chunk = (index: number, part: object, finish: string | null) => ({
    ...common,
    choices: [{ index, ...part, logprobs: null, finish_reason: finish }],
    ...(withUsage && { usage: null }),
  });
  const text = (sample: Sample) =>
    endpoint === "chat" ? { delta: { role: "assistant", content: sample.text } } : { text: sample.text };
  const nothing = endpoint === "chat" ? { delta: {} } : { text: "" };
  for (const [index, sample] of choices.chosen.entries()) {
    yield chunk(index, text(sample), null);
    const last = index === choices.chosen.length - 1;
    yield { ...chunk(index, nothing, sample.finish), ...(last && { codescaler: factsOf(choices) }) };
  }
  if (withUsage) yield { ...common, choices: [], usage: usageOf(choices) };
}

function head(endpoint: Endpoint, { written }: Choices, created: number, streamed: boolean) {
  const chat = endpoint === "chat";
  return {
    id: `${chat ? "chatcmpl" : "cmpl"}-${randomBytes(12).toString("hex")}`,
    object: chat ? (streamed ? "chat.completion.chunk" : "chat.completion") : "text_completion",
    created,
    model: written.model,
  };
}

function usageOf({ written: { usage } }: Choices) {
  const { promptTokens, completionTokens } = usage;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

/** How the choice was made. */
function factsOf({ written, rankedBy, why, ranking }: Choices) {
  return {
    ranked_by: rankedBy,
    why: why ?? ranking?.order.why ?? null,
    samples: written.samples.length,
    judge: ranking?.model ?? null,
    candidates:
      ranking?.candidates.map(({ id, rank, valid, reason, reward, probability, signals, duplicates }) => ({
        sample: Number(id),
        rank,
        valid,
        reason,
        reward,
        probability,
        signals,
        duplicates: duplicates.map(Number),
      })) ?? [],
  };
}
