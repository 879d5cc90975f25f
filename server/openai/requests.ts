/**
 * What OpenAI's clients send, as far as it matters here. Unknown fields are ignored, as everywhere.
 * Source: https://platform.openai.com/docs/api-reference (chat/create, completions/create).
 */
import { z } from "zod";
import { LIMITS } from "../../shared/contract.ts";

/** Most samples that one request may draw: a writer holds them all in one batch. */
export const MOST_SAMPLES = 32;
/** Most tokens of one sample. */
const MOST_TOKENS = 8192;

const text = z.string().max(LIMITS.textChars, `A text may have at most ${LIMITS.textChars} characters.`);
const samples = z
  .int()
  .min(1)
  .max(MOST_SAMPLES, `at most ${MOST_SAMPLES} samples can be drawn for one request.`);

/** Of a message in several parts only the text can be read. */
const content = z.union(
  [
    text,
    z
      .array(z.object({ type: z.literal("text"), text }), {
        error: "only parts of type text can be read.",
      })
      .transform((parts) => parts.map((part) => part.text).join("\n")),
    z.null().transform(() => ""),
  ],
  { error: "content must be text." },
);

const chatMessage = z.object({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content: content.default(""),
});

const common = {
  /** Writer, or the upstream's model. */
  model: z.string().max(256).nullish(),
  /** Completions that are returned: the best of those that were drawn. */
  n: samples.nullish(),
  /** Completions that are drawn and ranked. */
  best_of: samples.nullish(),
  max_tokens: z.int().min(1).max(MOST_TOKENS).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z
    .union([text, z.array(text).max(16)])
    .nullish()
    .transform((stop) => (typeof stop === "string" ? [stop] : (stop ?? []))),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  /** Programming language, for ranking at a cursor; guessed from the text where it is not given. */
  language: z.string().max(64).nullish(),
};

export const chatRequest = z.looseObject({
  ...common,
  messages: z.array(chatMessage).min(1).max(1024),
  max_completion_tokens: z.int().min(1).max(MOST_TOKENS).nullish(),
  tools: z.array(z.unknown()).nullish(),
  functions: z.array(z.unknown()).nullish(),
});
export type ChatRequest = z.infer<typeof chatRequest>;

export const completionRequest = z.looseObject({
  ...common,
  prompt: z.union([text, z.tuple([text]).transform(([only]) => only)], {
    error: "prompt must be one text: token ids and several prompts are not supported.",
  }),
  suffix: text.nullish(),
});
export type CompletionRequest = z.infer<typeof completionRequest>;
