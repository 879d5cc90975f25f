/** From what the settings say of a source to the source. */

import { isLoopback } from "../../../shared/http/loopback.ts";
import type { HttpClient } from "../http/http-client.ts";
import { parseAddress } from "../http/source-address.ts";
import { llamaCppSource } from "../kinds/llamacpp.ts";
import { mistralSource } from "../kinds/mistral.ts";
import { ollamaSource } from "../kinds/ollama.ts";
import { openAiSource } from "../kinds/openai.ts";
import type { Source } from "../source.ts";

/** The kinds of source that are reached over HTTP, as the settings name them. */
export const HTTP_KINDS = ["openai", "openai-chat", "llamacpp", "ollama", "ollama-chat", "mistral"] as const;
export type HttpKind = (typeof HTTP_KINDS)[number];

export interface SourceConfig {
  readonly id: string;
  readonly kind: HttpKind;
  /** Base address: "http://127.0.0.1:11434", "https://api.mistral.ai". */
  readonly url: string;
  /** Name of the model; may be empty for llama.cpp, which has one loaded. */
  readonly model: string;
  /** As people read it; made from kind and model when missing. */
  readonly label?: string;
  /** For kind "openai": the endpoint takes no `suffix` or ignores it (LM Studio, vLLM); the model's own tokens are used. */
  readonly modelTokens?: boolean;
  /** A remote source may be asked by typing. Local ones always may. */
  readonly automatic?: boolean;
}

/** Names of the kinds, as people read them. */
export const KIND_NAMES: Readonly<Record<HttpKind, string>> = {
  openai: "OpenAI-compatible",
  "openai-chat": "OpenAI-compatible chat",
  llamacpp: "llama.cpp",
  ollama: "Ollama",
  "ollama-chat": "Ollama chat",
  mistral: "Mistral",
};

/** "Ollama: qwen2.5-coder:7b"; the path of a model file is shortened to its name. */
export function labelOf(config: SourceConfig): string {
  const model = config.model.split(/[\\/]/).at(-1) ?? "";
  const name = KIND_NAMES[config.kind];
  return config.label ?? (model === "" ? name : `${name}: ${model}`);
}

/** Whether a configured source is not on this machine; what is no address counts as remote. */
export function isRemote(config: SourceConfig): boolean {
  return !URL.canParse(config.url) || !isLoopback(new URL(config.url));
}

/**
 * Makes a source. `key` reads its API key anew for every request and is not called for anything else.
 * @throws SourceError bad_address
 */
export function createSource(
  config: SourceConfig,
  http: HttpClient,
  key: () => Promise<string | undefined>,
): Source {
  const label = labelOf(config);
  parseAddress(config.url, label);
  const { id, url: address, model } = config;
  const automatic = !isRemote(config) || config.automatic === true;
  const common = { id, label, address, model, automatic, key };
  switch (config.kind) {
    case "openai":
      return openAiSource(
        { ...common, api: "completions", infillBy: config.modelTokens === true ? "tokens" : "suffix" },
        http,
      );
    case "openai-chat":
      return openAiSource({ ...common, api: "chat", infillBy: "nothing" }, http);
    case "llamacpp":
      return llamaCppSource(common, http);
    case "ollama":
      return ollamaSource({ ...common, api: "generate" }, http);
    case "ollama-chat":
      return ollamaSource({ ...common, api: "chat" }, http);
    case "mistral":
      return mistralSource(common, http);
    default:
      return config.kind satisfies never;
  }
}
