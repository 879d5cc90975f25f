/** Who may ask: nobody under a foreign name, no web page, and only whoever has the token. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { ServiceError } from "../errors.ts";

/**
 * Web pages always send an Origin with what they post, and reach loopback under foreign host names by DNS
 * rebinding: neither gets in, whatever token it carries.
 * @throws ServiceError forbidden
 */
export function checkOrigin(request: FastifyRequest, hostNames: ReadonlySet<string>): void {
  if (request.headers.origin !== undefined) {
    throw new ServiceError("forbidden", "Requests from web pages are refused.");
  }
  const host = request.headers.host?.replace(/:\d+$/, "").toLowerCase() ?? "";
  if (!hostNames.has(host)) {
    throw new ServiceError(
      "forbidden",
      `This server does not answer under the host name "${host.slice(0, 100)}".`,
    );
  }
}

/** @throws ServiceError unauthorized */
export function checkToken(request: FastifyRequest, token: string): void {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
  // Hashing makes both sides equally long, as the constant-time comparison needs.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  if (!timingSafeEqual(digest(given), digest(token))) {
    throw new ServiceError(
      "unauthorized",
      "The access token is missing or wrong. Send it as Authorization: Bearer TOKEN.",
    );
  }
}
