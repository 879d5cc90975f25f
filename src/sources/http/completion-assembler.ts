/** The completions of one streamed answer, put together from interleaved pieces. Pure. */
import type { Completion, StopEarly } from "../source.ts";

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

interface Choice {
  text: string;
  ended: boolean;
}

/** Collects at most `count` completions; indices beyond that are ignored. */
export class Choices {
  readonly #count: number;
  readonly #stopEarly: StopEarly | undefined;
  readonly #choices = new Map<number, Choice>();
  #ended = 0;
  #stopped = 0;
  #chars = 0;

  constructor(count: number, stopEarly: StopEarly | undefined) {
    this.#count = count;
    this.#stopEarly = stopEarly;
  }

  /** Whether all completions are there. */
  get finished(): boolean {
    return this.#ended === this.#count;
  }

  /** Whether a stream that ended here ended too soon: nothing came, or something that began did not end. */
  get broken(): boolean {
    return this.#ended === 0 || this.#choices.size > this.#ended;
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
    const choice = this.#choice(index);
    if (choice === undefined || choice.ended) return undefined;
    choice.text += piece;
    this.#chars += piece.length;
    const tooLong = choice.text.length > MAX_COMPLETION_CHARS;
    if (!tooLong && (piece === "" || this.#stopEarly?.(choice.text) !== true)) return undefined;
    this.#stopped += 1;
    return this.#end(choice, !tooLong, undefined);
  }

  /** Takes the end of a completion as the endpoint announced it. */
  end(index: number, complete: boolean, tokens: number | undefined): Completion | undefined {
    const choice = this.#choice(index);
    return choice === undefined || choice.ended ? undefined : this.#end(choice, complete, tokens);
  }

  /** Ends all that began and did not end. */
  *endAll(complete: boolean): Generator<Completion> {
    for (const choice of this.#choices.values()) {
      if (!choice.ended && (complete || choice.text !== "")) yield this.#end(choice, complete, undefined);
    }
  }

  #end(choice: Choice, complete: boolean, tokens: number | undefined): Completion {
    choice.ended = true;
    this.#ended += 1;
    return { text: choice.text, complete, tokens };
  }

  #choice(index: number): Choice | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= this.#count) return undefined;
    const known = this.#choices.get(index);
    if (known !== undefined) return known;
    const choice = { text: "", ended: false };
    this.#choices.set(index, choice);
    return choice;
  }
}
