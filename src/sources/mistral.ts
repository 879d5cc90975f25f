/**
 * Mistral's fill-in-the-middle endpoint (api.mistral.ai, codestral.mistral.ai), which refuses every field that
 * it does not document and gives one completion a request. Wire format: Mistral's OpenAPI document.
 */
import { isLoopback, parseAddress, route } from "./address.ts";
import { type Ask, inParallel } from "./exchange.ts";
import type { HttpClient } from "./http.ts";
import { readOpenAi } from "./openai.ts";
import type { Source } from "./source.ts";

export interface MistralOptions {
  readonly id: string;
  readonly label: string;
  readonly address: string;
  readonly model: string;
  readonly automatic: boolean;
  readonly key: () => Promise<string | undefined>;
}

/** @throws SourceError bad_address */
export function mistralSource(options: MistralOptions, http: HttpClient): Source {
  const base = parseAddress(options.address, options.label);
  return {
    id: options.id,
    label: options.label,
    remote: !isLoopback(base),
    automatic: options.automatic,
    async *complete(request, complete) {
      const key = await options.key();
      const ask: Ask = {
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
      };
      yield* inParallel(http, Array<Ask>(request.count).fill(ask), complete);
    },
  };
}
