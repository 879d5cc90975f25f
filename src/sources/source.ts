/** What the extension knows of a place where completions come from. One file per kind implements it. */
import type { Language } from "../../server/syntax/languages.ts";

/** What is wanted: completions at a cursor, or answers to an instruction. */
export interface CompletionRequest {
  /** Text of the document before and after the cursor, already bounded in size. */
  readonly prefix: string;
  readonly suffix: string;
  readonly language: Language;
  /** Path of the document relative to its workspace folder, for models that are told file names. */
  readonly path: string;
  /** What the user asked for in words, if anything. */
  readonly instruction?: string;
  /** How many completions are wanted of this source. */
  readonly count: number;
  /** Most tokens of one completion. */
  readonly maxTokens: number;
  readonly temperature: number;
}

/** One completion as the model gave it: raw, nothing stripped. */
export interface Completion {
  readonly text: string;
  /** False when the stream broke off or the token limit cut it. */
  readonly complete: boolean;
  /** Tokens as the endpoint counted them; undefined where it does not say. */
  readonly tokens: number | undefined;
}

/** Decides while a completion streams whether its text so far is all that is needed. */
export type StopEarly = (textSoFar: string) => boolean;

export interface CompleteOptions {
  readonly signal: AbortSignal;
  readonly stopEarly?: StopEarly;
}

export interface Source {
  /** Stable and unique among the configured sources; usage is counted under it. */
  readonly id: string;
  /** As people read it: "Ollama: qwen2.5-coder:7b". */
  readonly label: string;
  /** Not on this machine: asked automatically only when the user allowed that. */
  readonly remote: boolean;
  /** Whether automatic requests may ask it at all (the editor's own models may not). */
  readonly automatic: boolean;
  /**
   * Asks for completions; yields each as soon as it is whole.
   * @throws SourceError with what is wrong and what to do
   */
  complete(request: CompletionRequest, options: CompleteOptions): AsyncIterable<Completion>;
}
