/** Long work in steps, between which others have their turn. */

/** How long steps follow each other before the event loop runs: /health is promised within 50 ms. */
const SLICE_MS = 15;

/**
 * Runs one step of a request.
 * @param about what the step is about, as its owner should hear it when it takes too long
 * @throws the signal's reason once the request is cancelled, and whatever the work throws
 */
export type Step = <T>(about: string | undefined, work: () => Promise<T> | T) => Promise<T>;

/** Steps in this thread, one after the other. The event loop runs between two of them, not within one. */
export function stepsHere(signal?: AbortSignal): Step {
  const pause = createPacer(signal);
  return async (_about, work) => {
    await pause();
    return work();
  };
}

/**
 * A pause to await between steps of long work: it returns at once until the slice is used up, then lets the
 * event loop run and begins a new one. Rejects with the signal's reason once that is aborted.
 */
export function createPacer(signal?: AbortSignal): () => Promise<void> {
  let started = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - started < SLICE_MS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    started = performance.now();
    signal?.throwIfAborted();
  };
}
