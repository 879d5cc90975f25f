/** Failures as the contract's replies, whoever made them. */
import type { Socket } from "node:net";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { ERRORS, type ErrorCode, type ErrorReply, LIMITS } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";

/** Seconds that a client should wait before it comes back: a batch takes about one on a slow CPU. */
const RETRY_AFTER_S = 2;

/** What is no HTTP request gets the same shape of error as everything else. */
export function refuseMalformed(_error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const body: ErrorReply = {
    error: { code: "invalid_request", message: "This is not a proper HTTP request." },
  };
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

/** Fastify's own failures, by its codes, in our table's terms. */
const FASTIFY_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    "too_large",
    `The body may have at most ${LIMITS.bodyBytes / 2 ** 20} MiB. Send it in parts.`,
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    "unsupported_media_type",
    "Send the body as Content-Type: application/json.",
  ],
  FST_ERR_CTP_INVALID_JSON_BODY: ["invalid_json", "The body is not JSON."],
  FST_ERR_CTP_EMPTY_JSON_BODY: ["invalid_json", "The body is empty; JSON is expected."],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ["invalid_request", "The body is not as long as Content-Length says."],
};

/** Answers a request with the failure, in the contract's shape. */
export function sendError(
  error: FastifyError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
  log: Logger,
): FastifyReply {
  const known = asServiceError(error);
  if (known.code === "internal") log.error({ err: error, route: request.routeOptions.url }, "internal error");
  if (known.code === "too_busy" || known.code === "restarting") reply.header("Retry-After", RETRY_AFTER_S);
  const body: ErrorReply = { error: { code: known.code, message: known.message } };
  return reply.status(ERRORS[known.code].status).send(body);
}

function asServiceError(error: FastifyError | Error): ServiceError {
  if (error instanceof ServiceError) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const mapped = FASTIFY_CODES[code];
  if (mapped) return new ServiceError(mapped[0], mapped[1]);
  const status = "statusCode" in error ? error.statusCode : undefined;
  if (error instanceof SyntaxError) return new ServiceError("invalid_json", "The body is not JSON.");
  if (status !== undefined && status >= 400 && status < 500)
    return new ServiceError("invalid_request", error.message);
  return new ServiceError("internal", "Something went wrong in the server; its log has the details.");
}
