/** The built-in writer as the source of samples for OpenAI's endpoints and for agents. */
import { randomInt } from "node:crypto";
import { COMPLETION_LIMITS } from "../../shared/completion-contract.ts";
import type { Message } from "../../shared/contract.ts";
import type { ModelHost } from "../models/model-host.ts";
import type { SampleSource } from "../openai/samples.ts";
import type { Prompt, TextWriter } from "./text-writer.ts";

/** As long as an answer may be where a request does not say. */
const DEFAULT_TOKENS = { chat: 512, cursor: 128 } as const;
const DEFAULT_TEMPERATURE = 0.8;
const DEFAULT_TOP_P = 0.95;
const SEEDS = 2 ** 31;

/** @param writers loads a writer by its name */
export function builtInSource(writers: Pick<ModelHost<TextWriter>, "use">): SampleSource {
  return {
    draw: (request, signal) =>
      writers.use(request.model, async (writer) => {
        const written = await writer.write({
          prompt: promptOf(request.prompt),
          count: Math.min(request.count, COMPLETION_LIMITS.samples),
          maxTokens: request.maxTokens ?? DEFAULT_TOKENS[request.prompt.kind],
          sampling: {
            temperature: request.temperature ?? DEFAULT_TEMPERATURE,
            topP: request.topP ?? DEFAULT_TOP_P,
            minP: 0,
          },
          seed: request.seed ?? randomInt(SEEDS),
          stops: request.stop,
          priority: "interactive",
          signal,
        });
        return {
          model: writer.identity.id,
          samples: written.samples.map(({ text, tokens, logprob, finish }) => ({
            text,
            finish: finish === "length" ? ("length" as const) : ("stop" as const),
            logprobs: tokens > 0 ? { sum: Math.min(0, logprob), tokens } : undefined,
          })),
          usage: {
            promptTokens: written.promptTokens,
            completionTokens: written.samples.reduce((sum, { tokens }) => sum + tokens, 0),
          },
        };
      }),
  };
}

function promptOf(prompt: Parameters<SampleSource["draw"]>[0]["prompt"]): Prompt {
  if (prompt.kind === "cursor") return { cursor: { prefix: prompt.prefix, suffix: prompt.suffix } };
  return {
    messages: prompt.messages.map(({ role, content }): Message => ({ role: roleOf(role), content })),
  };
}

/** What other APIs call a system turn is one here too; whatever else there is was said to the model. */
function roleOf(role: string): Message["role"] {
  if (role === "system" || role === "developer") return "system";
  return role === "assistant" ? "assistant" : "user";
}
