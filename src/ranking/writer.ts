/** Has the reward server write completions: starts it where needed, and asks again when it was about to end. */
import type { RewardServer } from "../reward-server/server-interface.ts";
import type { Write } from "../sources/kinds/built-in.ts";
import { RankError, writeCompletions } from "./server-client.ts";

/** A request that a server refused because it was ending was not begun, and may be asked again. */
const REFUSALS = 4;

/** @returns a function that throws RankError, and the signal's reason when aborted */
export function createWrite(server: RewardServer): Write {
  return async function* (body, signal) {
    for (let refusals = 0; ; refusals++) {
      const endpoint = await server.endpoint(signal);
      let begun = false;
      try {
        for await (const line of writeCompletions(endpoint, body, signal)) {
          begun = true;
          yield line;
        }
        return;
      } catch (error) {
        if (!(error instanceof RankError && error.retriable)) throw error;
        server.lost(endpoint, error);
        // What was yielded cannot be taken back: another answer would come on top of it.
        if (begun || refusals >= REFUSALS) throw error;
      }
    }
  };
}
