/**
 * llama.cpp's own server: /infill with the model's fill-in tokens, one request a completion; its prompt cache
 * makes the later ones cheap. Wire format: tools/server/README.md of llama.cpp.
 */

import * as z from "zod";
import { withoutEnd } from "../../../shared/text-end.ts";
import type { StreamEvent } from "../http/completion-assembler.ts";
import type { HttpClient } from "../http/http-client.ts";
import { type HttpSourceOptions, sourceOfOne } from "../http/http-source.ts";
import { parseAddress } from "../http/source-address.ts";
import type { Source } from "../source.ts";
import { WORDS } from "../source-error.ts";

const reply = z.looseObject({
  error: z.unknown().optional(),
  content: z.string().default(""),
  stop: z.boolean().default(false),
  stop_type: z.string().optional(),
  /** What servers before 2025 said instead of `stop_type`. */
  stopped_limit: z.boolean().optional(),
  truncated: z.boolean().optional(),
  tokens_predicted: z.number().optional(),
  tokens_evaluated: z.number().optional(),
});

/** One value of the stream. */
export function* readLlamaCpp(value: unknown): Generator<StreamEvent> {
  const parsed = reply.safeParse(value);
  if (!parsed.success) return;
  const part = parsed.data;
  if (part.error !== undefined) yield { kind: "error", error: part.error };
  yield { kind: "text", index: 0, text: part.content };
  if (!part.stop) return;
  yield { kind: "usage", promptTokens: part.tokens_evaluated, completionTokens: part.tokens_predicted };
  const cut = part.stop_type === "limit" || part.stopped_limit === true || part.truncated === true;
  const tokens = part.tokens_predicted;
  yield { kind: "end", index: 0, complete: !cut, ...(tokens === undefined ? {} : { tokens }) };
}

/**
 * @param options.model only a server in router mode needs to be told; empty otherwise
 * @throws SourceError bad_address
 */
export function llamaCppSource(options: HttpSourceOptions, http: HttpClient): Source {
  const base = parseAddress(options.address, options.label);
  // People copy the OpenAI address; the route stands beside it.
  const root = withoutEnd(base.pathname, "/").replace(/\/v1$/, "");
  return sourceOfOne(options, base, http, (request, key) => ({
    source: options.label,
    model: options.model === "" ? WORDS.loaded_model : options.model,
    url: `${base.origin}${root}/infill`,
    key,
    body: {
      ...(options.model === "" ? {} : { model: options.model }),
      input_prefix: request.prefix,
      input_suffix: request.suffix,
      n_predict: request.maxTokens,
      temperature: request.temperature,
      cache_prompt: true,
      stream: true,
    },
    count: 1,
    framing: "sse",
    read: readLlamaCpp,
  }));
}
