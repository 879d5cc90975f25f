/**
 * A language-model server for tests: real HTTP on loopback in a vendor's wire format, with recorded requests
 * and faults to inject. Used by the unit tests and by the browser tests.
 */
import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import {
  listenOnLoopback,
  type NoAnswer,
  type ReceivedRequest,
  sendJson as send,
  sendNoAnswer,
} from "./loopback.ts";
import {
  answerOf,
  type ReplayedCompletion,
  type ReplayedModel,
  type Streamed,
  unauthorized,
  type Vendor,
} from "./vendors.ts";

/** Characters of one piece of a stream: about a token. */
const PIECE_CHARS = 4;

/** One piece of a text without end. */
const FLOOD = "x".repeat(1024);

/** What goes wrong with a request for completions. `after` counts pieces of text. */
export type Fault =
  | NoAnswer
  /** The connection breaks. */
  | { readonly kind: "break"; readonly after: number }
  /** The stream goes silent and stays open. */
  | { readonly kind: "hang"; readonly after: number }
  /** The stream ends as if all were well. */
  | { readonly kind: "end"; readonly after: number }
  | { readonly kind: "garbage"; readonly after: number }
  /** An error in the vendor's shape inside a good answer. */
  | { readonly kind: "error"; readonly after: number; readonly message: string }
  /** Text without end. */
  | { readonly kind: "flood" }
  /** All completions come and the stream stays open after them. */
  | { readonly kind: "linger" }
  /** The answer comes unstreamed. */
  | { readonly kind: "whole" };

export interface RecordedRequest extends ReceivedRequest {
  /** Pieces of text that were written to it. */
  pieces: number;
}

export interface ReplayOptions {
  readonly vendor: Vendor;
  /** Default: one code model, "coder". */
  readonly models?: readonly ReplayedModel[];
  /** Given out in this order, and again from the start. */
  readonly completions?: readonly ReplayedCompletion[];
  /** Requests without this key are refused. */
  readonly key?: string;
  readonly ignoresCount?: boolean;
  /** 0 takes a free one. */
  readonly port?: number;
}

export class Replay {
  readonly url: string;
  readonly requests: RecordedRequest[] = [];
  /** Each applies to one request for completions, in order. */
  readonly faults: Fault[] = [];
  completions: readonly ReplayedCompletion[];
  readonly #close: () => Promise<void>;
  #next = 0;

  constructor(url: string, completions: readonly ReplayedCompletion[], close: () => Promise<void>) {
    this.url = url;
    this.completions = completions;
    this.#close = close;
  }

  /** The requests that asked for completions, without those for lists and loading. */
  get asked(): readonly RecordedRequest[] {
    return this.requests.filter(
      ({ body }) => "prompt" in body || "messages" in body || "input_prefix" in body,
    );
  }

  take(): ReplayedCompletion {
    const completion = this.completions[this.#next % Math.max(1, this.completions.length)];
    this.#next += 1;
    return completion ?? { text: "" };
  }

  async close(): Promise<void> {
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** Starts one on loopback; its address is in `url`. */
export async function startReplay(options: ReplayOptions): Promise<Replay> {
  const loopback = await listenOnLoopback(options.port ?? 0, (request, response) =>
    handle(replay, options, request, response),
  );
  const replay = new Replay(loopback.url, options.completions ?? [{ text: "pass" }], loopback.close);
  return replay;
}

async function handle(
  replay: Replay,
  options: ReplayOptions,
  request: ReceivedRequest,
  response: ServerResponse,
): Promise<void> {
  const { method, path, headers, body } = request;
  const record: RecordedRequest = { ...request, pieces: 0 };
  replay.requests.push(record);
  if (options.key !== undefined && headers.authorization !== `Bearer ${options.key}`) {
    const { status, json } = unauthorized(options.vendor);
    return sendJson(response, status, json);
  }
  const answer = answerOf(
    options.vendor,
    { method, path, body },
    {
      models: options.models ?? [{ name: "coder", infill: true }],
      ignoresCount: options.ignoresCount ?? options.vendor === "lmstudio",
    },
  );
  if ("json" in answer) return sendJson(response, answer.status, answer.json, answer.headers);
  const fault = replay.faults.shift();
  const completions = Array.from({ length: answer.count }, () => replay.take());
  if (fault !== undefined && beforeStream(fault, answer, completions, response)) return;
  await stream(answer, completions, fault, response, record);
}

/** Does what a fault does instead of streaming; false when the fault comes later. */
function beforeStream(
  fault: Fault,
  answer: Streamed,
  completions: readonly ReplayedCompletion[],
  response: ServerResponse,
): boolean {
  switch (fault.kind) {
    case "status":
    case "page":
    case "silence":
      sendNoAnswer(fault, response);
      return true;
    case "whole":
      sendJson(response, 200, answer.whole(completions.map(({ text }) => text)));
      return true;
    default:
      return false;
  }
}

async function stream(
  answer: Streamed,
  completions: readonly ReplayedCompletion[],
  fault: Fault | undefined,
  response: ServerResponse,
  record: RecordedRequest,
): Promise<void> {
  response.writeHead(200, { "Content-Type": answer.type });
  let tokens = 0;
  const running = completions.map((completion, index) => ({
    completion,
    index,
    pieces: cut(completion.text),
    readyAt: Date.now() + (completion.delayMs ?? 0),
  }));
  // The completions take turns, as servers that decode them in one batch send them.
  while (running.some((one) => one.pieces.length > 0)) {
    const waiting = running.filter((one) => one.pieces.length > 0);
    const soonest = Math.min(...waiting.map((one) => one.readyAt));
    if (soonest > Date.now()) await sleep(soonest - Date.now());
    for (const one of waiting) {
      if (one.readyAt > Date.now()) continue;
      if (response.destroyed) return;
      if (fault !== undefined && "after" in fault && record.pieces >= fault.after) {
        return spoil(fault, answer, response);
      }
      const piece = fault?.kind === "flood" ? FLOOD : (one.pieces.shift() ?? "");
      record.pieces += 1;
      tokens += 1;
      await write(response, answer.piece(one.index, piece));
      if (one.pieces.length > 0) continue;
      const own = cut(one.completion.text).length;
      await write(response, answer.end(one.index, one.completion.finish ?? "stop", own));
    }
  }
  if (fault?.kind !== "linger") response.end(answer.trailer(tokens));
}

function spoil(
  fault: Extract<Fault, { readonly after: number }>,
  answer: Streamed,
  response: ServerResponse,
): void {
  switch (fault.kind) {
    case "break":
      response.destroy();
      return;
    case "hang":
      return;
    case "end":
      response.end();
      return;
    case "garbage":
      response.end(answer.type.includes("event-stream") ? "data: {not json\n\n" : "{not json\n");
      return;
    case "error":
      response.end(answer.error(fault.message));
      return;
    default:
      fault satisfies never;
  }
}

/** Writes and waits until it is on its way, so that a stream arrives in pieces. */
function write(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (text === "" || response.destroyed) resolve();
    else response.write(text, () => resolve());
  });
}

/** Pieces of a text; one empty piece for an empty text, so that it begins too. */
function cut(text: string): string[] {
  const pieces = [];
  for (let start = 0; start < text.length; start += PIECE_CHARS) {
    pieces.push(text.slice(start, start + PIECE_CHARS));
  }
  return pieces.length === 0 ? [""] : pieces;
}

/** As Ollama and llama.cpp name it. */
function sendJson(
  response: ServerResponse,
  status: number,
  json: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  send(response, status, json, { "Content-Type": "application/json; charset=utf-8", ...headers });
}
