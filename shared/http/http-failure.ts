/** Why a request over HTTP got no answer. Callers put it into words for their users. */

/**
 * - `name`: the host's name is not known.
 * - `refused`: nobody listens there, or something on the way refuses.
 * - `unreachable`: there is no way to the host.
 * - `cut`: the connection ended before the answer did.
 * - `authority`: nobody whom this machine trusts signed the certificate.
 * - `certificate`: the certificate is not valid for this host or at this time.
 * - `protocol`: what listens there speaks no HTTP, or TLS where none was expected.
 * - `silent`: a limit of time was reached; `limit` says which.
 * - `too_large`: the answer has more bytes than the limit.
 * - `unknown`: something else; `code` may say what.
 */
export type FailureReason =
  | "name"
  | "refused"
  | "unreachable"
  | "cut"
  | "authority"
  | "certificate"
  | "protocol"
  | "silent"
  | "too_large"
  | "unknown";

/** Limits of time, by what they are a limit of. */
export type TimeLimit = "connect" | "head" | "idle" | "total";

export interface HttpFailureFacts {
  /** Code of Node or OpenSSL, such as ECONNREFUSED. */
  readonly code?: string | undefined;
  readonly limit?: TimeLimit;
  /** Whether the head of an answer had come. */
  readonly answered?: boolean;
  /** A kept connection that the server had closed before it answered: nothing was received, so nothing is lost. */
  readonly stale?: boolean;
  readonly cause?: unknown;
}

export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly reason: FailureReason;
  readonly code: string | undefined;
  readonly limit: TimeLimit | undefined;
  readonly answered: boolean;
  readonly stale: boolean;

  constructor(reason: FailureReason, facts: HttpFailureFacts = {}) {
    super(`The request failed: ${facts.code ?? facts.limit ?? reason}.`, { cause: facts.cause });
    this.reason = reason;
    this.code = facts.code;
    this.limit = facts.limit;
    this.answered = facts.answered ?? false;
    this.stale = facts.stale ?? false;
  }
}

const REASONS: Readonly<Record<string, FailureReason>> = {
  ENOTFOUND: "name",
  EAI_AGAIN: "name",
  ECONNREFUSED: "refused",
  ECONNRESET: "cut",
  ECONNABORTED: "cut",
  EPIPE: "cut",
  ETIMEDOUT: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  EINVAL: "unreachable",
  CERT_HAS_EXPIRED: "certificate",
  CERT_NOT_YET_VALID: "certificate",
  ERR_TLS_CERT_ALTNAME_INVALID: "certificate",
  HOSTNAME_MISMATCH: "certificate",
  EPROTO: "protocol",
};
/** Codes of OpenSSL for a chain that ends at nobody who is trusted. */
const AUTHORITY = /^(?:CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|ERR_TLS_CERT|INVALID_CA|PATH_LENGTH)/;

/** What a code of Node or OpenSSL means. */
export function reasonFor(code: string | undefined): FailureReason {
  if (code === undefined) return "unknown";
  if (Object.hasOwn(REASONS, code)) return REASONS[code] ?? "unknown";
  if (AUTHORITY.test(code)) return "authority";
  return /^(?:HPE_|ERR_SSL)/.test(code) ? "protocol" : "unknown";
}

/** The code of an error or of what caused it; axios's own codes for a bad answer say nothing of the network. */
export function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string" && !at.code.startsWith("ERR_BAD")) return at.code;
  }
  return undefined;
}

/** Words for a message, as in "HOST cannot be reached (…)". */
export function wordsFor({ reason, code }: Pick<HttpFailure, "reason" | "code">): string {
  switch (reason) {
    case "name":
      return "its name is not known";
    case "refused":
      return "the connection was refused";
    case "cut":
      return "the connection was cut";
    case "unreachable":
      return "there is no way to it";
    default:
      return code ?? "the connection failed";
  }
}
