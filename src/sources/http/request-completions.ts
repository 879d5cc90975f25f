/** One request for completions over HTTP: sent, streamed, stopped early, counted. Shared by all vendors. */

import type { HttpReply } from "../../../shared/http/send.ts";
import type { CompleteOptions, Completion } from "../source.ts";
import { SourceError } from "../source-error.ts";
import { CompletionAssembler, type StreamEvent } from "./completion-assembler.ts";
import { type Asked, sourceErrorInside, sourceErrorOf } from "./error-response.ts";
import { DONE, type Framing, jsonValues } from "./framing.ts";
import type { HttpClient } from "./http-client.ts";
import { shown } from "./source-address.ts";

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
export async function* requestCompletions(
  http: HttpClient,
  request: WireRequest,
  options: CompleteOptions,
): AsyncGenerator<Completion> {
  const assembler = new CompletionAssembler(request.count, options);
  const texts = textsIn(request.body).filter((text) => text !== request.model);
  const account = new TokenAccount(options.onSpent);
  let announced = false;
  try {
    const asked = askedBy(request, texts);
    const reply = await open(http, request, asked, account, options.signal);
    for await (const value of jsonValues(reply, request.framing, request.source, asked.address)) {
      if (value === DONE) {
        announced = true;
        yield* assembler.endAll(true);
        reply.waitAtMost(TRAILER_MS);
        continue;
      }
      for (const event of request.read(value)) {
        if (event.kind === "error") throw sourceErrorInside(event.error, asked);
        if (event.kind === "usage") account.take(event.promptTokens, event.completionTokens);
        else {
          const whole =
            event.kind === "text"
              ? assembler.add(event.index, event.text)
              : assembler.end(event.index, event.complete, event.tokens);
          if (whole !== undefined) yield whole;
        }
      }
      if (!assembler.finished) continue;
      if (assembler.stoppedEarly) break;
      reply.waitAtMost(TRAILER_MS);
    }
    if (!announced && assembler.broken) {
      throw new SourceError("dropped", { source: request.source, address: asked.address });
    }
  } catch (error) {
    // All was there; only its trailer was missing.
    if (assembler.finished || announced) return;
    yield* assembler.endAll(false);
    if (!options.signal.aborted) throw error;
  } finally {
    account.close(
      texts.reduce((sum, text) => sum + text.length, 0),
      assembler.chars,
    );
  }
}

/** @throws SourceError where the endpoint refuses */
async function open(
  http: HttpClient,
  request: WireRequest,
  asked: Asked,
  account: TokenAccount,
  signal: AbortSignal,
): Promise<HttpReply> {
  const reply = await http.open({
    method: "POST",
    url: request.url,
    headers: request.key === undefined ? {} : { Authorization: `Bearer ${request.key}` },
    body: request.body,
    signal,
    source: request.source,
    onSent: () => account.sent(),
  });
  if (reply.status >= 200 && reply.status <= 299) return reply;
  const error = await sourceErrorOf(reply, asked);
  // A refusal costs no tokens.
  account.take(0, 0);
  throw error;
}

function askedBy({ source, model, url, key }: WireRequest, texts: readonly string[]): Asked {
  const secrets = key === undefined ? texts : [key, ...texts];
  return { source, model, address: shown(new URL(url)), secrets };
}

/** What one request has spent: as the endpoint counts it, else estimated when it is over. */
class TokenAccount {
  readonly #onSpent: CompleteOptions["onSpent"];
  #sent = false;
  #promptTokens: number | undefined;
  #completionTokens: number | undefined;

  constructor(onSpent: CompleteOptions["onSpent"]) {
    this.#onSpent = onSpent;
  }

  /** Sent again on a fresh connection, it is still one request. */
  sent(): void {
    if (this.#sent) return;
    this.#sent = true;
    this.#onSpent?.({ requests: 1, promptTokens: 0, completionTokens: 0, estimated: false });
  }

  /** Takes what the endpoint counted; undefined says nothing. */
  take(promptTokens: number | undefined, completionTokens: number | undefined): void {
    this.#promptTokens = promptTokens ?? this.#promptTokens;
    this.#completionTokens = completionTokens ?? this.#completionTokens;
  }

  /**
   * Tells what was spent, if anything was sent.
   * @param promptChars length of all texts of the request, in UTF-16 units
   * @param completionChars the same of all that came
   */
  close(promptChars: number, completionChars: number): void {
    if (!this.#sent) return;
    this.#onSpent?.({
      requests: 0,
      promptTokens: this.#promptTokens ?? estimate(promptChars),
      completionTokens: this.#completionTokens ?? estimate(completionChars),
      estimated: this.#promptTokens === undefined || this.#completionTokens === undefined,
    });
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
