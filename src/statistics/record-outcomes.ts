/** Writes the local statistics: one record for each finished request, changed when something of it is accepted. */
import type { Disposable } from "../base/emitter.ts";
import type { RankingSession } from "../ranking/session.ts";
import { recordOf, withRecord } from "./outcomes.ts";
import type { Memory } from "./statistics-store.ts";

export function keepStatistics(session: RankingSession, memory: Memory, enabled: () => boolean): Disposable {
  return session.onDidChange((ranking) => {
    if (ranking.kind !== "completion" || !ranking.complete || !enabled()) return;
    void memory.setRecords(withRecord(memory.records, recordOf(ranking)));
  });
}
