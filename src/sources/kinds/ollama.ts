/**
 * Ollama: /api/generate with suffix for code models, /api/chat for others; one request a completion, JSON a
 * line. Wire format: docs/api.md of Ollama.
 */

import * as z from "zod";
import { isLoopback } from "../../../shared/http/loopback.ts";
import { withoutEnd } from "../../../shared/text-end.ts";
import type { StreamEvent } from "../http/completion-assembler.ts";
import { sourceErrorOf } from "../http/error-response.ts";
import { wholeText } from "../http/framing.ts";
import type { HttpClient } from "../http/http-client.ts";
import { type HttpSourceOptions, inParallel } from "../http/http-source.ts";
import type { WireRequest } from "../http/request-completions.ts";
import { parseAddress, shown } from "../http/source-address.ts";
import type { CompletionRequest, Source } from "../source.ts";
import { chatMessages } from "./prompt.ts";

export interface OllamaOptions extends HttpSourceOptions {
  readonly api: "generate" | "chat";
}

/** How long a model counts as loaded after its last use: Ollama unloads it after five minutes. */
const LOADED_MS = 4 * 60_000;

/** How long loading may take: tens of gigabytes from a disk. */
const LOADING_MS = 10 * 60_000;

/** Ollama fills in only where a suffix is given; at the end of a file this one says nothing. */
const EMPTY_SUFFIX = "\n";

const reply = z.looseObject({
  error: z.unknown().optional(),
  response: z.string().optional(),
  message: z.looseObject({ content: z.string().default("") }).optional(),
  done: z.boolean().default(false),
  done_reason: z.string().optional(),
  prompt_eval_count: z.number().optional(),
  eval_count: z.number().optional(),
});

/** One line of the stream, of either route. */
export function* readOllama(value: unknown): Generator<StreamEvent> {
  const parsed = reply.safeParse(value);
  if (!parsed.success) return;
  const line = parsed.data;
  if (line.error !== undefined) yield { kind: "error", error: line.error };
  yield { kind: "text", index: 0, text: line.response ?? line.message?.content ?? "" };
  if (!line.done) return;
  const tokens = line.eval_count;
  yield { kind: "usage", promptTokens: line.prompt_eval_count, completionTokens: tokens };
  const complete = line.done_reason !== "length";
  yield { kind: "end", index: 0, complete, ...(tokens === undefined ? {} : { tokens }) };
}

/** @throws SourceError bad_address */
export function ollamaSource(options: OllamaOptions, http: HttpClient): Source {
  const base = parseAddress(options.address, options.label);
  // People copy the OpenAI address; Ollama's own routes stand beside it.
  const root = `${base.origin}${withoutEnd(base.pathname, "/").replace(/\/(?:v1|api)$/, "")}/api`;
  let loaded: { until: number; done: Promise<void> } | undefined;

  /**
   * Loads the model by a request of its own. An aborted completion aborts loading too, so automatic requests
   * with a short deadline would otherwise never see a large model loaded.
   */
  function load(key: string | undefined): Promise<void> {
    if (loaded !== undefined && loaded.until > Date.now()) return loaded.done;
    const done = requestLoad(key);
    const own = { until: Number.POSITIVE_INFINITY, done };
    loaded = own;
    done.then(
      () => {
        own.until = Date.now() + LOADED_MS;
      },
      () => {
        if (loaded === own) loaded = undefined;
      },
    );
    return done;
  }

  async function requestLoad(key: string | undefined): Promise<void> {
    const { label: source, model } = options;
    const reply = await http.open({
      method: "POST",
      url: `${root}/generate`,
      headers: key === undefined ? {} : { Authorization: `Bearer ${key}` },
      body: { model, stream: false },
      signal: AbortSignal.timeout(LOADING_MS),
      limits: { head: LOADING_MS, total: LOADING_MS },
      source,
    });
    const asked = { source, model, address: shown(base), secrets: key === undefined ? [] : [key] };
    if (reply.status < 200 || reply.status > 299) throw await sourceErrorOf(reply, asked);
    await wholeText(reply.body);
  }

  return {
    id: options.id,
    label: options.label,
    remote: !isLoopback(base),
    automatic: options.automatic,
    async *complete(request, complete) {
      const key = await options.key();
      await unlessAborted(load(key), complete.signal);
      if (complete.signal.aborted) return;
      const ask: WireRequest = {
        source: options.label,
        model: options.model,
        url: `${root}/${options.api}`,
        key,
        body: {
          model: options.model,
          ...(options.api === "chat" ? chat(request) : generate(request)),
          stream: true,
          options: { num_predict: request.maxTokens, temperature: request.temperature },
        },
        count: 1,
        framing: "ndjson",
        read: readOllama,
      };
      yield* inParallel(http, Array<WireRequest>(request.count).fill(ask), complete);
      if (loaded !== undefined && loaded.until < Number.POSITIVE_INFINITY)
        loaded.until = Date.now() + LOADED_MS;
    },
  };
}

function generate(request: CompletionRequest): Readonly<Record<string, unknown>> {
  return { prompt: request.prefix, suffix: request.suffix === "" ? EMPTY_SUFFIX : request.suffix };
}

function chat(request: CompletionRequest): Readonly<Record<string, unknown>> {
  // Reasoning first would spend the whole token limit; models without it take the field too.
  return { messages: chatMessages(request), think: false };
}

/** Waits for a promise, but no longer than until the signal is aborted. */
async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let onAbort = () => {};
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
  });
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
