/**
 * An OpenAI-compatible server that writes the samples. Some draw `n` at once, others ignore `n` and answer with one:
 * those are asked again for what is missing, each time with another seed.
 */

import { z } from "zod";
import { VERSION } from "../../shared/contract.ts";
import { HttpFailure, wordsFor } from "../../shared/http/http-failure.ts";
import { send, textOf } from "../../shared/http/send.ts";
import { withoutEnd } from "../../shared/text-end.ts";
import { ServiceError } from "../errors.ts";
import type { Sample, SampleRequest, SampleSource, Samples } from "./samples.ts";

export interface Upstream {
  /** Address with the path before `/chat/completions`, as `http://127.0.0.1:8080/v1`. */
  readonly base: string;
  readonly model: string | undefined;
  readonly key: string | undefined;
}

/** Longest time to the end of an answer: N long samples on a slow machine. */
const TIMEOUT_MS = 600_000;
/** Largest answer: 32 samples of 8,192 tokens with their log-probabilities. */
const MOST_BYTES = 64 * 2 ** 20;
/** Longest part of the upstream's own message that is passed on. */
const MESSAGE_CHARS = 300;

/**
 * Reads the address that a user gives: with or without `/v1`.
 * @throws ServiceError invalid_request
 */
export function readUpstream(url: string, model: string | undefined, key: string | undefined): Upstream {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.search) {
    throw new ServiceError(
      "invalid_request",
      "The upstream must be an address like http://127.0.0.1:8080, without a password in it.",
    );
  }
  const path = withoutEnd(parsed.pathname, "/");
  return { base: `${parsed.origin}${path === "" ? "/v1" : path}`, model, key };
}

const tokenLogprob = z.object({ logprob: z.number() });
const choice = z.object({
  text: z.string().optional(),
  message: z.object({ content: z.string().nullish() }).optional(),
  finish_reason: z.string().nullish(),
  logprobs: z
    .object({
      content: z.array(tokenLogprob).nullish(),
      token_logprobs: z.array(z.number().nullable()).nullish(),
    })
    .nullish()
    .catch(undefined),
});
const answer = z.object({
  model: z.string().optional(),
  choices: z.array(choice).min(1),
  usage: z
    .object({ prompt_tokens: z.number().default(0), completion_tokens: z.number().default(0) })
    .nullish(),
});
type Answer = z.infer<typeof answer>;

export function upstreamSource(upstream: Upstream): SampleSource {
  /** Some servers refuse a request for log-probabilities; what one said is not asked again. */
  let saysLogprobs = true;

  async function ask(
    request: SampleRequest,
    count: number,
    seed: number | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    const attempt = (logprobs: boolean) =>
      post(upstream, pathOf(request), bodyOf(request, upstream.model, count, seed, logprobs), signal);
    const first = await attempt(saysLogprobs);
    if (!saysLogprobs || (first.status !== 400 && first.status !== 422)) return read(upstream, first);
    const second = read(upstream, await attempt(false));
    saysLogprobs = false;
    return second;
  }

  return {
    async draw(request, signal): Promise<Samples> {
      const first = await ask(request, request.count, request.seed, signal);
      const missing = request.count - first.choices.length;
      const more = await Promise.all(
        Array.from({ length: Math.max(0, missing) }, (_, index) =>
          ask(request, 1, request.seed === undefined ? undefined : request.seed + index + 1, signal),
        ),
      );
      const answers = [first, ...more];
      const sum = (of: (usage: NonNullable<Answer["usage"]>) => number) =>
        answers.reduce((total, { usage }) => total + (usage ? of(usage) : 0), 0);
      return {
        model: first.model ?? upstream.model ?? "upstream",
        samples: answers.flatMap(({ choices }) => choices.map(sampleOf)).slice(0, request.count),
        usage: {
          promptTokens: sum(({ prompt_tokens }) => prompt_tokens),
          completionTokens: sum(({ completion_tokens }) => completion_tokens),
        },
      };
    },
  };
}

export interface UpstreamReply {
  readonly status: number;
  /** Media type, with its parameters. */
  readonly type: string;
  readonly text: string;
}

/**
 * Passes a request on as it is and its answer back as text.
 * @throws ServiceError
 */
export async function passThrough(
  upstream: Upstream,
  path: "/chat/completions",
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<UpstreamReply> {
  return post(upstream, path, { ...body, model: upstream.model ?? body["model"] }, signal);
}

function pathOf({ prompt }: SampleRequest): string {
  return prompt.kind === "chat" ? "/chat/completions" : "/completions";
}

function bodyOf(
  request: SampleRequest,
  model: string | undefined,
  n: number,
  seed: number | undefined,
  logprobs: boolean,
): Readonly<Record<string, unknown>> {
  const { prompt, maxTokens, temperature, topP, stop } = request;
  return {
    model: model ?? request.model,
    ...(prompt.kind === "chat"
      ? { messages: prompt.messages, ...(logprobs && { logprobs: true }) }
      : {
          prompt: prompt.prefix,
          ...(prompt.suffix !== "" && { suffix: prompt.suffix }),
          ...(logprobs && { logprobs: 0 }),
        }),
    n,
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(seed !== undefined && { seed }),
    ...(stop.length > 0 && { stop }),
    stream: false,
  };
}

async function post(
  { base, key }: Upstream,
  path: string,
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<UpstreamReply> {
  const url = new URL(base + path);
  try {
    const reply = await send({
      method: "POST",
      url,
      headers: {
        "Content-Type": "application/json",
        "User-Agent": `codescaler/${VERSION}`,
        ...(key !== undefined && { Authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify(body),
      signal,
      limits: { total: TIMEOUT_MS },
      maxBytes: MOST_BYTES,
    });
    const type = reply.header("content-type") ?? "application/json";
    return { status: reply.status, type, text: await textOf(reply) };
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    throw new ServiceError(
      "upstream_failed",
      `The upstream ${url.host} cannot be reached (${error.reason === "silent" ? "no answer" : wordsFor(error)}). Check that it runs there, and --upstream.`,
      { cause: error },
    );
  }
}

function read({ base }: Upstream, { status, text }: UpstreamReply): Answer {
  const { host } = new URL(base);
  const json = parsed(text);
  if (status < 200 || status > 299) {
    const said = wordsOf(json);
    throw new ServiceError(
      "upstream_failed",
      `The upstream ${host} refuses the request (status ${status}${said === "" ? "" : `: ${said}`}).${
        status === 401 || status === 403 ? " Set its key in CODESCALER_UPSTREAM_KEY." : ""
      }`,
    );
  }
  const result = answer.safeParse(json);
  if (result.success) return result.data;
  throw new ServiceError(
    "upstream_failed",
    `The upstream ${host} answers with something that is no completion. Check --upstream: it must be OpenAI-compatible.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const refusal = z.object({
  error: z.union([z.string(), z.object({ message: z.string() }).transform(({ message }) => message)]),
});

/** The upstream's own words. */
function wordsOf(json: unknown): string {
  const said = refusal.safeParse(json).data?.error.trim().replace(/\s+/g, " ") ?? "";
  return said.length > MESSAGE_CHARS ? `${said.slice(0, MESSAGE_CHARS)} …` : said.replace(/\.$/, "");
}

function sampleOf({ text, message, finish_reason, logprobs }: z.infer<typeof choice>): Sample {
  const tokens = logprobs?.content?.map(({ logprob }) => logprob) ?? logprobs?.token_logprobs ?? [];
  const known = tokens.filter((logprob) => logprob !== null);
  return {
    text: text ?? message?.content ?? "",
    finish: finish_reason === "length" ? "length" : "stop",
    logprobs:
      known.length > 0
        ? {
            sum: Math.min(
              0,
              known.reduce((sum, one) => sum + one, 0),
            ),
            tokens: known.length,
          }
        : undefined,
  };
}
