/** The HTTP edge: one request to one engine that the user named, and nowhere else: a redirect is not followed. */
import { VERSION } from "../../shared/contract.ts";
import { HttpFailure, wordsFor } from "../../shared/http/http-failure.ts";
import { retryAfterMs } from "../../shared/http/retry-after.ts";
import { type HttpReply, send, textOf } from "../../shared/http/send.ts";
import { EngineFailure } from "./engine-failure.ts";
import type { EngineTarget } from "./targets.ts";
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
export async function ask(
  target: EngineTarget,
  request: WireRequest,
  options: RequestOptions,
): Promise<unknown> {
  try {
    const reply = await sendTo(target, request, options);
    return readAnswer(target, request, reply, await textOf(reply));
  } catch (error) {
    throw error instanceof HttpFailure ? inWords(target, error, options) : error;
  }
}

function sendTo(target: EngineTarget, request: WireRequest, options: RequestOptions): Promise<HttpReply> {
  return send({
    method: request.method,
    url: new URL(target.base + request.path),
    headers: {
      Accept: "application/json",
      "User-Agent": `codescaler/${VERSION}`,
      ...(request.body !== undefined && { "Content-Type": "application/json" }),
      ...(target.token !== undefined && { Authorization: `Bearer ${target.token}` }),
    },
    body: request.body === undefined ? undefined : JSON.stringify(request.body),
    signal: options.signal,
    limits: { total: options.timeoutMs },
    maxBytes: MAX_ANSWER_BYTES,
  });
}

function readAnswer(target: EngineTarget, request: WireRequest, reply: HttpReply, text: string): unknown {
  if (reply.status < 200 || reply.status > 299) throw refusedBy(target, request, reply, text);
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new EngineFailure(
      "unusable",
      `${target.host} answers with something that is no JSON${/<html|<!doctype/i.test(text) ? " but a web page" : ""}. Check the address and what is in between.`,
    );
  }
}

/** What a status other than 2xx means. */
function refusedBy(
  target: EngineTarget,
  request: WireRequest,
  reply: HttpReply,
  text: string,
): EngineFailure {
  const { status } = reply;
  const said = messageOf(text);
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
      retryAfterMs: Math.min(
        LONGEST_RETRY_AFTER_MS,
        retryAfterMs(reply.header("retry-after")) ?? DEFAULT_RETRY_AFTER_MS,
      ),
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

function inWords({ host }: EngineTarget, failure: HttpFailure, { timeoutMs }: RequestOptions): EngineFailure {
  switch (failure.reason) {
    case "silent":
      return new EngineFailure(
        "gone",
        `${host} did not answer within ${timeoutMs / 1000} s. Check the engine there and the network.`,
      );
    case "too_large":
      return new EngineFailure("unusable", `${host} answers with far more than rewards. Check the address.`);
    case "authority":
    case "certificate":
      return new EngineFailure(
        "gone",
        `The certificate of ${host} cannot be verified (${failure.code}). If your network has its own authority, name its file in NODE_EXTRA_CA_CERTS.`,
        { cause: failure },
      );
    default:
      return new EngineFailure(
        "gone",
        `${host} cannot be reached (${wordsFor(failure)}). Check that the engine runs there, the address, and the network.`,
        { cause: failure },
      );
  }
}
