/** Waiting that can be given up. */

/** The editor's token, as far as we need it. */
interface CancellationToken {
  readonly isCancellationRequested: boolean;
  onCancellationRequested(listener: () => void): { dispose(): void };
}

/** An abort signal that follows a cancellation token. Dispose when the work is over. */
export function abortSignalOf(token: CancellationToken): { readonly signal: AbortSignal; dispose(): void } {
  const controller = new AbortController();
  const abort = () => controller.abort(new DOMException("Cancelled by the editor.", "AbortError"));
  if (token.isCancellationRequested) abort();
  const subscription = token.onCancellationRequested(abort);
  return { signal: controller.signal, dispose: () => subscription.dispose() };
}

/** @throws the signal's reason */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", aborted);
      resolve();
    }, ms);
    if (signal.aborted) aborted();
    else signal.addEventListener("abort", aborted, { once: true });
  });
}
