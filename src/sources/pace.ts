/**
 * What each source has shown to give in time while the user types, and so what it is asked for. One completion in time
 * beats four that come too late: after a request that was late half as many are asked for, at last one of a single
 * line; after a request that was early one more. In memory only: a window that opens finds out anew.
 */

/** What a source is asked for at once. */
export interface Portion {
  /** Portions of before settings changed say nothing any more. */
  readonly epoch: number;
  readonly count: number;
  /** Ends with its first line. */
  readonly singleLine: boolean;
}

/** How a request went. */
export interface Observation {
  readonly asked: Portion;
  /** From the request to the first whole completion, in milliseconds; undefined when none came. */
  readonly firstMs: number | undefined;
  /** How long the request took, or until it was given up. */
  readonly elapsedMs: number;
  /** How long a suggestion may take. */
  readonly budgetMs: number;
}

interface Learned {
  /** Undefined while as many are asked for as the user wants. */
  readonly portion: Portion | undefined;
  /** Usual time to the first whole completion, in milliseconds, as far as it is known. */
  readonly usualMs: number | undefined;
}

/** Weight of the newest time. */
const NEWEST = 0.3;
/** In this part of the budget there is room for more. */
const EARLY = 0.5;

export class Pace {
  readonly #learned = new Map<string, Learned>();
  #epoch = 0;

  /** @param most how many completions the user wants of it */
  portion(sourceId: string, most: number): Portion {
    const portion = this.#learned.get(sourceId)?.portion;
    if (portion === undefined) return { epoch: this.#epoch, count: most, singleLine: false };
    return { ...portion, count: Math.min(portion.count, most) };
  }

  /** Usual time from a request to the first whole completion, in milliseconds; undefined while it is not known. */
  usualMs(sourceId: string): number | undefined {
    return this.#learned.get(sourceId)?.usualMs;
  }

  /** The shortest of them; undefined while none is known. */
  fastestMs(): number | undefined {
    const known = [...this.#learned.values()].flatMap(({ usualMs }) => usualMs ?? []);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  learn(sourceId: string, { asked, firstMs, elapsedMs, budgetMs }: Observation): void {
    if (asked.epoch !== this.#epoch) return;
    // Given up before its time was over: it may have been about to answer.
    if (firstMs === undefined && elapsedMs < budgetMs) return;
    const before = this.#learned.get(sourceId)?.usualMs;
    // One that never came takes at least as long as it was waited for.
    const ms = firstMs ?? elapsedMs;
    const usualMs = before === undefined ? ms : before * (1 - NEWEST) + ms * NEWEST;
    this.#learned.set(sourceId, { usualMs, portion: next(asked, ms, budgetMs) });
  }

  /** Other settings, another model: all is to be found out anew. */
  forget(): void {
    this.#learned.clear();
    this.#epoch += 1;
  }
}

function next(asked: Portion, ms: number, budgetMs: number): Portion {
  if (ms > budgetMs) {
    return asked.count > 1
      ? { ...asked, count: Math.floor(asked.count / 2) }
      : { ...asked, count: 1, singleLine: true };
  }
  if (ms > budgetMs * EARLY) return asked;
  return asked.singleLine ? { ...asked, count: 1, singleLine: false } : { ...asked, count: asked.count + 1 };
}
