/**
 * The model that this product runs itself: the reward server writes all completions of a request as one batch, and
 * says how likely each was to its writer.
 */
import type { CompleteRequest, CompletionLine } from "../../../shared/completion-contract.ts";
import { RankError } from "../../ranking/server-client.ts";
import type { Completion, CompletionRequest, Source } from "../source.ts";
import { SourceError } from "../source-error.ts";

export type WriteBody = Pick<CompleteRequest, "task" | "n" | "max_tokens" | "temperature" | "stream"> &
  Partial<Pick<CompleteRequest, "writer" | "budget_ms">>;

/** Sends a request to the reward server; yields its lines. @throws RankError; the signal's reason when aborted */
export type Write = (body: WriteBody, signal: AbortSignal) => AsyncIterable<CompletionLine>;

/** @param model name of the writer; empty for the best installed */
export function builtInSource(id: string, label: string, model: string, write: Write): Source {
  return {
    id,
    label,
    remote: false,
    automatic: true,
    async *complete(request, { signal, budgetMs, onSpent }) {
      try {
        for await (const line of write(bodyOf(request, model, budgetMs), signal)) {
          if ("error" in line) throw failureOf(label, model, line.error.code, line.error.message);
          if ("completion" in line) yield completionOf(line.completion);
          else {
            const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = line.done.usage;
            onSpent?.({ requests: 1, promptTokens, completionTokens, estimated: false });
          }
        }
      } catch (error) {
        // What was written until then was yielded.
        if (signal.aborted) return;
        throw error instanceof RankError ? failureOf(label, model, error.code, error.message) : error;
      }
    },
  };
}

function bodyOf(request: CompletionRequest, model: string, budgetMs: number | undefined): WriteBody {
  const { prefix, suffix, language, path, count, maxTokens, temperature } = request;
  return {
    task: { prefix, suffix, language, path },
    n: count,
    max_tokens: maxTokens,
    temperature,
    stream: true,
    ...(model !== "" && { writer: model }),
    ...(budgetMs !== undefined && { budget_ms: Math.max(1, Math.round(budgetMs)) }),
  };
}

type Written = Extract<CompletionLine, { completion: unknown }>["completion"];

function completionOf({ text, tokens, logprob, finish }: Written): Completion {
  return {
    text,
    complete: finish !== "length",
    tokens,
    ...(tokens > 0 && { logprobs: { sum: Math.min(0, logprob), tokens } }),
  };
}

function failureOf(source: string, model: string, code: string, detail: string): SourceError {
  switch (code) {
    case "model_not_found":
      return new SourceError("no_writer", { source, model });
    case "too_busy":
    case "restarting":
      return new SourceError("loading", { source });
    case "unreachable":
      return new SourceError("dropped", { source });
    default:
      return new SourceError("not_written", { source, detail });
  }
}
