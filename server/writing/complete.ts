/** Writes completions for a task, and ranks them where that is wanted: what HTTP, command line and agents all call. */
import { randomInt } from "node:crypto";
import type { CompleteReply, CompleteRequest, Completion } from "../../shared/completion-contract.ts";
import type { RankReply, RankRequest } from "../../shared/contract.ts";
import { LANGUAGES, languageOf } from "../../shared/syntax/languages/languages.ts";
import type { Sample, SampleRequest } from "../engine/writer.ts";
import { ServiceError } from "../errors.ts";
import type { StopRequest, Stops } from "../ranking/syntax-requests.ts";
import type { Prompt, TextWriter } from "./text-writer.ts";

export interface CompletionTools {
  /** Says where samples at a cursor end. */
  readonly stops: (request: StopRequest, signal?: AbortSignal) => Promise<Stops>;
  /** Ranks what was written. */
  readonly rank: (request: RankRequest, signal?: AbortSignal) => Promise<RankReply>;
  readonly signal?: AbortSignal | undefined;
  /** Told of each completion as it ends. */
  readonly onCompletion?: ((completion: Completion) => void) | undefined;
}

/** Largest seed that is made up: short enough to be typed again. */
const SEEDS = 2 ** 31;

/**
 * @throws ServiceError invalid_request, too_long, too_busy, engine_failed and what ranking throws; the signal's reason
 *   when aborted
 */
export async function complete(
  request: CompleteRequest,
  writer: TextWriter,
  tools: CompletionTools,
): Promise<CompleteReply> {
  const started = performance.now();
  const { task, n, signal, seed = randomInt(SEEDS) } = { ...request, signal: tools.signal };
  const written = await writer.write({
    prompt: promptOf(task),
    count: n,
    maxTokens: request.max_tokens,
    sampling: { temperature: request.temperature, topP: request.top_p, minP: request.min_p },
    seed,
    stops: request.stop,
    priority: request.priority,
    signal,
    budgetMs: request.budget_ms,
    completeAt: completeAt(task, tools),
    onSample: (sample) => tools.onCompletion?.(completionOf(sample)),
  });
  const completions = written.samples.map(completionOf);
  const sampled = performance.now();
  const ranking =
    request.rank && completions.length > 0
      ? await tools.rank(
          {
            task,
            candidates: completions.map(({ id, text, logprob, tokens }) => ({
              id,
              text,
              ...(tokens > 0 && { logprobs: { sum: Math.min(0, logprob), tokens } }),
            })),
            mode: request.mode,
            model: request.model,
            priority: request.priority,
          },
          signal,
        )
      : undefined;
  const ended = performance.now();
  return {
    writer: writer.identity,
    completions,
    ...(ranking && { ranking }),
    seed,
    truncated: written.truncated,
    timings: {
      prompt_ms: milliseconds(written.promptMs),
      sample_ms: milliseconds(written.sampleMs),
      score_ms: milliseconds(ended - sampled),
      total_ms: milliseconds(ended - started),
    },
    usage: {
      prompt_tokens: written.promptTokens,
      cached_tokens: written.cachedTokens,
      completion_tokens: completions.reduce((sum, { tokens }) => sum + tokens, 0),
      decode_calls: written.decodeCalls,
    },
  };
}

function promptOf(task: CompleteRequest["task"]): Prompt {
  return "prefix" in task
    ? { cursor: task }
    : { messages: [{ role: "user", content: task.question }], language: task.language };
}

/** A question's answer ends by itself; at a cursor the syntax says when the text is complete. */
function completeAt(
  task: CompleteRequest["task"],
  { stops, signal }: CompletionTools,
): SampleRequest["completeAt"] {
  if (!("prefix" in task)) return undefined;
  const language = languageOf(task.language);
  if (language === undefined) {
    throw new ServiceError(
      "invalid_request",
      `Unknown language "${task.language}". Known are ${LANGUAGES.join(", ")}.`,
    );
  }
  const { prefix, suffix, path } = task;
  return async (texts) =>
    (await stops({ prefix, suffix, language, path, texts }, signal)).map((stop) => stop?.cut);
}

function completionOf({ index, text, tokens, logprob, finish }: Sample): Completion {
  return { id: `c${index + 1}`, text, tokens, logprob, finish };
}

function milliseconds(value: number): number {
  return Math.round(value * 100) / 100;
}
