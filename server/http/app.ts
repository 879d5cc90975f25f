/** The HTTP service as a value: routes, checks, error replies. Listening is the caller's business. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import type { Logger } from "pino";
import type { z } from "zod";
import {
  type EngineState,
  ERRORS,
  type ErrorCode,
  type ErrorReply,
  LIMITS,
  type Priority,
  type RankReply,
  rankRequest,
  type ScoreReply,
  scoreRequest,
  VERSION,
} from "../../shared/contract.ts";
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
import { tooCostly } from "./body-shape.ts";
import { completeRoute } from "./complete-route.ts";
import { createMetrics } from "./metrics.ts";
import { type OpenAiDependencies, openAiRoutes } from "./openai-routes.ts";
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

/** Seconds that a client should wait before it comes back: a batch takes about one on a slow CPU. */
const RETRY_AFTER_S = 2;

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

  app.post("/v1/rank", async (request, reply): Promise<RankReply> => {
    const body = parse(rankRequest, request.body);
    const signal = goneSignal(reply);
    const answer = await deps.occupancy.during(body.priority, () =>
      deps.host.use(body.model, (scorer) => rank(body, scorer, deps.programs, signal, waitOf(body.priority))),
    );
    metrics.ranked(answer);
    return answer;
  });

  app.post("/v1/score", async (request, reply): Promise<ScoreReply> => {
    const body = parse(scoreRequest, request.body);
    const signal = goneSignal(reply);
    const scored = async (scorer: Scorer): Promise<ScoreReply> => {
      const { inputs, decodedTokens, totalTokens } = await scorer.scoreItems(body.items, {
        priority: body.priority,
        criterion: body.criterion,
        signal,
        waited: waitOf(body.priority),
      });
      metrics.scored(inputs.length, decodedTokens);
      return {
        model: scorer.identity,
        rewards: inputs.map((input) => input.reward),
        tokens: inputs.map((input) => input.tokens),
        truncated: inputs.map((input) => input.truncated),
        usage: { unique_tokens: decodedTokens, total_tokens: totalTokens },
      };
    };
    return deps.occupancy.during(body.priority, () => deps.host.use(body.model, scored));
  });

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
  return app;
}

/** What is no HTTP request gets the same shape of error as everything else. */
function refuseMalformed(_error: Error, socket: Socket): void {
  if (!socket.writable) return;
  const body: ErrorReply = {
    error: { code: "invalid_request", message: "This is not a proper HTTP request." },
  };
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}

/** @throws ServiceError invalid_request naming the first field that is wrong */
function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue?.path.map(String).join(".");
  const what = issue?.message ?? "The body does not have the documented shape.";
  throw new ServiceError("invalid_request", where ? `${where}: ${what}` : what);
}

/** Aborted when the client goes away before it has its answer. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) {
      controller.abort(new ServiceError("cancelled", "The client went away before the work was done."));
    }
  });
  return controller.signal;
}

/**
 * Web pages always send an Origin with what they post, and reach loopback under foreign host names by DNS
 * rebinding: neither gets in, whatever token it carries.
 */
function checkOrigin(request: FastifyRequest, hostNames: ReadonlySet<string>): void {
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

function checkToken(request: FastifyRequest, token: string): void {
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

function sendError(
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
