/** `GET /health`, `/v1/models` and `/metrics`: how the server is, what it has, and what it has done. */
import type { FastifyInstance } from "fastify";
import { VERSION } from "../../shared/contract.ts";
import type { AppDependencies } from "./app.ts";
import type { Metrics } from "./metrics.ts";

export function infoRoutes(
  app: FastifyInstance,
  deps: Pick<AppDependencies, "host" | "store" | "occupancy" | "engines">,
  metrics: Metrics,
): void {
  app.get("/health", async () => ({
    status: "ok",
    version: VERSION,
    pid: process.pid,
    ...deps.host.state,
    windows: deps.occupancy.windows,
    device: deps.host.device ?? null,
    engines: deps.engines(),
    uptime_s: Math.round(process.uptime()),
  }));

  app.get("/v1/models", async () => {
    const { loaded, device } = deps.host;
    const models = (await deps.store.list()).map(({ id, embedded, facts, problem }) => ({
      id,
      embedded,
      loaded: id === loaded,
      // Where files lie is nobody's business over HTTP.
      ...(facts && {
        kind: facts.kind,
        ...(facts.kind === "reward" && { family: facts.family, revision: facts.revision }),
        type: facts.type,
        max_tokens: facts.maxTokens,
      }),
      ...(problem !== undefined && { problem }),
    }));
    // Of a model with its weights elsewhere no more than the tokenizer need be installed.
    const remote = device?.backend === "remote" && !models.some(({ id }) => id === loaded);
    const elsewhere = { id: loaded, embedded: false, loaded: true, max_tokens: device?.context_tokens };
    const all = remote ? [...models, elsewhere] : models;
    // OpenAI's clients list models before they use one.
    const data = all.map(({ id }) => ({ id, object: "model", created: 0, owned_by: "codescaler" }));
    return { object: "list", data, models: all };
  });

  app.get("/metrics", async (_request, reply) => {
    reply.type(metrics.contentType);
    return metrics.text();
  });
}
