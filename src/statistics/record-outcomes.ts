/** Writes the local statistics: one record for each finished request, changed when something of it is accepted. */
import type { Disposable } from "../base/emitter.ts";
import type { RankingSession } from "../ranking/session.ts";
import { outcomeOf, withOutcome } from "./outcomes.ts";
import type { StatisticsStore } from "./statistics-store.ts";

export function keepStatistics(
  session: RankingSession,
  store: StatisticsStore,
  enabled: () => boolean,
): Disposable {
  return session.onDidChange((ranking) => {
    if (ranking.kind !== "completion" || !ranking.complete || !enabled()) return;
    void store.setOutcomes(withOutcome(store.outcomes, outcomeOf(ranking)));
  });
}
