/** `POST /v1/rank` and `POST /v1/score`: what the judge says of candidates, and of conversations. */
import type { FastifyInstance } from "fastify";
import {
  type Priority,
  type RankReply,
  rankRequest,
  type ScoreReply,
  scoreRequest,
} from "../../shared/contract.ts";
import { rank } from "../ranking/rank.ts";
import type { Scorer } from "../ranking/scorer.ts";
import type { AppDependencies } from "./app.ts";
import type { Metrics } from "./metrics.ts";
import { goneSignal, parse } from "./requests.ts";

/** @param waitOf is called with the milliseconds that work of this priority waited */
export function rankingRoutes(
  app: FastifyInstance,
  deps: Pick<AppDependencies, "host" | "programs" | "occupancy">,
  metrics: Metrics,
  waitOf: (priority: Priority) => (ms: number) => void,
): void {
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
}
