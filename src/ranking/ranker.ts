/** Ranks on whatever reward server there is: starts it where needed, and asks once more when it died meanwhile. */
import type { RankReply } from "../../server/contract.ts";
import type { RewardServer } from "../supervisor.ts";
import { type RankBody, RankError, rank } from "./client.ts";

export type Ranker = (body: RankBody, signal: AbortSignal) => Promise<RankReply>;

/** @returns a function that throws RankError, and the signal's reason when aborted */
export function createRanker(server: RewardServer): Ranker {
  return async (body, signal) => {
    const endpoint = await server.endpoint(signal);
    try {
      return await rank(endpoint, body, signal);
    } catch (error) {
      if (!(error instanceof RankError && error.retriable)) throw error;
      server.lost(endpoint, error.message);
      return rank(await server.endpoint(signal), body, signal);
    }
  };
}
