/** When a server that nobody uses gives its memory back, and when it ends. Pure. */

export interface IdleTimes {
  /** Milliseconds without a request until the model is unloaded; 0 = never. */
  readonly unloadMs: number;
  /** Milliseconds without a window and without a request until the server ends; 0 = never. */
  readonly exitMs: number;
}

/** All times are readings of one monotonic clock, in milliseconds: a changed wall clock changes nothing. */
export interface Use {
  /** Requests that are being answered, and windows that are open. */
  readonly requests: number;
  readonly windows: number;
  /** When the last request ended, and when the last window left; the start of the server before that. */
  readonly lastRequest: number;
  readonly lastWindow: number;
}

/** What is due now: `exit` where nobody is left, `unload` where nobody asks. */
export function dueNow(use: Use, times: IdleTimes, now: number): "exit" | "unload" | undefined {
  if (use.requests > 0) return undefined;
  const left = Math.max(use.lastRequest, use.lastWindow);
  if (times.exitMs > 0 && use.windows === 0 && now - left >= times.exitMs) return "exit";
  if (times.unloadMs > 0 && now - use.lastRequest >= times.unloadMs) return "unload";
  return undefined;
}
