/**
 * The HTTP edge: one request to one engine that the user named, and nowhere else. Proxies come from the environment
 * (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), further certificates from NODE_EXTRA_CA_CERTS, which Node reads itself.
 */
import axios, { type AxiosResponse } from "axios";
import { VERSION } from "../../shared/contract.ts";
import { isLoopback, type Target } from "./address.ts";
import { EngineFailure } from "./failure.ts";
import { isObject, type WireRequest } from "./wire.ts";

export interface RequestOptions {
  readonly signal: AbortSignal;
  /** Longest time to the end of the answer. */
  readonly timeoutMs: number;
}

/** An answer is a list of numbers; a thousand of them with their labels take less. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** Longest part of an engine's own message that is passed on. */
const MESSAGE_CHARS = 200;
/** Longest pause that an engine may ask for. */
const LONGEST_RETRY_AFTER_MS = 60_000;
/** What an engine that is full, without a word on when to come back, is left alone for. */
const DEFAULT_RETRY_AFTER_MS = 2000;

/**
 * Sends a request and reads the JSON of its answer; `undefined` where the answer is empty.
 * @throws EngineFailure; the signal's reason when aborted
 */
export async function ask(target: Target, request: WireRequest, options: RequestOptions): Promise<unknown> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  options.signal.throwIfAborted();
  try {
    return readAnswer(target, request, await send(target, request, signal));
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof EngineFailure) throw error;
    if (timeout.aborted) {
      throw new EngineFailure(
        "gone",
        `${target.host} did not answer within ${options.timeoutMs / 1000} s. Check the engine there and the network.`,
      );
    }
    throw networkFailure(target, error);
  }
}

async function send(
  target: Target,
  request: WireRequest,
  signal: AbortSignal,
): Promise<AxiosResponse<string>> {
  const url = new URL(target.base + request.path);
  const once = () =>
    axios.request<string>({
      method: request.method,
      url: url.href,
      data: request.body === undefined ? undefined : JSON.stringify(request.body),
      headers: {
        Accept: "application/json",
        "User-Agent": `codescaler/${VERSION}`,
        ...(request.body !== undefined && { "Content-Type": "application/json" }),
        ...(target.token !== undefined && { Authorization: `Bearer ${target.token}` }),
      },
      adapter: "http",
      responseType: "text",
      // As it came: whether it is JSON is looked at by whoever knows what to say if not.
      transformResponse: (text: string) => text,
      // A redirect would take code and token to an address that the user did not name.
      maxRedirects: 0,
      maxContentLength: MAX_ANSWER_BYTES,
      validateStatus: () => true,
      signal,
      ...(isLoopback(url) && { proxy: false as const }),
    });
  try {
    return await once();
  } catch (error) {
    // Servers close kept connections when they like; that says nothing about their health.
    if (!signal.aborted && wasKept(error)) return once();
    throw error;
  }
}

/** Whether a connection broke that had served an earlier request. */
function wasKept(error: unknown): boolean {
  if (!isObject(error) || !(error["code"] === "ECONNRESET" || error["code"] === "EPIPE")) return false;
  return isObject(error["request"]) && error["request"]["reusedSocket"] === true;
}

function readAnswer(target: Target, request: WireRequest, response: AxiosResponse<string>): unknown {
  const { status, data } = response;
  if (status < 200 || status > 299) throw refusal(target, request, response);
  if (data === "") return undefined;
  try {
    return JSON.parse(data);
  } catch {
    throw new EngineFailure(
      "unusable",
      `${target.host} answers with something that is no JSON${/<html|<!doctype/i.test(data) ? " but a web page" : ""}. Check the address and what stands in between.`,
    );
  }
}

/** What a status other than 2xx means. */
function refusal(target: Target, request: WireRequest, response: AxiosResponse<string>): EngineFailure {
  const { status, headers } = response;
  const said = messageOf(response.data);
  const words = said === undefined ? `status ${status}` : `status ${status}: ${said}`;
  const { host } = target;
  if (status === 401 || status === 403) {
    return new EngineFailure(
      "unusable",
      `${host} refuses the ${target.token === undefined ? "request without a token" : "token"} (${words}). Set the right one in CODESCALER_ENGINE_TOKEN.`,
    );
  }
  if (status === 407) {
    return new EngineFailure(
      "gone",
      `The proxy on the way to ${host} wants a name and password (${words}). Put them into HTTPS_PROXY.`,
    );
  }
  if (status === 429 || status === 503) {
    return new EngineFailure("busy", `${host} is busy (${words}). Try again in a few seconds.`, {
      retryAfterMs: retryAfter(headers["retry-after"]),
    });
  }
  if (status === 404 || status === 405 || status === 501) {
    return new EngineFailure(
      "unusable",
      `${host} has no ${request.path} (${words}). Start the engine there as docs/fleet.md says, or check the address.`,
    );
  }
  if (status === 400 || status === 413 || status === 422) {
    return new EngineFailure("refused", `${host} refuses the request (${words}).`);
  }
  if (status >= 300 && status < 400) {
    return new EngineFailure(
      "unusable",
      `${host} redirects elsewhere (${words}), which is not followed. Give the address that it redirects to.`,
    );
  }
  return new EngineFailure("gone", `${host} failed (${words}). Look into the log of the engine there.`);
}

/** The engine's own words: vLLM says `{"error": {"message"}}`, `{"error"}`, or FastAPI's `{"detail"}`. */
function messageOf(text: string): string | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(answer)) return undefined;
  const error = isObject(answer["error"]) ? answer["error"]["message"] : answer["error"];
  const said = [error, answer["message"], answer["detail"]].find((one) => typeof one === "string");
  if (typeof said !== "string" || said.trim() === "") return undefined;
  const line = said.trim().replace(/\s+/g, " ").replace(/\.$/, "");
  return line.length > MESSAGE_CHARS ? `${line.slice(0, MESSAGE_CHARS)} …` : line;
}

/** Seconds or a date, within bounds. */
function retryAfter(value: unknown): number {
  const text = typeof value === "string" ? value.trim() : "";
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? DEFAULT_RETRY_AFTER_MS : Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms));
}

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "its name is not known",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  ECONNABORTED: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "there is no way to it",
  EHOSTUNREACH: "there is no way to it",
  ENETUNREACH: "there is no way to it",
};

function networkFailure(target: Target, error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined && !axios.isAxiosError(error)) return error;
  if (code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL/.test(code)) {
    return new EngineFailure(
      "gone",
      `The certificate of ${target.host} cannot be verified (${code}). If your network has its own authority, name its file in NODE_EXTRA_CA_CERTS.`,
      { cause: error },
    );
  }
  if (error instanceof Error && /maxContentLength/.test(error.message)) {
    return new EngineFailure(
      "unusable",
      `${target.host} answers with far more than rewards. Check the address.`,
    );
  }
  const reason = (code === undefined ? undefined : REASONS[code]) ?? code ?? "the connection was cut";
  return new EngineFailure(
    "gone",
    `${target.host} cannot be reached (${reason}). Check that the engine runs there, the address, and the network.`,
    { cause: error },
  );
}

function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string" && !at.code.startsWith("ERR_BAD")) return at.code;
  }
  return undefined;
}
