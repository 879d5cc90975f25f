/** One sample while it is written: its tokens, its text, and where it may not go again. Pure. */
import type { Drawn } from "./distribution.ts";
import type { Exit, PathStep } from "./used-paths.ts";

/** A token that was taken, and the text up to its end. */
interface Taken extends Drawn {
  /** UTF-16 units of the text with it. */
  readonly end: number;
}

export class Draft {
  /** Which of the request's samples it is. */
  readonly index: number;
  /** Draws its numbers. */
  readonly random: () => number;
  readonly #bytesOf: (token: number) => Uint8Array;
  readonly #stops: readonly string[];
  #taken: Taken[] = [];
  #text = "";
  #decoder = decoder();
  /** What may not be taken at the place that it went back to. */
  #exit: Exit | undefined;

  /** @param bytesOf the bytes of a token */
  constructor(
    index: number,
    random: () => number,
    bytesOf: (token: number) => Uint8Array,
    stops: readonly string[],
  ) {
    this.index = index;
    this.random = random;
    this.#bytesOf = bytesOf;
    this.#stops = stops.filter((stop) => stop !== "");
  }

  /** Tokens so far. */
  get length(): number {
    return this.#taken.length;
  }

  get last(): number | undefined {
    return this.#taken.at(-1)?.token;
  }

  /** What the tokens say; bytes of a character that is not complete are left out. */
  get text(): string {
    return this.#text;
  }

  /** What may not be taken next. */
  get banned(): ReadonlySet<number> {
    return this.#exit?.place === this.#taken.length ? this.#exit.banned : NONE;
  }

  /** The way it has gone. */
  get path(): readonly PathStep[] {
    return this.#taken;
  }

  take(drawn: Drawn): void {
    this.#text += this.#decoder.decode(this.#bytesOf(drawn.token), { stream: true });
    this.#taken.push({ ...drawn, end: this.#text.length });
  }

  /** UTF-16 units before the first stop string that the last token completed; undefined: none. */
  stopAt(): number | undefined {
    const before = this.#taken.at(-2)?.end ?? 0;
    let first: number | undefined;
    for (const stop of this.#stops) {
      const at = this.#text.indexOf(stop, Math.max(0, before - stop.length + 1));
      if (at !== -1 && (first === undefined || at < first)) first = at;
    }
    return first;
  }

  /** Ends the text after so many UTF-16 units: tokens that have no part in it are dropped. */
  cut(units: number): void {
    const count = this.#taken.findIndex(({ end }) => end >= units) + 1;
    if (count > 0) this.#taken = this.#taken.slice(0, count);
    this.#text = this.#text.slice(0, units);
  }

  /** Sum of the log-probabilities of all tokens. */
  get logprob(): number {
    return this.#taken.reduce((sum, { logprob }) => sum + logprob, 0);
  }

  /** Goes back to a place on its way, to take another one from there. */
  goBack(exit: Exit): void {
    const kept = this.#taken.slice(0, exit.place);
    this.#exit = exit;
    this.#taken = [];
    this.#text = "";
    this.#decoder = decoder();
    for (const drawn of kept) this.take(drawn);
  }
}

function decoder(): InstanceType<typeof TextDecoder> {
  // A byte order mark is text like any other.
  return new TextDecoder("utf-8", { ignoreBOM: true });
}

const NONE: ReadonlySet<number> = new Set();
