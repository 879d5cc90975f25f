/** The only caller of the reward server. */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import type { CompletionLine } from "../../shared/completion-contract.ts";
import type {
  CandidateInput,
  ErrorCode,
  ErrorReply,
  Mode,
  Priority,
  RankReply,
  Task,
} from "../../shared/contract.ts";
import { isAbort } from "../base/log.ts";
import type { Hint } from "../reward-server/death-hints.ts";

export interface ServerEndpoint {
  /** Base address without a path: "http://127.0.0.1:41234". */
  readonly url: string;
  readonly token: string;
  /** Whose connections are to be used: a server found by its lease proves itself on each of them first. */
  readonly agent?: HttpAgent;
}

export interface RankBody {
  readonly task: Task;
  readonly candidates: readonly CandidateInput[];
  readonly mode?: Mode;
  readonly model?: string;
  readonly priority?: Priority;
}

/** A model as `GET /v1/models` lists it; the fields that people choose by. */
export interface ServerModel {
  readonly id: string;
  readonly embedded: boolean;
  readonly loaded: boolean;
  /** Why it cannot be used; undefined where it can. */
  readonly problem?: string | undefined;
}

/** Failures besides those of the server's own table. */
type ClientCode = "unreachable" | "foreign" | "timed_out";

/** What is wrong with the reward server, in one sentence with the way out. */
export class RankError extends Error {
  override readonly name: string = "RankError";
  readonly code: ErrorCode | ClientCode;
  /** What is known of the reason, where a server died; the message says it too. */
  readonly hint: Hint | undefined;
  /** The connection broke, or the server is about to end: the same request may succeed on the next one. */
  get retriable(): boolean {
    return this.code === "unreachable" || this.code === "restarting";
  }

  constructor(
    code: ErrorCode | ClientCode,
    message: string,
    options: { readonly cause?: unknown; readonly hint?: Hint | undefined } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }
}

/** A model of 8 billion parameters on a slow processor takes minutes for 32 candidates; beyond it hangs. */
const TIMEOUT_MS = 300_000;
/** Replies hold the code of up to 256 candidates; anything larger is not ours. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;
/** Asking for health or models takes no computing. */
const SHORT_TIMEOUT_MS = 5000;

/** Own agents: connections are kept, and no agent of the process decides about a proxy. */
const agents = {
  httpAgent: new HttpAgent({ keepAlive: true, maxSockets: 8 }),
  httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: 8 }),
};

/**
 * Ranks candidates.
 * @param signal aborting closes the socket, which stops the server's work before its next batch
 * @throws RankError
 */
export async function rank(
  endpoint: ServerEndpoint,
  body: RankBody,
  signal: AbortSignal,
): Promise<RankReply> {
  const reply = await call(endpoint, "POST", "/v1/rank", { body, signal, timeout: TIMEOUT_MS });
  if (!isRankReply(reply)) throw foreign(endpoint);
  return reply;
}

/** @throws RankError */
export async function listModels(
  endpoint: ServerEndpoint,
  signal: AbortSignal,
): Promise<readonly ServerModel[]> {
  const reply = await call(endpoint, "GET", "/v1/models", { signal, timeout: SHORT_TIMEOUT_MS });
  if (!isObject(reply) || !Array.isArray(reply["models"])) throw foreign(endpoint);
  return reply["models"].filter(isServerModel);
}

/**
 * Checks that a reward server answers there and takes the token.
 * @returns its version and the model in memory
 * @throws RankError
 */
export async function checkHealth(
  endpoint: ServerEndpoint,
  signal: AbortSignal,
): Promise<{ readonly version: string; readonly model: string | undefined }> {
  const reply = await call(endpoint, "GET", "/health", { signal, timeout: SHORT_TIMEOUT_MS });
  if (!isObject(reply) || typeof reply["version"] !== "string") throw foreign(endpoint);
  return {
    version: reply["version"],
    model: typeof reply["model"] === "string" ? reply["model"] : undefined,
  };
}

/**
 * Has completions written; yields each line of the stream as it comes.
 * @param signal aborting closes the socket, which stops the server's work before its next step
 * @throws RankError
 */
export async function* writeCompletions(
  endpoint: ServerEndpoint,
  body: object,
  signal: AbortSignal,
): AsyncGenerator<CompletionLine> {
  const reply = await call(endpoint, "POST", "/v1/complete", {
    body,
    signal,
    timeout: TIMEOUT_MS,
    stream: true,
  });
  if (!(reply instanceof Readable)) throw foreign(endpoint);
  try {
    for await (const line of createInterface({ input: reply, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line.trim() !== "") yield lineOf(endpoint, line);
    }
  } catch (error) {
    if (signal.aborted || isAbort(error)) throw abortReason(signal, error);
    if (error instanceof RankError) throw error;
    throw unreachable(endpoint, error);
  } finally {
    reply.destroy();
  }
}

function lineOf(endpoint: ServerEndpoint, line: string): CompletionLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw foreign(endpoint);
  }
  if (isCompletionLine(value)) return value;
  throw foreign(endpoint);
}

interface CallOptions {
  readonly body?: unknown;
  readonly signal: AbortSignal;
  readonly timeout: number;
  /** The answer as it comes, and not what it holds. */
  readonly stream?: boolean;
}

async function call(
  endpoint: ServerEndpoint,
  method: "GET" | "POST",
  path: string,
  { body, signal, timeout, stream = false }: CallOptions,
): Promise<unknown> {
  // Loaded with the first request, not with the extension.
  const { default: axios } = await import("axios");
  try {
    const response = await axios.request<unknown>({
      method,
      url: new URL(path, endpoint.url).href,
      data: body,
      signal,
      timeout,
      headers: { Authorization: `Bearer ${endpoint.token}` },
      adapter: "http",
      responseType: stream ? "stream" : "json",
      // Loopback traffic never passes a proxy, and a redirect would take the token elsewhere.
      proxy: false,
      maxRedirects: 0,
      maxContentLength: MAX_REPLY_BYTES,
      validateStatus: () => true,
      ...agents,
      ...(endpoint.agent && { httpAgent: endpoint.agent }),
    });
    if (response.status === 200) return response.data;
    throw errorIn(endpoint, response.status, stream ? await textOf(response.data) : response.data);
  } catch (error) {
    if (signal.aborted || isAbort(error)) throw abortReason(signal, error);
    if (error instanceof RankError) throw error;
    const code = isObject(error) ? error["code"] : undefined;
    if (code === "ECONNABORTED" || code === "ETIMEDOUT") {
      throw new RankError(
        "timed_out",
        `The reward server did not answer within ${timeout / 1000} s. Choose a smaller reward model, or restart the server.`,
        { cause: error },
      );
    }
    throw unreachable(endpoint, error);
  }
}

function unreachable(endpoint: ServerEndpoint, error: unknown): RankError {
  const code = isObject(error) ? error["code"] : undefined;
  return new RankError(
    "unreachable",
    `The reward server at ${endpoint.url} cannot be reached (${typeof code === "string" ? code : "connection failed"}).`,
    { cause: error },
  );
}

/** What a refusal says, of an answer that was to be streamed. */
async function textOf(reply: unknown): Promise<unknown> {
  if (!(reply instanceof Readable)) return undefined;
  try {
    return await json(reply);
  } catch {
    return undefined;
  }
}

function abortReason(signal: AbortSignal, error: unknown): unknown {
  return signal.reason instanceof Error ? signal.reason : error;
}

function errorIn(endpoint: ServerEndpoint, status: number, data: unknown): RankError {
  if (!isErrorReply(data)) return foreign(endpoint, status);
  const { code, message } = data.error;
  if (code === "unauthorized") {
    return new RankError(
      code,
      "The reward server refuses the access token. Set it with the command “CodeScaler: Set Access Token of Your Own Reward Server”.",
    );
  }
  return new RankError(code, message);
}

function foreign(endpoint: ServerEndpoint, status?: number): RankError {
  const how = status === undefined ? "" : ` (status ${status})`;
  return new RankError(
    "foreign",
    `What answers at ${endpoint.url} is not a CodeScaler reward server${how}. Check the setting codescaler.server.url.`,
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isErrorReply(value: unknown): value is ErrorReply {
  if (!isObject(value) || !isObject(value["error"])) return false;
  return typeof value["error"]["code"] === "string" && typeof value["error"]["message"] === "string";
}

function isCompletionLine(value: unknown): value is CompletionLine {
  return isObject(value) && ["completion", "done", "error"].some((key) => isObject(value[key]));
}

function isRankReply(value: unknown): value is RankReply {
  if (!isObject(value) || !isObject(value["model"]) || !Array.isArray(value["candidates"])) return false;
  return value["candidates"].every(
    (one) => isObject(one) && typeof one["id"] === "string" && typeof one["code"] === "string",
  );
}

function isServerModel(value: unknown): value is ServerModel {
  return isObject(value) && typeof value["id"] === "string" && typeof value["embedded"] === "boolean";
}
