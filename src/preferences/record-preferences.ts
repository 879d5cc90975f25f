/** Records preferences while the user wants it: what was accepted, and what else was offered there. */
import { randomUUID } from "node:crypto";
import type { Disposable } from "../base/emitter.ts";
import { type Log, reasonOf } from "../base/log.ts";
import type { CursorContext } from "../editor/cursor-context.ts";
import type { RankingSession } from "../ranking/session.ts";
import { acceptanceIn, type ModelReading, preferenceOf } from "./preference.ts";
import type { PreferenceStore } from "./preference-store.ts";

export interface RecorderDependencies {
  readonly session: RankingSession;
  readonly store: PreferenceStore;
  readonly log: Log;
  /** Whether code of this document may be recorded: the setting is on, and the document is none that is left alone. */
  readonly allowed: (uri: string) => boolean;
  readonly read: (cursor: CursorContext, completions: readonly string[]) => Promise<ModelReading>;
}

export function recordPreferences({ session, store, log, allowed, read }: RecorderDependencies): Disposable {
  const window = randomUUID();
  // The same acceptance is reported with every later change of its ranking.
  const recorded = new Map<string, string>();
  return session.onDidChange((ranking) => {
    const acceptance = acceptanceIn(ranking);
    if (!acceptance || recorded.get(ranking.id) === acceptance.accepted || !allowed(ranking.cursor.uri))
      return;
    recorded.set(ranking.id, acceptance.accepted);
    read(ranking.cursor, [acceptance.accepted, ...acceptance.others])
      .then(async (reading) => {
        // Another completion was put in its place meanwhile.
        if (recorded.get(ranking.id) !== acceptance.accepted) return;
        const preference = preferenceOf(ranking, window, reading);
        if (preference) await store.add(preference);
      })
      .catch((error: unknown) => log.warn(`A preference was not recorded: ${reasonOf(error)}`));
  });
}
