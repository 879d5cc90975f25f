/** The completions of one streamed answer, put together from interleaved pieces. Pure. */
import type { CompleteOptions, Completion } from "../source.ts";

/** Longest completion that is kept, in UTF-16 units; the syntax module reads 32 Ki of it. */
const MAX_COMPLETION_CHARS = 64 * 1024;

/** What one JSON value of a stream says, the same for all vendors. */
export type StreamEvent =
  | { readonly kind: "text"; readonly index: number; readonly text: string }
  | {
      readonly kind: "end";
      readonly index: number;
      /** False when the token limit or a filter ended it. */
      readonly complete: boolean;
      readonly tokens?: number;
    }
  | {
      readonly kind: "usage";
      readonly promptTokens: number | undefined;
      readonly completionTokens: number | undefined;
    }
  | { readonly kind: "error"; readonly error: unknown };

/** Collects at most `count` completions; indices beyond that are ignored. */
export class CompletionAssembler {
  readonly #count: number;
  readonly #options: Pick<CompleteOptions, "stopEarly" | "onDraft">;
  /** Of what is being written, by index. */
  readonly #draftKeys = new Map<number, object>();
  /** Texts by index, whole or not, and the indices of those that are whole. */
  readonly #texts = new Map<number, string>();
  readonly #whole = new Set<number>();
  #stopped = 0;
  #chars = 0;

  constructor(count: number, options: Pick<CompleteOptions, "stopEarly" | "onDraft">) {
    this.#count = count;
    this.#options = options;
  }

  /** Whether all completions are there. */
  get finished(): boolean {
    return this.#whole.size === this.#count;
  }

  /** Whether a stream that ended here ended too soon: nothing came, or something that began did not end. */
  get broken(): boolean {
    return this.#whole.size === 0 || this.#texts.size > this.#whole.size;
  }

  /** Whether the endpoint still writes something that nobody needs. */
  get stoppedEarly(): boolean {
    return this.#stopped > 0;
  }

  /** UTF-16 units received, for an estimate of tokens. */
  get chars(): number {
    return this.#chars;
  }

  /** Takes a piece; gives the completion that became whole by it. */
  add(index: number, piece: string): Completion | undefined {
    if (!this.#isOpen(index)) return undefined;
    const text = (this.#texts.get(index) ?? "") + piece;
    this.#texts.set(index, text);
    this.#chars += piece.length;
    const tooLong = text.length > MAX_COMPLETION_CHARS;
    if (!tooLong && (piece === "" || this.#options.stopEarly?.(text) !== true)) {
      if (piece !== "") this.#options.onDraft?.(this.#draftKey(index), text);
      return undefined;
    }
    this.#stopped += 1;
    return this.#end(index, !tooLong, undefined);
  }

  /** Takes the end of a completion as the endpoint announced it. */
  end(index: number, complete: boolean, tokens: number | undefined): Completion | undefined {
    return this.#isOpen(index) ? this.#end(index, complete, tokens) : undefined;
  }

  /** Ends all that began and did not end. */
  *endAll(complete: boolean): Generator<Completion> {
    for (const [index, text] of this.#texts) {
      if (!this.#whole.has(index) && (complete || text !== "")) yield this.#end(index, complete, undefined);
    }
  }

  #draftKey(index: number): object {
    const key = this.#draftKeys.get(index) ?? {};
    this.#draftKeys.set(index, key);
    return key;
  }

  #isOpen(index: number): boolean {
    return Number.isInteger(index) && index >= 0 && index < this.#count && !this.#whole.has(index);
  }

  #end(index: number, complete: boolean, tokens: number | undefined): Completion {
    const text = this.#texts.get(index) ?? "";
    this.#texts.set(index, text);
    this.#whole.add(index);
    const key = this.#draftKeys.get(index);
    if (key) this.#options.onDraft?.(key, undefined);
    return { text, complete, tokens };
  }
}
