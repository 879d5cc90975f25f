/** What the extension knows of a place where completions come from. One file per kind implements it. */
import type { CandidateInput } from "../../shared/contract.ts";
import type { Language } from "../../shared/syntax/languages/languages.ts";

/** What is wanted: completions at a cursor. */
export interface CompletionRequest {
  /** Text of the document before and after the cursor, already bounded in size. */
  readonly prefix: string;
  readonly suffix: string;
  readonly language: Language;
  /** Path of the document relative to its workspace folder, for models that are told file names. */
  readonly path: string;
  /** How many completions are wanted of this source. */
  readonly count: number;
  /** Most tokens of one completion. */
  readonly maxTokens: number;
  readonly temperature: number;
}

/** One completion as the model gave it: raw, nothing stripped. */
export interface Completion {
  readonly text: string;
  /** False when the stream broke off, time ran out or the token limit cut it. */
  readonly complete: boolean;
  /** Tokens as the endpoint counted them; undefined where it does not say. */
  readonly tokens: number | undefined;
  /** Sum of the natural logs of its tokens' probabilities and their number, where the endpoint says them. */
  readonly logprobs?: CandidateInput["logprobs"];
}

/** Decides while a completion streams whether its text so far is all that is needed. */
export type StopEarly = (textSoFar: string) => boolean;

/** What was spent on an endpoint since the last report: additions, never totals. */
export interface Spending {
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** True when the endpoint did not say and the tokens were estimated from the text. */
  readonly estimated: boolean;
}

/**
 * Hears of a completion that is being written, as far as it is.
 * @param key the same for all that is said of one completion
 * @param text undefined when it is being written no more
 */
export type OnDraft = (key: object, text: string | undefined) => void;

export interface CompleteOptions {
  /** Aborts down to the socket. An aborted source yields what it has as incomplete, and ends without error. */
  readonly signal: AbortSignal;
  /** Milliseconds after which nobody waits any more: a source that can, ends what is unfinished then as it is. */
  readonly budgetMs?: number;
  readonly stopEarly?: StopEarly;
  readonly onDraft?: OnDraft;
  /** Called when a request was sent, and again with its tokens when it is over. */
  readonly onSpent?: (spending: Spending) => void;
}

export interface Source {
  /** Stable and unique among the configured sources; usage is counted under it. */
  readonly id: string;
  /** As people read it: "Ollama: qwen2.5-coder:7b". */
  readonly label: string;
  /** Not on this machine: asked automatically only when the user allowed that. */
  readonly remote: boolean;
  /** Whether automatic requests may ask it at all: remote ones where the user allowed it, the editor's own never. */
  readonly automatic: boolean;
  /**
   * Asks for completions; yields each as soon as it is whole. Where some of several requests fail, the
   * completions of the others are yielded first.
   * @throws SourceError with what is wrong and what to do
   */
  complete(request: CompletionRequest, options: CompleteOptions): AsyncIterable<Completion>;
}
