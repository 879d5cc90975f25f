/** The two framings of streamed JSON, and a whole JSON answer, as one stream of values. */

import type { HttpReply } from "../../../shared/http/send.ts";
import { SourceError } from "../source-error.ts";

/** Longest line of a stream, in UTF-16 units: a whole unstreamed answer fits, an endless line does not. */
const MAX_LINE_CHARS = 4 * 1024 * 1024;

/** Server-sent events, or a JSON value a line. */
export type Framing = "sse" | "ndjson";

/** The end that OpenAI-like streams announce by `data: [DONE]`; reading on to the end keeps the connection. */
export const DONE = Symbol("done");

/**
 * The JSON values of an answer, in order. What the answer says of its own type wins over `expected`:
 * endpoints that do not stream answer with one JSON document.
 * @throws SourceError malformed, web_page, or what reading throws
 */
export async function* jsonValues(
  reply: HttpReply,
  expected: Framing,
  source: string,
  address: string,
): AsyncGenerator<unknown> {
  const malformed = () => new SourceError("malformed", { source, address });
  const parse = (text: string): unknown => {
    if (/^\s*<(?:!doctype|html)/i.test(text)) throw new SourceError("web_page", { source, address });
    try {
      return JSON.parse(text);
    } catch {
      throw malformed();
    }
  };
  const type = mediaType(reply);
  if (type === "text/html") throw new SourceError("web_page", { source, address });
  let { body } = reply;
  if (type === "application/json" && expected === "sse") {
    const text = await wholeText(body);
    // Some gateways announce JSON and send an event stream all the same.
    if (!/^\s*(?:data|event|id|:)/.test(text)) {
      yield parse(text);
      return;
    }
    body = once(text);
  }
  const framing = framingOf(type) ?? expected;
  for await (const line of lines(body, malformed)) {
    if (framing === "ndjson") {
      if (line.trim() !== "") yield parse(line);
      continue;
    }
    const data = dataOf(line);
    if (data === undefined) {
      // Not a field of an event stream: a page, or JSON where events were announced.
      if (/^\s*[<{]/.test(line)) yield parse(line);
      continue;
    }
    if (data.trim() === "[DONE]") {
      yield DONE;
      continue;
    }
    if (data.trim() !== "") yield parse(data);
  }
}

/** The media type in lower case without parameters; empty when not given. */
function mediaType(reply: HttpReply): string {
  return (reply.header("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

function framingOf(type: string): Framing | undefined {
  if (type === "text/event-stream") return "sse";
  return type === "application/x-ndjson" ? "ndjson" : undefined;
}

/** The data of an event-stream line. Every vendor sends an event's data on one line, so no lines are joined. */
function dataOf(line: string): string | undefined {
  if (line.startsWith("data:")) return line.slice("data:".length);
  // llama.cpp reports a failure inside a stream under a field of its own.
  return line.startsWith("error:") ? `{"error":${line.slice("error:".length)}}` : undefined;
}

/** Decodes UTF-8 across chunk borders and splits at any line end. */
async function* lines(body: AsyncIterable<Uint8Array>, tooLong: () => Error): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split(/\r\n|\n|\r(?!$)/);
    rest = parts.pop() ?? "";
    if (rest.length > MAX_LINE_CHARS) throw tooLong();
    yield* parts;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** All of a body as text; its size is bounded by the HTTP client. */
export async function wholeText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
