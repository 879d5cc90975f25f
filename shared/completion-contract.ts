/** The contract of `POST /v1/complete`: N samples of a code model in our own engine, perhaps ranked. */
import { z } from "zod";
import {
  cursorTask,
  LIMITS,
  MODES,
  type ModelIdentity,
  PRIORITIES,
  questionTask,
  type RankReply,
} from "./contract.ts";

/** Bounds of one request, and what they are for. */
export const COMPLETION_LIMITS = {
  /** llama.cpp decodes so many sequences as one batch in the contexts made here. */
  samples: 32,
  /** Longer answers than any context here holds. */
  tokens: 8192,
  /** Files beside the edited one; their tokens are bounded by the context. */
  files: 64,
  stops: 16,
  stopChars: 256,
} as const;

const text = z.string().max(LIMITS.textChars, `A text may have at most ${LIMITS.textChars} characters.`);

/** Text of another file that the writer should know. */
export const contextFile = z.object({ path: z.string().max(4096), text });
export type ContextFile = z.infer<typeof contextFile>;

const completionTask = z.union(
  [
    cursorTask.extend({ context: z.array(contextFile).max(COMPLETION_LIMITS.files).optional() }),
    questionTask,
  ],
  { error: "task needs either question (and perhaps language), or prefix, suffix and language." },
);
export type CompletionTask = z.infer<typeof completionTask>;

export const completeRequest = z.object({
  task: completionTask,
  n: z
    .int()
    .min(1)
    .max(
      COMPLETION_LIMITS.samples,
      `At most ${COMPLETION_LIMITS.samples} completions can be written at once.`,
    )
    .default(8),
  max_tokens: z.int().min(1).max(COMPLETION_LIMITS.tokens).default(128),
  temperature: z.number().min(0).max(2).default(0.8),
  top_p: z.number().gt(0).max(1).default(0.95),
  min_p: z.number().min(0).max(1).default(0),
  seed: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  stop: z.array(z.string().min(1).max(COMPLETION_LIMITS.stopChars)).max(COMPLETION_LIMITS.stops).default([]),
  /** Milliseconds after which what is unfinished ends as it is. */
  budget_ms: z.int().min(1).optional(),
  writer: z.string().max(256).optional(),
  rank: z.boolean().default(false),
  /** The judge, with `rank`. */
  model: z.string().max(256).optional(),
  mode: z.enum(MODES).default("lenient"),
  stream: z.boolean().default(false),
  priority: z.enum(PRIORITIES).default("interactive"),
});
export type CompleteRequest = z.infer<typeof completeRequest>;

export interface Completion {
  readonly id: string;
  readonly text: string;
  readonly tokens: number;
  /** Sum of the natural logarithms of its tokens' probabilities under the writer. */
  readonly logprob: number;
  readonly finish: "stop" | "syntax" | "length";
}

export interface CompleteReply {
  readonly writer: ModelIdentity;
  readonly completions: readonly Completion[];
  /** With `rank`: the reply of `POST /v1/rank` for them. */
  readonly ranking?: RankReply;
  /** What the samples were drawn with; a request that names none is given one. */
  readonly seed: number;
  /** Something of the prompt was left out, because it did not fit. */
  readonly truncated: boolean;
  readonly timings: {
    readonly prompt_ms: number;
    readonly sample_ms: number;
    readonly score_ms: number;
    readonly total_ms: number;
  };
  readonly usage: {
    readonly prompt_tokens: number;
    /** Of these, what was in the cache. */
    readonly cached_tokens: number;
    readonly completion_tokens: number;
    readonly decode_calls: number;
  };
}

/** A line of the stream: each completion as it ends, then everything else; or what went wrong. */
export type CompletionLine =
  | { readonly completion: Completion }
  | { readonly done: Omit<CompleteReply, "completions"> }
  | { readonly error: { readonly code: string; readonly message: string } };
