/**
 * OpenAI-compatible endpoints: /v1/completions with suffix and /v1/chat/completions (OpenAI, vLLM, LM Studio,
 * llama.cpp, many gateways). Wire format: OpenAI's API reference. Endpoints differ in what they take, so the
 * shape of a request is learnt from their refusals and kept.
 */
import * as z from "zod";
import { isLoopback } from "../../../shared/http/loopback.ts";
import type { StreamEvent } from "../http/completion-assembler.ts";
import type { HttpClient } from "../http/http-client.ts";
import { type HttpSourceOptions, inParallel } from "../http/http-source.ts";
import { requestCompletions, type WireRequest } from "../http/request-completions.ts";
import { parseAddress, route } from "../http/source-address.ts";
import type { CompleteOptions, Completion, CompletionRequest, Source } from "../source.ts";
import { SourceError } from "../source-error.ts";
import { infillPrompt } from "./infill.ts";
import { chatMessages } from "./prompt.ts";

/** How the text after the cursor is told: as the parameter `suffix`, by the model's own tokens, or not at all. */
export type InfillBy = "suffix" | "tokens" | "nothing";

export interface OpenAiOptions extends HttpSourceOptions {
  readonly api: "completions" | "chat";
  readonly infillBy: InfillBy;
}

/** What an endpoint has shown to take. */
interface AcceptedFields {
  /** Several completions of one request by `n`. */
  readonly many: boolean;
  readonly infillBy: InfillBy;
  readonly limit: "max_tokens" | "max_completion_tokens";
  readonly temperature: boolean;
  readonly usage: boolean;
}

/** Text as a string, or in pieces as Mistral's newer models give it. */
const content = z
  .union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))])
  .nullish()
  .transform((value) => (Array.isArray(value) ? value.map((piece) => piece.text ?? "").join("") : value));

const reply = z.looseObject({
  error: z.unknown().optional(),
  choices: z
    .array(
      z.looseObject({
        index: z.number().default(0),
        text: z.string().nullish(),
        delta: z.looseObject({ content }).nullish(),
        message: z.looseObject({ content }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .default([]),
  usage: z
    .looseObject({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() })
    .nullish(),
});

/** One value of a stream, or a whole unstreamed answer. Shared with Mistral, which uses the same shape. */
export function* readOpenAi(value: unknown): Generator<StreamEvent> {
  const parsed = reply.safeParse(value);
  if (!parsed.success) return;
  const { error, choices, usage } = parsed.data;
  if (error !== undefined && error !== null) yield { kind: "error", error };
  const prompt = usage?.prompt_tokens ?? undefined;
  const completion = usage?.completion_tokens ?? undefined;
  if (prompt !== undefined || completion !== undefined) {
    yield { kind: "usage", promptTokens: prompt, completionTokens: completion };
  }
  const [only] = choices.length === 1 ? choices : [];
  for (const choice of choices) {
    const { index } = choice;
    const text = choice.text ?? choice.delta?.content ?? choice.message?.content;
    if (text !== undefined && text !== null) yield { kind: "text", index, text };
    const reason = choice.finish_reason;
    if (reason === undefined || reason === null || reason === "") continue;
    const complete = reason !== "length" && reason !== "model_length" && reason !== "content_filter";
    // The count is for all completions of the request together: it belongs to one only where there is one.
    const tokens = choice === only && index === 0 ? completion : undefined;
    yield { kind: "end", index, complete, ...(tokens === undefined ? {} : { tokens }) };
  }
}

/** @throws SourceError bad_address */
export function openAiSource(options: OpenAiOptions, http: HttpClient): Source {
  const base = parseAddress(options.address, options.label);
  const remote = !isLoopback(base);
  let accepted: AcceptedFields = {
    many: true,
    infillBy: options.infillBy,
    limit: "max_tokens",
    temperature: true,
    usage: true,
  };

  const ask = (request: CompletionRequest, count: number, key: string | undefined): WireRequest => ({
    source: options.label,
    model: options.model,
    url: route(base, "/v1", options.api === "chat" ? "/chat/completions" : "/completions"),
    key,
    body: {
      model: options.model,
      ...(options.api === "chat"
        ? { messages: chatMessages(request) }
        : promptOf(request, options.model, accepted.infillBy)),
      ...(count > 1 ? { n: count } : {}),
      [accepted.limit]: request.maxTokens,
      ...(accepted.temperature ? { temperature: request.temperature } : {}),
      stream: true,
      ...(accepted.usage ? { stream_options: { include_usage: true } } : {}),
    },
    count,
    framing: "sse",
    read: readOpenAi,
  });

  async function* attempt(
    request: CompletionRequest,
    complete: CompleteOptions,
    key: string | undefined,
  ): AsyncGenerator<Completion> {
    let given = 0;
    if (accepted.many && request.count > 1) {
      for await (const completion of requestCompletions(http, ask(request, request.count, key), complete)) {
        given += 1;
        yield completion;
      }
      if (given >= request.count || complete.signal.aborted) return;
      // It took `n` and gave fewer: the rest is asked for one by one, and so are all from now on.
      accepted = { ...accepted, many: false };
    }
    const missing = Array.from({ length: request.count - given }, () => ask(request, 1, key));
    yield* inParallel(http, missing, complete);
  }

  return {
    id: options.id,
    label: options.label,
    remote,
    automatic: options.automatic,
    async *complete(request, complete) {
      const key = await options.key();
      // Every lesson takes something away from the request, so this ends.
      for (;;) {
        let given = 0;
        const asked = accepted;
        try {
          for await (const completion of attempt(request, complete, key)) {
            given += 1;
            yield completion;
          }
          return;
        } catch (error) {
          const lesson = given === 0 ? lessonOf(error, asked) : undefined;
          if (lesson === undefined) throw error;
          accepted = { ...accepted, ...lesson };
        }
      }
    },
  };
}

/** The fields that tell a completions endpoint what stands around the cursor. */
function promptOf(
  request: CompletionRequest,
  model: string,
  by: InfillBy,
): Readonly<Record<string, unknown>> {
  const { prefix, suffix } = request;
  switch (by) {
    case "suffix":
      return { prompt: prefix, ...(suffix === "" ? {} : { suffix }) };
    case "tokens":
      return { prompt: prefix, ...infillPrompt(model, prefix, suffix) };
    case "nothing":
      return { prompt: prefix };
    default:
      return by satisfies never;
  }
}

/** What a refusal says of the shape it met; undefined when it is about something else. */
function lessonOf(error: unknown, asked: AcceptedFields): Partial<AcceptedFields> | undefined {
  if (!(error instanceof SourceError) || (error.kind !== "rejected" && error.kind !== "failed")) {
    return undefined;
  }
  const { parameter = "", detail = "" } = error.values;
  const names = (name: string, words: RegExp) => parameter === name || words.test(detail);
  if (asked.limit === "max_tokens" && names("max_tokens", /max_completion_tokens/)) {
    return { limit: "max_completion_tokens" };
  }
  if (asked.infillBy === "suffix" && names("suffix", /\bsuffix\b/i)) return { infillBy: "tokens" };
  if (asked.usage && names("stream_options", /stream_options|include_usage/)) return { usage: false };
  if (asked.temperature && names("temperature", /\btemperature\b/i)) return { temperature: false };
  if (asked.many && names("n", /\bn\b|completion choice|multiple (?:choices|completions)/)) {
    return { many: false };
  }
  return undefined;
}
