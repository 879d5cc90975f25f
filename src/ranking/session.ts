/** The rankings of this window: the latest per document, and those that accepted code still refers to. */
import { Emitter, type Event } from "../base/emitter.ts";
import type { Ranking } from "./ranking.ts";

/** Rankings kept; each holds its candidates' texts, tens of kilobytes. */
const MAX_RANKINGS = 100;

export class RankingSession {
  readonly #rankings = new Map<string, Ranking>();
  readonly #latest = new Map<string, string>();
  readonly #changed = new Emitter<Ranking>();
  #count = 0;

  /** Fires with a ranking that is new or has changed. */
  readonly onDidChange: Event<Ranking> = this.#changed.event;

  /** A name for the next ranking. */
  nextId(): string {
    this.#count += 1;
    return `r${this.#count}`;
  }

  get(id: string): Ranking | undefined {
    return this.#rankings.get(id);
  }

  /** The latest ranking in a document; undefined where there is none. */
  latest(uri: string): Ranking | undefined {
    const id = this.#latest.get(uri);
    return id === undefined ? undefined : this.#rankings.get(id);
  }

  /** The latest ranking anywhere in the window. */
  last(): Ranking | undefined {
    return [...this.#rankings.values()].at(-1);
  }

  /** Adds a ranking, or replaces the one of the same id. */
  set(ranking: Ranking): void {
    this.#rankings.set(ranking.id, ranking);
    // A late answer of an older ranking does not displace a newer one, even if it is that ranking's first.
    const latest = this.latest(ranking.cursor.uri);
    if (!latest || latest.startedAt <= ranking.startedAt) this.#latest.set(ranking.cursor.uri, ranking.id);
    for (const old of this.#rankings.keys()) {
      if (this.#rankings.size <= MAX_RANKINGS) break;
      this.#rankings.delete(old);
    }
    this.#changed.fire(ranking);
  }

  /** Changes what is known of a ranking; does nothing when it is no longer kept. */
  update(id: string, change: Partial<Omit<Ranking, "id">>): void {
    const ranking = this.#rankings.get(id);
    if (ranking) this.set({ ...ranking, ...change });
  }

  dispose(): void {
    this.#changed.dispose();
  }
}
