/**
 * The only way from the extension to a source over HTTP: axios with the editor's proxy settings for remote
 * hosts and none for this machine, time limits, bounded bodies, and aborts that reach the socket.
 */
import http from "node:http";
import https from "node:https";
import type { Readable } from "node:stream";
import axios, { AxiosError } from "axios";
import { SourceError, type SourceErrorKind, type SourceErrorValues } from "../source-error.ts";
import { type NetworkSettings, ProxyAgents, routeTo } from "./network.ts";
import { shown } from "./source-address.ts";

/** Most bytes of one answer, after decompression: hundreds of completions with their framing. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Time limits in milliseconds. The deadline of a whole request comes from the caller's signal. */
export interface TimeLimits {
  /** Until there is a connection (and its TLS): a machine that is off or a dropped packet. */
  readonly connect: number;
  /** Until the head of the answer: local servers load their model before it. */
  readonly head: number;
  /** Between two pieces of the answer. */
  readonly idle: number;
  /** All of it. */
  readonly total: number;
}

const TIME_LIMITS: TimeLimits = { connect: 5_000, head: 120_000, idle: 60_000, total: 300_000 };

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
  readonly limits?: Partial<TimeLimits>;
  /** Label of the source, for messages. */
  readonly source: string;
  /** Called once there is a connection: from then on the request may cost something. */
  readonly onSent?: () => void;
}

export interface HttpReply {
  readonly status: number;
  /** Lower case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Media type in lower case without parameters; empty when not given. */
  readonly type: string;
  /** To be read once, or given up by leaving the loop; both close it. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Replaces the limit between two pieces, for a trailer that may never come. */
  readonly waitAtMost: (idle: number) => void;
}

export interface HttpClient {
  /**
   * Any status is a reply.
   * @throws SourceError; where the caller's signal was aborted, its reason
   */
  readonly open: (request: HttpRequest) => Promise<HttpReply>;
}

/** Codes of Node for a connection that could not be made. */
const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EADDRNOTAVAIL",
  "ETIMEDOUT",
  "EINVAL",
]);

/** Codes of OpenSSL and Node for a certificate that is not accepted. */
const CERTIFICATE =
  /^(?:CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|ERR_TLS_CERT|INVALID_CA|HOSTNAME_MISMATCH|PATH_LENGTH)/;

/** Proxy Authentication Required. */
const PROXY_AUTHENTICATION = 407;

/** A client under the given settings, which are read anew for every request. */
export function createHttpClient(settings: () => NetworkSettings): HttpClient {
  const proxies = new ProxyAgents();
  return {
    async open(request) {
      try {
        return await send(request, settings(), proxies, true);
      } catch (error) {
        if (!(error instanceof StaleConnection) || request.signal.aborted) throw error;
        return await send(request, settings(), proxies, false);
      }
    },
  };
}

/** A kept connection that the server had closed before it answered: nothing was received, so nothing is lost. */
class StaleConnection extends SourceError {}

async function send(
  request: HttpRequest,
  settings: NetworkSettings,
  proxies: ProxyAgents,
  keep: boolean,
): Promise<HttpReply> {
  request.signal.throwIfAborted();
  const url = new URL(request.url);
  const limits = { ...TIME_LIMITS, ...request.limits };
  const route = routeTo(url, settings, proxies, keep);
  const exchange = new Exchange(request, url, limits);
  const { agent } = route;
  try {
    const response = await axios.request<Readable>({
      url: request.url,
      method: request.method,
      headers: {
        Accept: "text/event-stream, application/x-ndjson, application/json",
        ...(request.body === undefined ? {} : { "Content-Type": "application/json" }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { data: JSON.stringify(request.body) }),
      responseType: "stream",
      signal: exchange.signal,
      validateStatus: () => true,
      // A redirect would carry code and key to a place that nobody chose.
      maxRedirects: 0,
      // Environment variables are never read: for this machine there is no proxy, for others the settings say.
      proxy: false,
      ...(agent === undefined ? {} : { httpAgent: agent, httpsAgent: agent }),
      transport: exchange.transport(route.checkCertificate),
    });
    exchange.headArrived();
    if (response.status === PROXY_AUTHENTICATION) {
      exchange.abandon();
      throw new SourceError("proxy", { ...exchange.values, proxy: route.proxyShown });
    }
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(response.headers)) headers[name.toLowerCase()] = String(value);
    return {
      status: response.status,
      headers,
      type: (headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "",
      body: exchange.body(response.data),
      waitAtMost: (idle) => exchange.waitAtMost(idle),
    };
  } catch (error) {
    throw exchange.failure(error, route.proxyShown);
  }
}

/** One request with its timers: what ended it is known when it fails. */
class Exchange {
  readonly #own = new AbortController();
  readonly #request: HttpRequest;
  readonly #limits: TimeLimits;
  readonly #started = performance.now();
  readonly values: SourceErrorValues;
  readonly #total: NodeJS.Timeout;
  #idle: number;
  #phase: NodeJS.Timeout;
  #timedOut: keyof TimeLimits | undefined;
  #reused = false;
  #answered = false;

  constructor(request: HttpRequest, url: URL, limits: TimeLimits) {
    this.#request = request;
    this.#limits = limits;
    this.#idle = limits.idle;
    this.values = { source: request.source, address: shown(url) };
    this.#total = setTimeout(() => this.#expire("total"), limits.total);
    this.#phase = setTimeout(() => this.#expire("connect"), limits.connect);
    request.signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  readonly #onAbort = () => this.abandon();

  #expire(limit: keyof TimeLimits): void {
    this.#timedOut = limit;
    this.#own.abort();
  }

  #startPhase(phase: "head" | "idle"): void {
    clearTimeout(this.#phase);
    const limit = phase === "head" ? this.#limits.head : this.#idle;
    this.#phase = setTimeout(() => this.#expire(phase), limit);
  }

  #end(): void {
    clearTimeout(this.#phase);
    clearTimeout(this.#total);
    this.#request.signal.removeEventListener("abort", this.#onAbort);
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

  /** What axios calls instead of Node's request: sees the socket, so that connecting has its own limit. */
  transport(checkCertificate: boolean): object {
    return {
      request: (options: https.RequestOptions, onResponse: (message: http.IncomingMessage) => void) => {
        const secure = options.protocol === "https:";
        const request = secure
          ? https.request({ ...options, rejectUnauthorized: checkCertificate }, onResponse)
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
    let size = 0;
    let whole = false;
    try {
      for await (const chunk of stream) {
        const piece: Uint8Array = chunk;
        size += piece.byteLength;
        if (size > MAX_ANSWER_BYTES) {
          throw new SourceError("too_large", {
            ...this.values,
            limit: String(MAX_ANSWER_BYTES / (1024 * 1024)),
          });
        }
        this.#startPhase("idle");
        yield piece;
      }
      whole = true;
    } catch (error) {
      throw this.failure(error, "");
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
  failure(error: unknown, proxy: string): unknown {
    this.#end();
    if (error instanceof SourceError) return error;
    if (this.#request.signal.aborted) return this.#request.signal.reason;
    const fail = (kind: SourceErrorKind, more: SourceErrorValues = {}) =>
      new SourceError(kind, { ...this.values, ...more });
    if (this.#timedOut !== undefined) {
      return fail(this.#timedOut === "connect" ? "unreachable" : "timeout", {
        seconds: String(Math.max(1, Math.round((performance.now() - this.#started) / 1000))),
      });
    }
    const code = codeOf(error);
    if (this.#answered) return fail("dropped");
    if (CERTIFICATE.test(code)) return fail("certificate", { code });
    if (this.#reused && (code === "ECONNRESET" || code === "EPIPE"))
      return new StaleConnection("dropped", this.values);
    if (UNREACHABLE.has(code)) return fail(proxy === "" ? "unreachable" : "proxy", { proxy });
    if (code === "ECONNRESET" || code === "EPIPE" || code === "ECONNABORTED") return fail("dropped");
    // Something that speaks no HTTP, or TLS where none was expected.
    if (code.startsWith("HPE_") || code === "EPROTO" || code.startsWith("ERR_SSL"))
      return fail("wrong_service");
    return fail("unexpected");
  }
}

function codeOf(error: unknown): string {
  if (error instanceof AxiosError) return error.code ?? "";
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
