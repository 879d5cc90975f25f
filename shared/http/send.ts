/**
 * One request over HTTP, for all of the program: axios with limits of time and size, aborts that reach the socket, and
 * failures by their reason. Redirects are answers like others, because only the caller knows to whom a token may go.
 * A remote host is reached by the proxies of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY) unless the caller has
 * a route of its own; this machine is always reached directly. Further certificates come from NODE_EXTRA_CA_CERTS,
 * which Node reads itself.
 */
import http from "node:http";
import https from "node:https";
import type { Readable } from "node:stream";
import axios, { isAxiosError } from "axios";
import { codeOf, type FailureReason, HttpFailure, reasonFor, type TimeLimit } from "./http-failure.ts";
import { isLoopback } from "./loopback.ts";

/** Limits of time in milliseconds; what is left out has none. */
export type TimeLimits = { readonly [limit in TimeLimit]?: number };

/** How a host is reached, where the environment's proxies do not decide. */
export interface Route {
  /** Undefined leaves it to Node's own, which keeps connections. */
  readonly agent: http.Agent | undefined;
  /** Undefined leaves it to Node, which checks unless its environment says otherwise. */
  readonly checkCertificate?: boolean;
}

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
  /**
   * `connect`: until there is a connection (and its TLS); `head`: until the head of the answer; `idle`: between two
   * pieces of the answer; `total`: all of it.
   */
  readonly limits: TimeLimits;
  /** Most bytes of the answer, after decompression. */
  readonly maxBytes?: number;
  /** The bytes as they are sent, without decompression: for files whose hash is checked. */
  readonly verbatim?: boolean;
  /** @param keep whether a connection that was used before will do */
  readonly route?: (keep: boolean) => Route;
  /** Called once there is a connection: from then on the request may cost something. */
  readonly onSent?: () => void;
}

export interface HttpReply {
  readonly status: number;
  header(name: string): string | undefined;
  /** To be read once, or given up by leaving the loop; both close it. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Replaces the limit between two pieces, in milliseconds. */
  waitAtMost(idle: number): void;
  /** Gives the body up. */
  discard(): void;
}

/**
 * Sends a request; any status is an answer. A request that met a kept connection which the server had closed is sent
 * once more on a fresh one: servers close these when they like, and it says nothing about their health.
 * @throws HttpFailure; the signal's reason when aborted
 */
export async function send(request: HttpRequest): Promise<HttpReply> {
  try {
    return await sendOnce(request, true);
  } catch (error) {
    if (!(error instanceof HttpFailure && error.stale) || request.signal.aborted) throw error;
    return await sendOnce(request, false);
  }
}

/**
 * The whole body as text.
 * @throws HttpFailure; the signal's reason when aborted
 */
export async function textOf(reply: HttpReply): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of reply.body) pieces.push(piece);
  return Buffer.concat(pieces).toString("utf8");
}

async function sendOnce(request: HttpRequest, keep: boolean): Promise<HttpReply> {
  request.signal.throwIfAborted();
  const { url } = request;
  const route = request.route?.(keep) ?? ownRoute(keep);
  const exchange = new Exchange(request);
  try {
    const response = await axios.request<Readable>({
      url: url.href,
      method: request.method,
      headers: request.headers,
      data: request.body,
      adapter: "http",
      responseType: "stream",
      decompress: request.verbatim !== true,
      signal: exchange.signal,
      validateStatus: () => true,
      maxRedirects: 0,
      ...((request.route !== undefined || isLoopback(url)) && { proxy: false as const }),
      ...(route.agent !== undefined && { httpAgent: route.agent, httpsAgent: route.agent }),
      transport: exchange.transport(route.checkCertificate),
    });
    exchange.headArrived();
    return {
      status: response.status,
      header: (name) => {
        const value: unknown = response.headers[name.toLowerCase()];
        return value === undefined || value === null ? undefined : String(value);
      },
      body: exchange.body(response.data),
      waitAtMost: (idle) => exchange.waitAtMost(idle),
      discard: () => {
        response.data.destroy();
        exchange.abandon();
      },
    };
  } catch (error) {
    throw exchange.failure(error);
  }

  function ownRoute(kept: boolean): Route {
    const fresh = () => (url.protocol === "https:" ? new https.Agent() : new http.Agent());
    return { agent: kept ? undefined : fresh() };
  }
}

/** One request with its timers: what ended it is known when it fails. */
class Exchange {
  readonly signal: AbortSignal;
  readonly #own = new AbortController();
  readonly #request: HttpRequest;
  readonly #total: NodeJS.Timeout | undefined;
  #idle: number | undefined;
  #phase: NodeJS.Timeout | undefined;
  #expired: TimeLimit | undefined;
  #reused = false;
  #answered = false;

  constructor(request: HttpRequest) {
    const { limits } = request;
    this.#request = request;
    this.#idle = limits.idle;
    this.#total = this.#timer("total", limits.total);
    this.#phase =
      limits.connect === undefined
        ? this.#timer("head", limits.head)
        : this.#timer("connect", limits.connect);
    // Not a listener of our own: a caller may run many requests under one signal.
    this.signal = AbortSignal.any([request.signal, this.#own.signal]);
  }

  #timer(limit: TimeLimit, ms: number | undefined): NodeJS.Timeout | undefined {
    if (ms === undefined) return undefined;
    return setTimeout(() => {
      this.#expired = limit;
      this.#own.abort();
    }, ms);
  }

  #startPhase(limit: "head" | "idle"): void {
    clearTimeout(this.#phase);
    this.#phase = this.#timer(limit, limit === "head" ? this.#request.limits.head : this.#idle);
  }

  #end(): void {
    clearTimeout(this.#phase);
    clearTimeout(this.#total);
  }

  /** Closes the connection without a failure. */
  abandon(): void {
    this.#end();
    this.#own.abort();
  }

  headArrived(): void {
    this.#answered = true;
    this.#startPhase("idle");
  }

  waitAtMost(idle: number): void {
    this.#idle = idle;
    this.#startPhase("idle");
  }

  /** What axios calls instead of Node's request: it sees the socket, so that connecting has its own limit. */
  transport(checkCertificate: boolean | undefined): object {
    return {
      request: (options: https.RequestOptions, onResponse: (message: http.IncomingMessage) => void) => {
        const secure = options.protocol === "https:";
        const request = secure
          ? https.request(
              {
                ...options,
                ...(checkCertificate !== undefined && { rejectUnauthorized: checkCertificate }),
              },
              onResponse,
            )
          : http.request(options, onResponse);
        const connected = () => {
          this.#startPhase("head");
          this.#request.onSent?.();
        };
        request.once("socket", (socket) => {
          this.#reused = request.reusedSocket;
          if (!socket.connecting) connected();
          else socket.once(secure ? "secureConnect" : "connect", connected);
        });
        return request;
      },
    };
  }

  /** The pieces of the answer, within the limits of size and time. */
  async *body(stream: Readable): AsyncGenerator<Uint8Array> {
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#request;
    let size = 0;
    let whole = false;
    try {
      for await (const chunk of stream) {
        const piece: Uint8Array = chunk;
        size += piece.byteLength;
        if (size > maxBytes) throw new HttpFailure("too_large", { answered: true });
        // What the reader needs for a piece does not count against the server.
        clearTimeout(this.#phase);
        yield piece;
        this.#startPhase("idle");
      }
      whole = true;
    } catch (error) {
      throw this.failure(error);
    } finally {
      // A connection whose answer was read to the end is kept for the next request.
      if (whole) this.#end();
      else {
        stream.destroy();
        this.abandon();
      }
    }
  }

  /** What to throw for what axios or the stream threw. */
  failure(error: unknown): unknown {
    this.#end();
    if (error instanceof HttpFailure) return error;
    if (this.#request.signal.aborted) return this.#request.signal.reason;
    const answered = this.#answered;
    if (this.#expired !== undefined)
      return new HttpFailure("silent", { limit: this.#expired, answered, cause: error });
    const code = codeOf(error);
    // A mistake of ours, and no failure of the network.
    if (code === undefined && !answered && !isAxiosError(error)) return error;
    const reason: FailureReason = answered ? "cut" : reasonFor(code);
    const stale = reason === "cut" && !answered && this.#reused;
    return new HttpFailure(reason, { code, answered, stale, cause: error });
  }
}
