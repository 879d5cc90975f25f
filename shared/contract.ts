/**
 * The contract of the reward server: routes, request and reply schemas, error codes, limits, version.
 * It imports nothing else of ours.
 */
import { z } from "zod";

/** Version of the server and of its contract; equal to package.json's (a test holds them together). */
export const VERSION = "0.1.0";

/** Every limit of the service, with its reason. What exceeds one is answered, never a crash. */
export const LIMITS = {
  /** Largest request body. 256 candidates of 64 KiB fit twice; nothing sensible is larger. */
  bodyBytes: 32 * 1024 * 1024,
  /** llama.cpp holds at most 256 sequences in one context. */
  candidates: 256,
  /** Trainers send whole steps: 2,048 samples is what OpenRLHF and veRL recipes use. */
  scoreItems: 2048,
  /** One candidate or prompt, in UTF-16 units. A 200,000-character reply is never a completion. */
  textChars: 1_000_000,
  /** Token ids are 32-bit in every engine; the vocabularies end far below. */
  tokenId: 2 ** 31 - 1,
  /** Requests of one priority waiting for the engine before new ones are refused and may come back later. */
  queuedRequests: 64,
  /** Requests of one priority in the server, those included that wait for a model to be loaded. */
  openRequests: 256,
} as const;

export const MODES = ["lenient", "strict"] as const;
export type Mode = (typeof MODES)[number];

const text = z.string().max(LIMITS.textChars, `A text may have at most ${LIMITS.textChars} characters.`);
/** A language by name or alias; the syntax module knows which there are. */
const language = z.string().max(64);

export const questionTask = z.object({ question: text, language: language.optional() });
export const cursorTask = z.object({
  prefix: text,
  suffix: text,
  language,
  path: z.string().max(4096).optional(),
  instruction: text.optional(),
});
export type QuestionTask = z.infer<typeof questionTask>;
export type CursorTask = z.infer<typeof cursorTask>;

/** What is to be solved: a question in words, or the text around a cursor. */
export const task = z.union([cursorTask, questionTask], {
  error: "task needs either question (and perhaps language), or prefix, suffix and language.",
});
export type Task = QuestionTask | CursorTask;

/** What a writer said of its own sample: sum of the natural logs of its tokens' probabilities, and their number. */
export const sampleLogprobs = z.object({
  sum: z.number().max(0, "A sum of log-probabilities is not positive."),
  tokens: z.int().min(1).max(LIMITS.textChars),
});

export const candidateInput = z.object({
  id: z.string().max(1024),
  text,
  logprobs: sampleLogprobs.optional(),
});
export type CandidateInput = z.infer<typeof candidateInput>;

/** What can decide the order of valid candidates. */
export const ORDERS = ["reward", "likelihood", "combined"] as const;
export type Order = (typeof ORDERS)[number];

export const PRIORITIES = ["interactive", "bulk"] as const;
/** Interactive work overtakes bulk work at the next batch. */
export type Priority = (typeof PRIORITIES)[number];

export const rankRequest = z.object({
  task,
  candidates: z
    .array(candidateInput)
    .min(1, "At least one candidate is needed.")
    .max(
      LIMITS.candidates,
      `At most ${LIMITS.candidates} candidates can be ranked at once; send them in parts.`,
    )
    .refine(
      (all) => new Set(all.map((one) => one.id)).size === all.length,
      "Candidate ids must differ from each other.",
    ),
  mode: z.enum(MODES).default("lenient"),
  model: z.string().max(256).optional(),
  /** What decides; default: what evaluation showed to be best for the model. */
  order: z.enum(ORDERS).optional(),
  /** Themis models judge one criterion at a time; others have none. */
  criterion: z.string().max(64).optional(),
  priority: z.enum(PRIORITIES).default("interactive"),
});
export type RankRequest = z.infer<typeof rankRequest>;

export interface ModelIdentity {
  readonly id: string;
  readonly revision: string;
  /** Number format of the weights: f32, f16, bf16, q8_0, q4_0. */
  readonly type: string;
  /** Where it runs, as a person would say it: "CPU", "Vulkan: NVIDIA RTX 4090". */
  readonly device: string;
}

/** What is known of a candidate beside its code. */
export interface Signals {
  /** Raw logit of a reward model. */
  readonly reward?: number;
  /** Mean log-probability of a token of the program under the judge. */
  readonly likelihood?: number;
  /** Share of the samples that are this program. */
  readonly agreement: number;
  /** Mean log-probability of a token under the writer, over the samples that are this program. */
  readonly writer_logprob?: number;
}

export interface RankedCandidate {
  readonly id: string;
  /** 1 is best. */
  readonly rank: number;
  readonly valid: boolean;
  readonly reason: string | null;
  readonly code: string;
  readonly language: string;
  /** Raw logit of the reward model; null where nothing was scored. */
  readonly reward: number | null;
  /** softplus(reward) for valid code, 0 for invalid or empty code. */
  readonly shaped: number;
  /** Calibrated chance of being right; null where the model has no calibration. */
  readonly probability: number | null;
  /** Tokens of the rendered input. */
  readonly tokens: number;
  readonly truncated: boolean;
  /** Ids of other candidates with the same program. */
  readonly duplicates: readonly string[];
  readonly signals: Signals;
}

export interface RankReply {
  readonly model: ModelIdentity;
  /** What decided the order of the valid candidates, and why, in one sentence. */
  readonly order: { readonly by: Order; readonly why: string };
  readonly candidates: readonly RankedCandidate[];
  readonly timings: {
    readonly extract_ms: number;
    readonly tokenize_ms: number;
    readonly score_ms: number;
    readonly total_ms: number;
  };
  readonly usage: {
    /** Tokens decoded for this request: trie nodes that were not in the KV cache. */
    readonly unique_tokens: number;
    /** Tokens of all rendered texts together. */
    readonly total_tokens: number;
  };
}

export const message = z.object({ role: z.enum(["system", "user", "assistant"]), content: text });
export type Message = z.infer<typeof message>;

const tokens = z
  .array(z.int().min(0).max(LIMITS.tokenId))
  .min(1, "An empty text cannot be scored.")
  .max(LIMITS.textChars);

const scoreItem = z.union(
  [z.object({ messages: z.array(message).min(1).max(64) }), z.object({ text }), z.object({ tokens })],
  { error: "Each item needs either messages (role, content), text, or tokens (ids of the model)." },
);

export const scoreRequest = z.object({
  items: z
    .array(scoreItem)
    .min(1, "At least one item is needed.")
    .max(LIMITS.scoreItems, `At most ${LIMITS.scoreItems} items can be scored at once; send them in parts.`),
  model: z.string().max(256).optional(),
  criterion: z.string().max(64).optional(),
  priority: z.enum(PRIORITIES).default("bulk"),
});
export type ScoreRequest = z.infer<typeof scoreRequest>;

export interface ScoreReply {
  readonly model: ModelIdentity;
  /** Raw logits in the order of the items. */
  readonly rewards: readonly number[];
  readonly tokens: readonly number[];
  readonly truncated: readonly boolean[];
  readonly usage: RankReply["usage"];
}

/** The one table of errors: code → HTTP status and what it means. docs/http.md repeats it (a test compares). */
export const ERRORS = {
  invalid_json: { status: 400, meaning: "The body is not JSON." },
  invalid_request: { status: 422, meaning: "The body does not have the documented shape." },
  unauthorized: { status: 401, meaning: "The access token is missing or wrong." },
  forbidden: { status: 403, meaning: "The request came from a web page or under a foreign host name." },
  not_found: { status: 404, meaning: "There is no such route." },
  method_not_allowed: { status: 405, meaning: "The route exists, but not for this method." },
  unsupported_media_type: { status: 415, meaning: "The body is not sent as application/json." },
  model_not_found: { status: 404, meaning: "No model of that name is installed." },
  model_unusable: { status: 422, meaning: "The model file cannot be used; the message says why." },
  too_large: { status: 413, meaning: "The body is larger than the limit." },
  too_long: { status: 422, meaning: "One input has more tokens than the model or its context can hold." },
  too_busy: { status: 503, meaning: "Too many requests are waiting; Retry-After says when to come back." },
  restarting: { status: 503, meaning: "The server is ending or being replaced; the request was not begun." },
  cancelled: { status: 499, meaning: "The client went away before the work was done." },
  disk_failed: { status: 507, meaning: "A file cannot be written: the disk is full, read-only or gone." },
  download_failed: { status: 502, meaning: "A model cannot be fetched; the message says why." },
  upstream_failed: {
    status: 502,
    meaning: "The server that writes the samples failed or refused; the message says how.",
  },
  engine_failed: { status: 500, meaning: "The inference engine failed; the message and the log say how." },
  internal: { status: 500, meaning: "A fault of ours; the log has the details." },
} as const;
export type ErrorCode = keyof typeof ERRORS;

export interface ErrorReply {
  readonly error: { readonly code: ErrorCode; readonly message: string };
}

/** Where the loaded model runs. */
export interface DeviceReport {
  /** `remote`: engines on other hosts; they count no layers. */
  readonly backend: "cuda" | "metal" | "vulkan" | "cpu" | "remote";
  /** As a person would say it; the same as in `ModelIdentity`. */
  readonly name: string;
  /** Layers on the GPU, out of `layers`. */
  readonly gpu_layers: number;
  readonly layers: number;
  readonly context_tokens: number;
  /** One sentence: why not something faster. Null when this is the best there is, or what was asked for. */
  readonly reason: string | null;
}

/** An engine on another host, in `GET /health`. */
export interface EngineState {
  /** Host and port. */
  readonly engine: string;
  readonly state: "connecting" | "ready" | "aside";
  /** Why it gets no work now. Null while it may. */
  readonly reason: string | null;
}

/** A line of `GET /v1/presence`: how the server is, at once and at every change. */
export interface Presence {
  readonly state: "loading" | "ready" | "unloaded" | "draining" | "failed";
  /** The model that is loaded, or being loaded. */
  readonly model: string | null;
  /** With `failed`: what is wrong, and the way out. */
  readonly problem?: string;
  /** With `failed`: the code of the problem, for clients that say it in another language. */
  readonly code?: ErrorCode;
  /** With `ready`: why the model runs on something slower than it could, as in `DeviceReport`. */
  readonly reason?: string;
}

/** First line on stdout of `serve`, once it can answer. */
export interface ReadyLine {
  readonly url: string;
  readonly pid: number;
  readonly version: string;
  readonly model: string;
  /** Where that model runs. */
  readonly device?: DeviceReport;
  /** Only when the server made the token itself. */
  readonly token?: string;
}
