/** What every route does with a request: reads its body by a schema, and hears when its client goes away. */
import type { FastifyReply } from "fastify";
import type { z } from "zod";
import { ServiceError } from "../errors.ts";

/** @throws ServiceError invalid_request naming the first field that is wrong */
export function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.map(String).join(".");
  const what = issue?.message ?? "The body does not have the documented shape.";
  throw new ServiceError("invalid_request", where ? `${where}: ${what}` : what);
}

/** Aborted when the client goes away before it has its answer. */
export function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) {
      controller.abort(new ServiceError("cancelled", "The client went away before the work was done."));
    }
  });
  return controller.signal;
}
