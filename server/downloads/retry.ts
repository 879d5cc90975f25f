/** Repeats what failed for a reason that may pass: a cut connection, a busy server. */
import { setTimeout as pause } from "node:timers/promises";
import { ServiceError } from "../errors.ts";

/** A failure of network or server that may pass; its sentence is for when it does not. */
export class Passing extends ServiceError {
  /** How long the server asks to wait. */
  readonly waitMs: number | undefined;

  constructor(message: string, cause?: unknown, waitMs?: number) {
    super("download_failed", message, { cause });
    this.waitMs = waitMs;
  }
}

/** Failures in a row, without a byte in between, after which the user hears of it. That takes about a minute: 1 s, 2 s, 4 s … */
const MAX_FAILURES = 7;
/** Hugging Face counts requests in windows of five minutes. A longer wait is left to the user; the download stays. */
const LONGEST_WAIT_MS = 310_000;

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** The first pause; doubled each time. */
  readonly firstMs: number;
  /** Grows whenever the work came further; failures before that are forgotten. */
  readonly progress?: () => number;
  /** Called before each pause: why, and for how long. */
  readonly onWait?: OnWait | undefined;
}

export type OnWait = (reason: string, ms: number) => void;

/**
 * @throws the last failure, or what is no `Passing` at once; the signal's reason when aborted
 */
export async function retrying<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, firstMs, progress } = options;
  let failures = 0;
  for (;;) {
    const before = progress?.();
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Passing)) throw error;
      failures = before !== progress?.() ? 1 : failures + 1;
      if (failures >= MAX_FAILURES) throw error;
      const wait = error.waitMs ?? firstMs * 2 ** (failures - 1);
      if (wait > LONGEST_WAIT_MS) {
        throw new ServiceError(
          "download_failed",
          `${error.message} It asks to wait ${Math.ceil(wait / 60_000)} minutes; the download continues from where it is.`,
          { cause: error },
        );
      }
      options.onWait?.(error.message, wait);
      // Rejects with the abort's own error; the reason the caller gave says more.
      await pause(wait, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}
