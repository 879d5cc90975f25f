/** `POST /v1/complete`: samples of a code model in our own engine, at once or as a stream of JSON lines. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { z } from "zod";
import { type CompletionLine, completeRequest } from "../../shared/completion-contract.ts";
import type { Priority } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";
import type { ModelHost } from "../models/model-host.ts";
import { type CompletionTools, complete } from "../writing/complete.ts";
import type { TextWriter } from "../writing/text-writer.ts";

export interface CompleteDependencies {
  readonly writers: Pick<ModelHost<TextWriter>, "use">;
  readonly stops: CompletionTools["stops"];
  readonly rank: CompletionTools["rank"];
  /** Reads a body by a schema. @throws ServiceError invalid_request */
  readonly parse: <T extends z.ZodType>(schema: T, body: unknown) => z.output<T>;
  /** Aborted when the client goes away. */
  readonly goneSignal: (reply: FastifyReply) => AbortSignal;
  /** Work that keeps the server and its models alive. */
  readonly during: <T>(priority: Priority, work: () => Promise<T>) => Promise<T>;
}

export function completeRoute(app: FastifyInstance, deps: CompleteDependencies): void {
  const { stops, rank } = deps;
  app.post("/v1/complete", async (request, reply) => {
    const body = deps.parse(completeRequest, request.body);
    const signal = deps.goneSignal(reply);
    const run = (onCompletion?: CompletionTools["onCompletion"]) =>
      deps.during(body.priority, () =>
        deps.writers.use(body.writer, (writer) =>
          complete(body, writer, { stops, rank, signal, onCompletion }),
        ),
      );
    if (!body.stream) return run();
    reply.hijack();
    const { raw } = reply;
    const write = (line: CompletionLine) => raw.write(`${JSON.stringify(line)}\n`);
    raw.writeHead(200, { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" });
    // Clients learn that it was understood, before a model is loaded or a prompt read.
    raw.flushHeaders();
    try {
      const { completions, ...done } = await run((completion) => write({ completion }));
      write({ done });
    } catch (error) {
      const known =
        error instanceof ServiceError ? error : new ServiceError("internal", "The server failed.");
      if (!signal.aborted) write({ error: { code: known.code, message: known.message } });
    } finally {
      raw.end();
    }
    return reply;
  });
}
