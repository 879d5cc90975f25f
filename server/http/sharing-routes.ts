/** Routes for windows that share a server: the proof that it is the lease's, and the connection of each window. */
import type { FastifyInstance } from "fastify";
import { CHALLENGE_PATH, NONCE, type Proven, proofOf } from "../../shared/sharing/proof.ts";
import { ServiceError } from "../errors.ts";
import type { Occupancy } from "../sharing/occupancy.ts";

/**
 * `GET /v1/challenge?nonce=…`: needs no token, gives none away.
 * @param proven undefined until the port is known
 */
export function challengeRoute(app: FastifyInstance, proven: () => Proven | undefined): void {
  app.get<{ Querystring: { nonce?: unknown } }>(CHALLENGE_PATH, async (request) => {
    const { nonce } = request.query;
    const mine = proven();
    if (!mine || typeof nonce !== "string" || !NONCE.test(nonce)) {
      throw new ServiceError("invalid_request", "A nonce of 64 hexadecimal digits is needed.");
    }
    return { proof: proofOf(mine, nonce) };
  });
}

/**
 * `GET /v1/presence`: a window is there for as long as this stays open; each change is a line of JSON. The system
 * closes the connection of a window that was killed, and keeps that of one whose machine sleeps.
 */
export function presenceRoute(app: FastifyInstance, occupancy: Occupancy): void {
  app.get("/v1/presence", (_request, reply) => {
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" });
    const leave = occupancy.attend((presence) => {
      raw.write(`${JSON.stringify(presence)}\n`);
      if (presence.state === "draining" || presence.state === "failed") raw.end();
    });
    raw.once("close", leave);
    raw.once("error", leave);
  });
}
