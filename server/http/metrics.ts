/** What the service counts about itself, for Prometheus. Nothing of a request's content is in it. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import type { Priority, RankReply } from "../../shared/contract.ts";

export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  request(route: string, status: number, seconds: number): void;
  ranked(reply: RankReply): void;
  scored(items: number, decodedTokens: number): void;
  /** How long work waited for the engine's first turn. */
  waited(priority: Priority, seconds: number): void;
}

/** One registry per application, so that two in a process (tests) do not share counts. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Counter({
    name: "codescaler_requests_total",
    help: "HTTP requests by route and status.",
    labelNames: ["route", "status"] as const,
    registers,
  });
  const duration = new Histogram({
    name: "codescaler_request_seconds",
    help: "Time from request to reply.",
    labelNames: ["route"] as const,
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    registers,
  });
  const candidates = new Counter({
    name: "codescaler_candidates_total",
    help: "Candidates ranked, by validity.",
    labelNames: ["valid"] as const,
    registers,
  });
  const items = new Counter({ name: "codescaler_score_items_total", help: "Items of /v1/score.", registers });
  const tokens = new Counter({
    name: "codescaler_decoded_tokens_total",
    help: "Tokens decoded by the reward model.",
    registers,
  });
  const waits = new Histogram({
    name: "codescaler_wait_seconds",
    help: "Time that requests waited for the model before their first turn, by priority.",
    labelNames: ["priority"] as const,
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    registers,
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    request(route, status, seconds) {
      requests.inc({ route, status: String(status) });
      duration.observe({ route }, seconds);
    },
    ranked(reply) {
      for (const candidate of reply.candidates) candidates.inc({ valid: String(candidate.valid) });
      tokens.inc(reply.usage.unique_tokens);
    },
    waited(priority, seconds) {
      waits.observe({ priority }, seconds);
    },
    scored(count, decodedTokens) {
      items.inc(count);
      tokens.inc(decodedTokens);
    },
  };
}
