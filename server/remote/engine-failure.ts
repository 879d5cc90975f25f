/** Why an engine on another host gave no rewards, and what that means for what happens next. */
import type { ErrorCode } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";

/**
 * - `gone`: no connection, no answer, an answer cut short, a server's own error; it may work again soon.
 * - `busy`: it asks to come back later.
 * - `unusable`: it answers, but not with rewards of this model; only its owner can change that.
 * - `refused`: this one request is at fault, and another engine would refuse it too.
 */
export type EngineFailureKind = "gone" | "busy" | "unusable" | "refused";

const CODES: Readonly<Record<EngineFailureKind, ErrorCode>> = {
  gone: "engine_failed",
  busy: "too_busy",
  unusable: "engine_failed",
  refused: "engine_failed",
};

export class EngineFailure extends ServiceError {
  readonly kind: EngineFailureKind;
  /** How long the engine asks to be left alone. */
  readonly retryAfterMs: number | undefined;

  /** Whether the same may succeed later, without anybody's help. */
  get passes(): boolean {
    return this.kind === "gone" || this.kind === "busy";
  }

  constructor(
    kind: EngineFailureKind,
    message: string,
    options: { readonly cause?: unknown; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(CODES[kind], message, { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}
