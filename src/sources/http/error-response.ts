/** Reads what an endpoint answered instead of completions: the vendors' error bodies, one meaning. */

import { retryAfterMs } from "../../../shared/http/retry-after.ts";
import type { HttpReply } from "../../../shared/http/send.ts";
import type { SourceErrorKind, SourceErrorValues } from "../source-error.ts";
import { SourceError, WORDS } from "../source-error.ts";
import { wholeText } from "./framing.ts";

/** Pause after "too many requests" that does not say how long: most vendors count by the minute. */
const PAUSE_MS = 30_000;

/** Longest pause that is believed: a header of years is a mistake. */
const MAX_PAUSE_MS = 24 * 60 * 60 * 1000;

/** Longest piece of an endpoint's own words that is shown. */
const MAX_DETAIL_CHARS = 200;

/** Shortest line of the request that would be recognised in an endpoint's words as the user's code. */
const MIN_ECHO_CHARS = 8;

/** What was asked, as far as a refusal needs it. */
export interface Asked {
  readonly source: string;
  readonly model: string;
  readonly address: string;
  /** Texts that must not reach a message: the key, the code. */
  readonly secrets: readonly string[];
}

/** The failure that an answer with an error status means. */
export async function sourceErrorOf(reply: HttpReply, asked: Asked, now = Date.now()): Promise<SourceError> {
  const text = await wholeText(reply.body);
  return sourceErrorFor(reply.status, parsed(text), asked, reply.header, now);
}

/** The failure that an error object inside a good answer means: in a stream, or LM Studio's 200 for no such route. */
export function sourceErrorInside(error: unknown, asked: Asked): SourceError {
  const words = wordsOf({ error });
  const status = typeof words.code === "number" ? words.code : words.status;
  if (/unexpected endpoint/i.test(words.message))
    return sourceErrorFor(404, {}, asked, () => undefined, Date.now());
  return sourceErrorFor(status ?? 500, { error }, asked, () => undefined, Date.now());
}

/** Most of an endpoint's words that are looked at, in UTF-16 units. */
const MOST_SAID = 4_000;

function sourceErrorFor(
  status: number,
  body: unknown,
  asked: Asked,
  header: HttpReply["header"],
  now: number,
): SourceError {
  const words = wordsOf(body);
  const said = `${words.message} ${words.code} ${words.type}`.slice(0, MOST_SAID);
  const values: SourceErrorValues = {
    source: asked.source,
    model: asked.model,
    address: asked.address,
    status: String(status),
    detail: detailOf(words, asked.secrets),
    parameter: words.param,
    target: originOf(header("location")),
  };
  const kind = kindOf(status, said, words.message !== "");
  if (kind !== "rate_limited" && kind !== "loading") return new SourceError(kind, values);
  const pause = pauseOf(header, now);
  if (kind === "loading" && pause === undefined) return new SourceError("loading", values);
  const retryAt = now + Math.min(pause ?? PAUSE_MS, MAX_PAUSE_MS);
  const time = new Date(retryAt).toLocaleTimeString();
  return new SourceError(kind, { ...values, time }, retryAt);
}

/** What a status and the endpoint's words mean. */
function kindOf(status: number, said: string, explained: boolean): SourceErrorKind {
  if (status >= 300 && status < 400) return "redirected";
  if (/model[^.]*(?:not found|not exist)|model_not_found|invalid[_ ]model|no such model/i.test(said)) {
    return "no_model";
  }
  if (/does not support insert|infill is not supported/i.test(said)) return "no_infill";
  switch (status) {
    case 401:
      return "unauthorized";
    case 402:
      return "no_credit";
    case 403:
      return "forbidden";
    // A 404 with a reason comes from the service, one without from a server that has no such route.
    case 404:
      return explained && !/not found|unexpected endpoint|invalid url/i.test(said)
        ? "rejected"
        : "wrong_service";
    case 405:
    case 501:
      return "wrong_service";
    case 429:
      return /insufficient_quota|billing|credit/i.test(said) ? "no_credit" : "rate_limited";
    case 503:
      return "loading";
    default:
      return status >= 500 ? "failed" : "rejected";
  }
}

interface Words {
  readonly message: string;
  readonly code: string | number;
  readonly type: string;
  readonly param: string;
  readonly status: number | undefined;
}

/**
 * The words in an error body. Shapes: `{"error": {"message","code","type","param"}}` (OpenAI, vLLM, llama.cpp),
 * `{"error": "…"}` (Ollama, LM Studio), `{"object":"error","message",…}` (older vLLM, Mistral),
 * `{"detail": "…" | [{"loc","msg"}]}` (FastAPI: Mistral, TGI).
 */
function wordsOf(body: unknown): Words {
  const outer = record(body);
  const error = outer["error"];
  const inner = typeof error === "object" && error !== null ? record(error) : outer;
  const detail = outer["detail"];
  const [first] = Array.isArray(detail) ? detail : [];
  const invalid = record(first);
  const loc = invalid["loc"];
  const field = Array.isArray(loc) ? text(loc.at(-1)) : "";
  const message =
    (typeof error === "string" ? error : text(inner["message"])) ||
    (typeof detail === "string" ? detail : `${field} ${text(invalid["msg"])}`.trim());
  const code = inner["code"];
  return {
    message,
    code: typeof code === "number" ? code : text(code),
    type: text(inner["type"]),
    param: text(inner["param"]) || field,
    status: typeof code === "number" ? code : undefined,
  };
}

/** The endpoint's own words as one short line; nothing when they repeat the key or the code. */
function detailOf(words: Words, secrets: readonly string[]): string {
  const line = words.message.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  if (line === "") return WORDS.no_reason;
  const leaks = secrets
    .flatMap((secret) => secret.split("\n"))
    .map((secret) => secret.replaceAll(/\s+/g, " ").trim())
    .some((secret) => secret.length >= MIN_ECHO_CHARS && line.includes(secret));
  if (leaks) return WORDS.reason_hidden;
  return line.length > MAX_DETAIL_CHARS ? `“${line.slice(0, MAX_DETAIL_CHARS)}…”` : `“${line}”`;
}

/** How long to wait, in milliseconds: `retry-after-ms`, which some vendors send, or `Retry-After`. */
function pauseOf(header: HttpReply["header"], now: number): number | undefined {
  const exact = Number(header("retry-after-ms"));
  return Number.isFinite(exact) && exact >= 0 ? exact : retryAfterMs(header("retry-after"), now);
}

function originOf(location: string | undefined): string {
  return location !== undefined && URL.canParse(location) ? new URL(location).origin : WORDS.another_address;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
