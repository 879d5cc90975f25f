/** Ranks on whatever reward server there is: starts it where needed, and asks again when it went away meanwhile. */
import type { RankReply } from "../../shared/contract.ts";
import type { RewardServer } from "../reward-server/server-interface.ts";
import { type RankBody, RankError, rank } from "./server-client.ts";

export type Ranker = (body: RankBody, signal: AbortSignal) => Promise<RankReply>;

/** A request during which a server died is asked once more: it may be the reason. */
const BREAKS = 1;
/** One that a server refused because it was ending was not begun, and may be asked more often. */
const REFUSALS = 4;

/**
 * @param model the model to ask for; empty = the server's own choice
 * @returns a function that throws RankError, and the signal's reason when aborted
 */
export function createRanker(server: RewardServer, model: () => string): Ranker {
  return async (body, signal) => {
    let breaks = 0;
    let refusals = 0;
    while (true) {
      const endpoint = await server.endpoint(signal);
      const wanted = model();
      try {
        return await rank(endpoint, wanted === "" ? body : { model: wanted, ...body }, signal);
      } catch (error) {
        if (!(error instanceof RankError && error.retriable)) throw error;
        server.lost(endpoint, error);
        const again = error.code === "restarting" ? refusals++ < REFUSALS : breaks++ < BREAKS;
        if (!again) throw error;
      }
    }
  };
}
