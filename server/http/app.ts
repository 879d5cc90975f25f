/** The HTTP service as a value: routes, checks, error replies. Listening is the caller's business. */
import Fastify, { type FastifyError, type FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { type EngineState, LIMITS, type Priority } from "../../shared/contract.ts";
import { CHALLENGE_PATH, type Proven } from "../../shared/sharing/proof.ts";
import { ServiceError } from "../errors.ts";
import type { ModelHost } from "../models/model-host.ts";
import type { ModelStore } from "../models/store.ts";
import type { ProgramReader } from "../ranking/programs.ts";
import { rank } from "../ranking/rank.ts";
import type { Scorer } from "../ranking/scorer.ts";
import type { Occupancy } from "../sharing/occupancy.ts";
import type { CompletionTools } from "../writing/complete.ts";
import type { TextWriter } from "../writing/text-writer.ts";
import { checkOrigin, checkToken } from "./access.ts";
import { tooCostly } from "./body-shape.ts";
import { completeRoute } from "./complete-route.ts";
import { refuseMalformed, sendError } from "./error-replies.ts";
import { infoRoutes } from "./info-routes.ts";
import { createMetrics } from "./metrics.ts";
import { type OpenAiDependencies, openAiRoutes } from "./openai-routes.ts";
import { rankingRoutes } from "./ranking-routes.ts";
import { goneSignal, parse } from "./requests.ts";
import { challengeRoute, presenceRoute } from "./sharing-routes.ts";

export interface AppDependencies {
  readonly host: ModelHost<Scorer>;
  /** The models that write. */
  readonly writers: ModelHost<TextWriter>;
  readonly store: ModelStore;
  /** Finds the programs in candidates. */
  readonly programs: ProgramReader;
  /** Says where samples at a cursor end. */
  readonly stops: CompletionTools["stops"];
  /** Bearer token that every request must carry. */
  readonly token: string;
  /** Host names (without port) under which the server may be addressed. */
  readonly hostNames: ReadonlySet<string>;
  readonly log: Logger;
  readonly occupancy: Occupancy;
  /** Engines on other hosts, and how each is; none where the model runs here. */
  readonly engines: () => readonly EngineState[];
  /** Best of N for clients of OpenAI's API: where its samples come from. */
  readonly openai: Pick<OpenAiDependencies, "source" | "upstream" | "bestOf">;
  /** What a server with a lease proves to its windows; a server without one has no such route. */
  readonly proven?: (() => Proven | undefined) | undefined;
}

const ROUTES = {
  "/v1/rank": "POST",
  "/v1/score": "POST",
  "/v1/complete": "POST",
  "/v1/chat/completions": "POST",
  "/v1/completions": "POST",
  "/health": "GET",
  "/v1/models": "GET",
  "/v1/presence": "GET",
  "/metrics": "GET",
} as const;

/** Builds the service. Close it with `app.close()`. */
export function createApp(deps: AppDependencies): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: LIMITS.bodyBytes,
    requestTimeout: 120_000,
    // What comes while it closes is refused in our own shape, by `occupancy`, which clients understand.
    return503OnClosing: false,
    // Unknown fields are ignored, these too.
    onProtoPoisoning: "remove",
    onConstructorPoisoning: "remove",
    frameworkErrors: (error, request, reply) => {
      sendError(error, request, reply, deps.log);
    },
    clientErrorHandler: refuseMalformed,
  });
  const metrics = createMetrics();
  const waitOf = (priority: Priority) => (ms: number) => metrics.waited(priority, ms / 1000);
  const parseJson = app.getDefaultJsonParser("remove", "remove");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body: string, done) => {
    const problem = tooCostly(body);
    if (problem !== undefined) done(new ServiceError("invalid_json", problem));
    else parseJson(request, body, done);
  });

  app.addHook("onRequest", async (request) => {
    checkOrigin(request, deps.hostNames);
    if (deps.proven && request.routeOptions.url === CHALLENGE_PATH) return;
    checkToken(request, deps.token);
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    metrics.request(route, reply.statusCode, reply.elapsedTime / 1000);
    deps.log.info({ route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, "request");
  });
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(error, request, reply, deps.log));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?")[0] ?? "";
    const allowed = Object.hasOwn(ROUTES, path) ? ROUTES[path as keyof typeof ROUTES] : undefined;
    if (!allowed)
      throw new ServiceError(
        "not_found",
        `There is no ${path}. The routes are ${Object.keys(ROUTES).join(", ")}.`,
      );
    reply.header("Allow", allowed);
    throw new ServiceError("method_not_allowed", `${path} answers ${allowed} only.`);
  });

  rankingRoutes(app, deps, metrics, waitOf);
  infoRoutes(app, deps, metrics);
  openAiRoutes(app, {
    ...deps.openai,
    parse,
    goneSignal,
    during: (work) => deps.occupancy.during("interactive", work),
    rank: (signal) => (request) =>
      deps.host.use(undefined, (scorer) =>
        rank(request, scorer, deps.programs, signal, waitOf("interactive")),
      ),
    languageOf: async (code, signal) => {
      const task = { question: "" };
      const candidates = [{ id: "code", text: code }];
      const { entries } = await deps.programs({ task, candidates, mode: "lenient" }, signal);
      return entries[0]?.language || undefined;
    },
  });
  completeRoute(app, {
    writers: deps.writers,
    stops: deps.stops,
    parse,
    goneSignal,
    during: (priority, work) => deps.occupancy.during(priority, work),
    rank: (request, signal) =>
      deps.host.use(request.model, (scorer) => rank(request, scorer, deps.programs, signal)),
  });
  presenceRoute(app, deps.occupancy);
  if (deps.proven) challengeRoute(app, deps.proven);

  return app;
}
