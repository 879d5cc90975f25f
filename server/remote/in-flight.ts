/**
 * How many requests an address takes at once. One vLLM process is filled by a few; a balancer in front of eight takes
 * many more, and nothing in its answers says so. So the limit climbs while throughput climbs with it. Pure.
 */

/** Enough to keep one engine filled while answers travel. */
const FIRST = 4;
/** More connections to one address help no fleet that a single server could feed. */
const MOST = 128;
/** Factor of one step up. */
const STEP = 1.5;
/** A step must bring this much more throughput to be kept: noise alone brings less. */
const GAIN = 1.08;
/** Answers that are measured before a decision, as a multiple of the limit. */
const ROUNDS = 2;
/** Decisions after a step that brought nothing, until the next try: engines may have joined behind the address. */
const REST = 8;

export class InFlightLimit {
  readonly #fixed: boolean;
  #limit: number;
  /** The limit before the last step, and the throughput there, in units of work a millisecond. */
  #before: { readonly limit: number; readonly rate: number } | undefined;
  #rest = 0;
  #window = { since: 0, answers: 0, work: 0, full: false };

  /** @param fixed a limit that the user set */
  constructor(fixed?: number) {
    this.#fixed = fixed !== undefined;
    this.#limit = fixed ?? FIRST;
  }

  get limit(): number {
    return this.#limit;
  }

  /**
   * Counts a request that begins.
   * @param outstanding with this one
   * @param now in milliseconds
   */
  started(outstanding: number, now: number): void {
    if (this.#window.answers === 0 && this.#window.since === 0) this.#window.since = now;
    // Only while the limit is what holds requests back does throughput say anything about it.
    if (outstanding >= this.#limit) this.#window.full = true;
  }

  /**
   * Counts an answer, and decides once there are enough.
   * @param work what was done, in any unit that stays the same
   */
  finished(work: number, now: number): void {
    const window = this.#window;
    window.answers++;
    window.work += work;
    if (this.#fixed || window.answers < this.#limit * ROUNDS) return;
    const elapsed = now - window.since;
    const { full } = window;
    this.#window = { since: now, answers: 0, work: 0, full: false };
    if (full && elapsed > 0) this.#decide(window.work / elapsed);
  }

  /** An engine that is full or gone starts small again. */
  reset(): void {
    if (this.#fixed) return;
    this.#limit = FIRST;
    this.#before = undefined;
    this.#rest = 0;
    this.#window = { since: 0, answers: 0, work: 0, full: false };
  }

  #decide(rate: number): void {
    if (this.#rest > 0) {
      this.#rest--;
      return;
    }
    const before = this.#before;
    if (before !== undefined && rate < before.rate * GAIN) {
      this.#limit = before.limit;
      this.#before = undefined;
      this.#rest = REST;
      return;
    }
    this.#before = { limit: this.#limit, rate };
    this.#limit = Math.min(MOST, Math.ceil(this.#limit * STEP));
    if (this.#limit === this.#before.limit) this.#rest = REST;
  }
}
