/**
 * The way from the extension to a source over HTTP: the program's own client (shared/http), by the editor's proxy
 * settings for remote hosts, with our limits, and with failures in the words of a source's user.
 */

import { HttpFailure } from "../../../shared/http/http-failure.ts";
import { type HttpReply, send, type TimeLimits } from "../../../shared/http/send.ts";
import { SourceError } from "../source-error.ts";
import { type NetworkSettings, ProxyAgents, routeTo } from "./network.ts";
import { shown } from "./source-address.ts";

/** Most bytes of one answer, after decompression: hundreds of completions with their framing. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * In milliseconds: a connection (and its TLS), the head of the answer (local servers load their model before it), the
 * time between two pieces, and all of it. The deadline of a whole request comes from the caller's signal.
 */
const TIME_LIMITS: Required<TimeLimits> = { connect: 5_000, head: 120_000, idle: 60_000, total: 300_000 };

export interface SourceHttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** In place of the usual ones. */
  readonly limits?: TimeLimits;
  /** Label of the source, for messages. */
  readonly source: string;
  /** Called once there is a connection: from then on the request may cost something. */
  readonly onSent?: () => void;
}

export interface HttpClient {
  /**
   * Any status is a reply.
   * @throws SourceError; where the caller's signal was aborted, its reason
   */
  readonly open: (request: SourceHttpRequest) => Promise<HttpReply>;
}

/** Proxy Authentication Required. */
const PROXY_AUTHENTICATION = 407;

/** A client under the given settings, which are read anew for every request. */
export function createHttpClient(settings: () => NetworkSettings): HttpClient {
  const proxies = new ProxyAgents();
  return {
    async open(request) {
      const url = new URL(request.url);
      const current = settings();
      const { proxyShown } = routeTo(url, current, proxies, true);
      const toSourceError = errorsOf(request, url, proxyShown);
      try {
        const reply = await send({
          method: request.method,
          url,
          headers: {
            Accept: "text/event-stream, application/x-ndjson, application/json",
            ...(request.body === undefined ? {} : { "Content-Type": "application/json" }),
            ...request.headers,
          },
          body: request.body === undefined ? undefined : JSON.stringify(request.body),
          signal: request.signal,
          limits: { ...TIME_LIMITS, ...request.limits },
          maxBytes: MAX_ANSWER_BYTES,
          route: (keep) => routeTo(url, current, proxies, keep),
          ...(request.onSent && { onSent: request.onSent }),
        });
        if (reply.status === PROXY_AUTHENTICATION) {
          reply.discard();
          const values = { source: request.source, address: shown(url), proxy: proxyShown };
          throw new SourceError("proxy", values);
        }
        return { ...reply, body: translated(reply.body, toSourceError) };
      } catch (error) {
        throw toSourceError(error);
      }
    },
  };
}

/** The same pieces; what reading throws is put into the words of a source. */
async function* translated(
  body: AsyncIterable<Uint8Array>,
  toSourceError: (error: unknown) => unknown,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw toSourceError(error);
  }
}

/** @returns what to throw for what was thrown by this request */
function errorsOf(request: SourceHttpRequest, url: URL, proxy: string): (error: unknown) => unknown {
  const started = performance.now();
  return (error) => {
    if (error instanceof SourceError) return error;
    if (request.signal.aborted) return request.signal.reason;
    const values = {
      source: request.source,
      address: shown(url),
      proxy,
      seconds: String(Math.max(1, Math.round((performance.now() - started) / 1000))),
      limit: String(MAX_ANSWER_BYTES / (1024 * 1024)),
    };
    if (!(error instanceof HttpFailure)) return new SourceError("unexpected", values);
    switch (error.reason) {
      case "name":
      case "refused":
      case "unreachable":
        return new SourceError(proxy === "" ? "unreachable" : "proxy", values);
      case "silent":
        return new SourceError(error.limit === "connect" ? "unreachable" : "timeout", values);
      case "authority":
      case "certificate":
        return new SourceError("certificate", { ...values, code: error.code ?? "" });
      case "cut":
        return new SourceError("dropped", values);
      case "protocol":
        return new SourceError("wrong_service", values);
      case "too_large":
        return new SourceError("too_large", values);
      case "unknown":
        return new SourceError("unexpected", values);
      default:
        return error.reason satisfies never;
    }
  };
}
