/**
 * Mistral's fill-in-the-middle endpoint (api.mistral.ai, codestral.mistral.ai), which refuses every field that
 * it does not document and gives one completion a request. Wire format: Mistral's OpenAPI document.
 */

import type { HttpClient } from "../http/http-client.ts";
import { type HttpSourceOptions, sourceOfOne } from "../http/http-source.ts";
import { parseAddress, route } from "../http/source-address.ts";
import type { Source } from "../source.ts";
import { readOpenAi } from "./openai.ts";

/** @throws SourceError bad_address */
export function mistralSource(options: HttpSourceOptions, http: HttpClient): Source {
  const base = parseAddress(options.address, options.label);
  return sourceOfOne(options, base, http, (request, key) => ({
    source: options.label,
    model: options.model,
    url: route(base, "/v1", "/fim/completions"),
    key,
    body: {
      model: options.model,
      prompt: request.prefix,
      suffix: request.suffix,
      max_tokens: request.maxTokens,
      temperature: request.temperature,
      stream: true,
    },
    count: 1,
    framing: "sse",
    read: readOpenAi,
  }));
}
