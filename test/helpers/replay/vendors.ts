/**
 * The wire formats of the vendors, written down from their documentation: which routes they have, what they
 * refuse, how they frame a stream. Only the texts of the completions come from the test.
 */

/** A completion that is given out. */
export interface ReplayedCompletion {
  readonly text: string;
  /** "length": the token limit cut it. */
  readonly finish?: "stop" | "length";
  /** Wait before its first piece, in milliseconds: the order of arrival. */
  readonly delayMs?: number;
}

export interface ReplayedModel {
  readonly name: string;
  /** Has tokens to fill in the middle. */
  readonly infill?: boolean;
  /** Only embeds. */
  readonly embeds?: boolean;
}

export const VENDORS = ["openai", "vllm", "lmstudio", "llamacpp", "ollama", "mistral"] as const;
export type Vendor = (typeof VENDORS)[number];

/** What a vendor answers to a request that asks for no completion, or refuses. */
export interface Plain {
  readonly status: number;
  readonly json: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a vendor streams the completions of one request. */
export interface Streamed {
  readonly type: string;
  /** How many completions this request gets. */
  readonly count: number;
  readonly piece: (index: number, text: string) => string;
  readonly end: (index: number, finish: "stop" | "length", tokens: number) => string;
  /** What comes after the last completion. */
  readonly trailer: (tokens: number) => string;
  /** An error inside the stream, in the vendor's shape. */
  readonly error: (message: string) => string;
  /** The whole answer at once, as endpoints without streaming give it. */
  readonly whole: (texts: readonly string[]) => unknown;
}

export interface VendorOptions {
  readonly models: readonly ReplayedModel[];
  /** OpenAI-like servers that take `n` and give one all the same. */
  readonly ignoresCount: boolean;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a vendor does with a request. */
export function answerOf(vendor: Vendor, asked: Asked, options: VendorOptions): Plain | Streamed {
  switch (vendor) {
    case "openai":
    case "vllm":
    case "lmstudio":
      return openAiLike(vendor, asked, options);
    case "llamacpp":
      return llamaCpp(asked, options);
    case "ollama":
      return ollama(asked, options);
    case "mistral":
      return mistral(asked, options);
    default:
      return vendor satisfies never;
  }
}

/** What a vendor answers to a request without or with a wrong key. */
export function unauthorized(vendor: Vendor): Plain {
  const json =
    vendor === "mistral"
      ? { detail: "Unauthorized" }
      : {
          error: {
            message: "Incorrect API key provided.",
            type: "invalid_request_error",
            param: null,
            code: "invalid_api_key",
          },
        };
  return { status: 401, json };
}

/** Tokens of the prompt that every answer reports. */
export const PROMPT_TOKENS = 42;

const sse = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const line = (value: unknown) => `${JSON.stringify(value)}\n`;
const created = 1_760_000_000;
const OWNERS = { openai: "system", vllm: "vllm", lmstudio: "organization_owner" } as const;

function openAiLike(vendor: keyof typeof OWNERS, asked: Asked, options: VendorOptions): Plain | Streamed {
  const { path, body } = asked;
  if (path === "/v1/models") {
    const data = options.models.map(({ name }) => ({ id: name, object: "model", owned_by: OWNERS[vendor] }));
    return { status: 200, json: { object: "list", data } };
  }
  if (path === "/version" && vendor === "vllm") return { status: 200, json: { version: "0.11.0" } };
  if (path === "/api/v0/models" && vendor === "lmstudio") {
    const data = options.models.map(({ name, embeds }) => ({
      id: name,
      object: "model",
      type: embeds === true ? "embeddings" : "llm",
      state: "loaded",
    }));
    return { status: 200, json: { object: "list", data } };
  }
  const chat = path === "/v1/chat/completions";
  if (!chat && path !== "/v1/completions") {
    if (vendor === "lmstudio") {
      return { status: 200, json: { error: `Unexpected endpoint or method. (${asked.method} ${path})` } };
    }
    return { status: 404, json: { detail: "Not Found" } };
  }
  const model = String(body["model"]);
  if (!options.models.some(({ name }) => name === model)) {
    const message = `The model \`${model}\` does not exist.`;
    return { status: 404, json: { error: { message, type: "NotFoundError", param: "model", code: 404 } } };
  }
  if (vendor === "vllm" && body["suffix"] !== undefined) {
    const message = "suffix is not currently supported";
    return { status: 400, json: { error: { message, type: "BadRequestError", param: null, code: 400 } } };
  }
  const wanted = options.ignoresCount ? 1 : Number(body["n"] ?? 1);
  const head = { id: "cmpl-1", created, model };
  const kind = chat ? "chat.completion" : "text_completion";
  const choice = (index: number, text: string, finish: string | null) =>
    chat
      ? { index, delta: text === "" ? {} : { content: text }, finish_reason: finish }
      : { index, text, logprobs: null, finish_reason: finish };
  const chunk = (choices: readonly unknown[], usage?: unknown) =>
    sse({
      ...head,
      object: chat ? `${kind}.chunk` : kind,
      choices,
      ...(usage === undefined ? {} : { usage }),
    });
  const usageOf = (tokens: number) => ({
    prompt_tokens: PROMPT_TOKENS,
    completion_tokens: tokens,
    total_tokens: PROMPT_TOKENS + tokens,
  });
  return {
    type: "text/event-stream; charset=utf-8",
    count: wanted,
    piece: (index, text) => chunk([choice(index, text, null)]),
    end: (index, finish) => chunk([choice(index, "", finish)]),
    trailer: (tokens) =>
      `${body["stream_options"] === undefined ? "" : chunk([], usageOf(tokens))}data: [DONE]\n\n`,
    error: (message) => sse({ error: { message, type: "server_error", param: null, code: 500 } }),
    whole: (texts) => ({
      ...head,
      object: kind,
      choices: texts.map((text, index) =>
        chat
          ? { index, message: { role: "assistant", content: text }, finish_reason: "stop" }
          : { index, text, finish_reason: "stop" },
      ),
      usage: usageOf(texts.length),
    }),
  };
}

function llamaCpp(asked: Asked, options: VendorOptions): Plain | Streamed {
  const headers = { Server: "llama.cpp" };
  const [model] = options.models;
  if (asked.path === "/v1/models") {
    const data = options.models.map(({ name }) => ({ id: name, object: "model", owned_by: "llamacpp" }));
    return { status: 200, headers, json: { object: "list", data } };
  }
  if (asked.path !== "/infill") {
    const error = { code: 404, message: "File Not Found", type: "not_found_error" };
    return { status: 404, headers, json: { error } };
  }
  if (model?.infill === false) {
    const message =
      "Infill is not supported by this model: prefix token is missing. suffix token is missing.";
    return { status: 501, headers, json: { error: { code: 501, message, type: "not_supported_error" } } };
  }
  const end = (finish: "stop" | "length", tokens: number, text: string) => ({
    index: 0,
    content: text,
    tokens: [],
    id_slot: 0,
    stop: true,
    model: model?.name,
    tokens_predicted: tokens,
    tokens_evaluated: PROMPT_TOKENS,
    truncated: false,
    stop_type: finish === "length" ? "limit" : "eos",
    stopping_word: "",
  });
  return {
    type: "text/event-stream",
    count: 1,
    piece: (_, text) => sse({ index: 0, content: text, tokens: [1], stop: false, id_slot: 0 }),
    end: (_, finish, tokens) => sse(end(finish, tokens, "")),
    trailer: () => "",
    error: (message) => sse({ error: { code: 500, message, type: "server_error" } }),
    whole: ([text = ""]) => end("stop", 1, text),
  };
}

function ollama(asked: Asked, options: VendorOptions): Plain | Streamed {
  const { path, body } = asked;
  if (path === "/api/version") return { status: 200, json: { version: "0.12.6" } };
  if (path === "/v1/models") {
    const data = options.models.map(({ name }) => ({ id: name, object: "model", owned_by: "library" }));
    return { status: 200, json: { object: "list", data: data.length === 0 ? null : data } };
  }
  const name = String(body["model"]);
  const model = options.models.find((one) => one.name === name);
  const routes = ["/api/show", "/api/generate", "/api/chat"];
  if (!routes.includes(path)) return { status: 404, json: "404 page not found" };
  if (model === undefined) return { status: 404, json: { error: `model '${name}' not found` } };
  if (path === "/api/show") {
    const capabilities = model.embeds === true ? ["embedding"] : ["completion", "tools"];
    return {
      status: 200,
      json: { capabilities: model.infill === true ? [...capabilities, "insert"] : capabilities },
    };
  }
  const head = { model: name, created_at: "2026-01-01T00:00:00Z" };
  const chat = path === "/api/chat";
  if (!chat && body["prompt"] === undefined) {
    return { status: 200, json: { ...head, response: "", done: true, done_reason: "load" } };
  }
  if (!chat && body["suffix"] !== undefined && model.infill !== true) {
    return { status: 400, json: { error: `registry.ollama.ai/library/${name} does not support insert` } };
  }
  const part = (text: string) =>
    chat ? { ...head, message: { role: "assistant", content: text } } : { ...head, response: text };
  const end = (finish: string, tokens: number, text: string) => ({
    ...part(text),
    done: true,
    done_reason: finish,
    total_duration: 5_043_500_667,
    load_duration: 5_025_959,
    prompt_eval_count: PROMPT_TOKENS,
    eval_count: tokens,
  });
  return {
    type: "application/x-ndjson",
    count: 1,
    piece: (_, text) => line({ ...part(text), done: false }),
    end: (_, finish, tokens) => line(end(finish, tokens, "")),
    trailer: () => "",
    error: (message) => line({ error: message }),
    whole: ([text = ""]) => end("stop", 1, text),
  };
}

/** The fields that Mistral's FIM request has; any other is refused. */
const MISTRAL_FIELDS = new Set([
  "model",
  "prompt",
  "suffix",
  "max_tokens",
  "min_tokens",
  "temperature",
  "top_p",
  "stream",
  "stop",
  "random_seed",
]);

function mistral(asked: Asked, options: VendorOptions): Plain | Streamed {
  const { path, body } = asked;
  if (path !== "/v1/fim/completions") return { status: 404, json: { detail: "Not Found" } };
  const extra = Object.keys(body).find((field) => !MISTRAL_FIELDS.has(field));
  if (extra !== undefined) {
    const detail = [{ type: "extra_forbidden", loc: ["body", extra], msg: "Extra inputs are not permitted" }];
    return { status: 422, json: { detail } };
  }
  const model = String(body["model"]);
  if (!options.models.some(({ name }) => name === model)) {
    const message = `Invalid model: ${model}`;
    return {
      status: 400,
      json: { object: "error", message, type: "invalid_model", param: null, code: "1500" },
    };
  }
  const head = { id: "cmpl-1", created, model };
  const chunk = (text: string, finish: string | null, usage?: unknown) =>
    sse({
      ...head,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta: { content: text }, finish_reason: finish }],
      ...(usage === undefined ? {} : { usage }),
    });
  const usageOf = (tokens: number) => ({ prompt_tokens: PROMPT_TOKENS, completion_tokens: tokens });
  return {
    type: "text/event-stream; charset=utf-8",
    count: 1,
    piece: (_, text) => chunk(text, null),
    end: (_, finish, tokens) => chunk("", finish, usageOf(tokens)),
    trailer: () => "data: [DONE]\n\n",
    error: (message) => sse({ object: "error", error: { message, type: "internal_error", code: 500 } }),
    whole: ([text = ""]) => ({
      ...head,
      object: "chat.completion",
      choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
      usage: usageOf(1),
    }),
  };
}
