/** Keeps long synchronous work from holding up everyone else in the process. */

/** The event loop answers others at least this often; /health is promised within 50 ms. */
const SLICE_MS = 15;

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
