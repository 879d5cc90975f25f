import { ERRORS, type ErrorCode } from "../shared/contract.ts";

/**
 * A failure that the user sees: a code of the error table and one plain sentence with the way out.
 * Anything else that is thrown is a fault of ours and shown as `internal`.
 */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** HTTP status of this failure. */
  get status(): number {
    return ERRORS[this.code].status;
  }
}
