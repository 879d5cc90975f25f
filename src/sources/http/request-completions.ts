/** One request for completions over HTTP: sent, streamed, stopped early, counted. Shared by all vendors. */

import { merge } from "../../base/merge.ts";
import type { CompleteOptions, Completion, CompletionRequest, Source } from "../source.ts";
import { SourceError } from "../source-error.ts";
import { Choices, type StreamEvent } from "./completion-assembler.ts";
import { type Asked, sourceErrorInside, sourceErrorOf } from "./error-response.ts";
import { DONE, type Framing, jsonValues } from "./framing.ts";
import type { HttpClient } from "./http-client.ts";
import { isLoopback, shown } from "./source-address.ts";

/** How long a stream may linger after its last completion, in milliseconds: its token counts and its end come then. */
const TRAILER_MS = 500;

/** Code has about this many UTF-16 units to a token; for endpoints that do not count. */
const CHARS_PER_TOKEN = 3.5;

/** What a vendor's file knows: the route, the body, and how to read one value of the stream. */
export interface WireRequest {
  /** Label of the source and name of the model, for messages. */
  readonly source: string;
  readonly model: string;
  readonly url: string;
  readonly key: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
  /** Completions that one such request may give. */
  readonly count: number;
  readonly framing: Framing;
  readonly read: (value: unknown) => Iterable<StreamEvent>;
}

/**
 * Sends one request; yields each completion as soon as it is whole. A broken or aborted stream yields what
 * began as incomplete; only the broken one then throws.
 * @throws SourceError
 */
export async function* exchange(
  http: HttpClient,
  ask: WireRequest,
  options: CompleteOptions,
): AsyncGenerator<Completion> {
  const choices = new Choices(ask.count, options.stopEarly);
  const texts = textsIn(ask.body).filter((text) => text !== ask.model);
  const asked: Asked = {
    source: ask.source,
    model: ask.model,
    address: shown(new URL(ask.url)),
    secrets: ask.key === undefined ? texts : [ask.key, ...texts],
  };
  let sent = false;
  let announced = false;
  let promptTokens: number | undefined;
  let completionTokens: number | undefined;
  try {
    const reply = await http.open({
      method: "POST",
      url: ask.url,
      headers: ask.key === undefined ? {} : { Authorization: `Bearer ${ask.key}` },
      body: ask.body,
      signal: options.signal,
      source: ask.source,
      onSent: () => {
        // Sent again on a fresh connection, it is still one request.
        if (sent) return;
        sent = true;
        options.onSpent?.({ requests: 1, promptTokens: 0, completionTokens: 0, estimated: false });
      },
    });
    if (reply.status < 200 || reply.status > 299) {
      const error = await sourceErrorOf(reply, asked);
      // A refusal costs no tokens.
      promptTokens = 0;
      completionTokens = 0;
      throw error;
    }
    for await (const value of jsonValues(reply, ask.framing, ask.source, asked.address)) {
      if (value === DONE) {
        announced = true;
        yield* choices.endAll(true);
        reply.waitAtMost(TRAILER_MS);
        continue;
      }
      for (const event of ask.read(value)) {
        switch (event.kind) {
          case "text": {
            const whole = choices.add(event.index, event.text);
            if (whole !== undefined) yield whole;
            break;
          }
          case "end": {
            const whole = choices.end(event.index, event.complete, event.tokens);
            if (whole !== undefined) yield whole;
            break;
          }
          case "usage":
            promptTokens = event.promptTokens ?? promptTokens;
            completionTokens = event.completionTokens ?? completionTokens;
            break;
          case "error":
            throw sourceErrorInside(event.error, asked);
          default:
            event satisfies never;
        }
      }
      if (!choices.finished) continue;
      if (choices.stoppedEarly) break;
      reply.waitAtMost(TRAILER_MS);
    }
    if (!announced && choices.broken) {
      throw new SourceError("dropped", { source: ask.source, address: asked.address });
    }
  } catch (error) {
    // All was there; only its trailer was missing.
    if (choices.finished || announced) return;
    yield* choices.endAll(false);
    if (!options.signal.aborted) throw error;
  } finally {
    if (sent) {
      options.onSpent?.({
        requests: 0,
        promptTokens: promptTokens ?? estimate(texts.reduce((sum, text) => sum + text.length, 0)),
        completionTokens: completionTokens ?? estimate(choices.chars),
        estimated: promptTokens === undefined || completionTokens === undefined,
      });
    }
  }
}

/** What every source that is reached over HTTP is made from. */
export interface HttpSourceOptions {
  readonly id: string;
  readonly label: string;
  /** Base address, as the settings have it. */
  readonly address: string;
  readonly model: string;
  readonly automatic: boolean;
  /** Reads the API key anew. */
  readonly key: () => Promise<string | undefined>;
}

/** A source whose endpoint gives one completion a request: each is asked for by the same request. */
export function sourceOfOne(
  options: HttpSourceOptions,
  base: URL,
  http: HttpClient,
  ask: (request: CompletionRequest, key: string | undefined) => WireRequest,
): Source {
  return {
    id: options.id,
    label: options.label,
    remote: !isLoopback(base),
    automatic: options.automatic,
    async *complete(request, complete) {
      const one = ask(request, await options.key());
      yield* inParallel(http, Array<WireRequest>(request.count).fill(one), complete);
    },
  };
}

/**
 * `count` requests for one completion each, side by side.
 * @throws SourceError the first, after the completions of the others were yielded
 */
export async function* inParallel(
  http: HttpClient,
  asks: readonly WireRequest[],
  options: CompleteOptions,
): AsyncGenerator<Completion> {
  const leaving = new AbortController();
  const signal = AbortSignal.any([options.signal, leaving.signal]);
  try {
    yield* merge(asks.map((ask) => exchange(http, ask, { ...options, signal })));
  } finally {
    leaving.abort();
  }
}

/** Tokens of a text by its length, where the endpoint does not count. */
export function estimate(chars: number): number {
  return Math.ceil(chars / CHARS_PER_TOKEN);
}

/** Every string of a request body: what may be the user's text is among them. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}
