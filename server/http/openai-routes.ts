/**
 * `POST /v1/chat/completions` and `POST /v1/completions`: best of N for any client of OpenAI's API, by changing its
 * base URL. Samples are drawn, ranked by the judge, and the best returned.
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { z } from "zod";
import type { Task } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";
import { bestOf, type Choices, type Ranker } from "../openai/best-of.ts";
import { cursorOf } from "../openai/fill-in.ts";
import { type Endpoint, streamedReply, wholeReply } from "../openai/replies.ts";
import {
  type ChatRequest,
  type CompletionRequest,
  chatRequest,
  completionRequest,
} from "../openai/requests.ts";
import type { Prompt, SampleRequest, SampleSource } from "../openai/samples.ts";
import { passThrough, type Upstream } from "../openai/upstream.ts";

export interface OpenAiDependencies {
  readonly source: SampleSource;
  /** Present where the samples come from another server. */
  readonly upstream: Upstream | undefined;
  /** Samples that are drawn where a request does not say. */
  readonly bestOf: number;
  readonly rank: (signal: AbortSignal) => Ranker;
  /** Language of a piece of code; undefined where it cannot be seen. */
  readonly languageOf: (code: string, signal: AbortSignal) => Promise<string | undefined>;
  /** Reads a body by a schema. @throws ServiceError invalid_request */
  readonly parse: <T extends z.ZodType>(schema: T, body: unknown) => z.output<T>;
  /** Aborted when the client goes away. */
  readonly goneSignal: (reply: FastifyReply) => AbortSignal;
  /** Work that keeps the server and its models alive. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>;
}

/** A proxy between us and a client gives up on a stream that says nothing for a while. */
const SIGN_OF_LIFE_MS = 10_000;

export function openAiRoutes(app: FastifyInstance, deps: OpenAiDependencies): void {
  app.post("/v1/chat/completions", async (request, reply) => {
    const body = deps.parse(chatRequest, request.body);
    const signal = deps.goneSignal(reply);
    if ((body.tools?.length ?? 0) > 0 || (body.functions?.length ?? 0) > 0) {
      return passTools(deps, body, reply, signal);
    }
    const messages = body.messages.map(({ role, content }) => ({ role, content }));
    const prompt: Prompt = { kind: "chat", messages };
    return answer(deps, "chat", body, prompt, async () => questionOf(body), reply, signal);
  });
  app.post("/v1/completions", async (request, reply) => {
    const body = deps.parse(completionRequest, request.body);
    const signal = deps.goneSignal(reply);
    const prompt: Prompt = { kind: "cursor", prefix: body.prompt, suffix: body.suffix ?? "" };
    const task = () => cursorTaskOf(deps, body, signal);
    return answer(deps, "completion", body, prompt, task, reply, signal);
  });
}

async function answer(
  deps: OpenAiDependencies,
  endpoint: Endpoint,
  body: ChatRequest | CompletionRequest,
  prompt: Prompt,
  task: () => Promise<Task | undefined>,
  reply: FastifyReply,
  signal: AbortSignal,
) {
  const created = Math.floor(Date.now() / 1000);
  const work = () =>
    deps.during(async (): Promise<Choices> => {
      const wanted = body.n ?? 1;
      const request = sampleRequest(body, prompt, Math.max(wanted, body.best_of ?? deps.bestOf));
      const written = await deps.source.draw(request, signal);
      return bestOf(written, await task(), wanted, deps.rank(signal));
    });
  if (!body.stream) return wholeReply(endpoint, await work(), created);
  return stream(reply, work, (choices) =>
    streamedReply(endpoint, choices, created, body.stream_options?.include_usage ?? false),
  );
}

function sampleRequest(body: ChatRequest | CompletionRequest, prompt: Prompt, count: number): SampleRequest {
  const maxTokens =
    "max_completion_tokens" in body && typeof body.max_completion_tokens === "number"
      ? body.max_completion_tokens
      : (body.max_tokens ?? undefined);
  return {
    prompt,
    count,
    model: body.model ?? undefined,
    maxTokens,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    seed: body.seed ?? undefined,
    stop: body.stop,
  };
}

/** What the user asked, all turns of it: a later one often says only what is to be changed. */
function questionOf({ messages, language }: ChatRequest): Task | undefined {
  const question = messages
    .filter(({ role }) => role === "user")
    .map(({ content }) => content)
    .join("\n\n");
  return question.trim() === "" ? undefined : { question, ...(language && { language }) };
}

async function cursorTaskOf(
  deps: OpenAiDependencies,
  body: CompletionRequest,
  signal: AbortSignal,
): Promise<Task | undefined> {
  const cursor = cursorOf(body.prompt, body.suffix ?? "");
  const language = body.language ?? (await deps.languageOf(cursor.prefix + cursor.suffix, signal));
  return language === undefined ? undefined : { ...cursor, language };
}

/** Calls of tools are nothing that a judge of code can read: the upstream answers them alone. */
async function passTools(
  { upstream, during }: OpenAiDependencies,
  body: ChatRequest,
  reply: FastifyReply,
  signal: AbortSignal,
) {
  if (upstream === undefined) {
    throw new ServiceError(
      "invalid_request",
      "tools: the built-in writer calls no tools. Leave tools out, or start the server with --upstream.",
    );
  }
  const { status, type, text } = await during(() => passThrough(upstream, "/chat/completions", body, signal));
  return reply.status(status).header("Content-Type", type).send(text);
}

/** Server-sent events. A failure after the first byte is an event too, as OpenAI's clients expect it. */
async function stream<T>(
  reply: FastifyReply,
  work: () => Promise<T>,
  events: (result: T) => Iterable<object>,
): Promise<FastifyReply> {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  raw.write(": sampling\n\n");
  const alive = setInterval(() => raw.write(": ranking\n\n"), SIGN_OF_LIFE_MS);
  try {
    for (const event of events(await work())) raw.write(`data: ${JSON.stringify(event)}\n\n`);
    raw.write("data: [DONE]\n\n");
  } catch (error) {
    const known = error instanceof ServiceError ? error : new ServiceError("internal", "The server failed.");
    raw.write(`data: ${JSON.stringify({ error: { code: known.code, message: known.message } })}\n\n`);
  } finally {
    clearInterval(alive);
    raw.end();
  }
  return reply;
}
