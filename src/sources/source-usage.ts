/** Requests and tokens per source and day, kept on this machine, and the limit that a setting puts on them. */
import * as z from "zod";
import type { Account } from "./gather.ts";
import type { Source, Spending } from "./source.ts";
import { SourceError, WORDS } from "./source-error.ts";

/** Days that are kept: a month to look back on. */
const DAYS_KEPT = 31;

/** What a source spent on one day. */
export interface DayUsage {
  readonly requests: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** Some of the tokens were estimated, because the endpoint did not count them. */
  readonly estimated: boolean;
}

/** Limits for each remote source and day; 0 stands for none. What runs on this machine costs nothing and has none. */
export interface UsageLimits {
  readonly requests: number;
  readonly tokens: number;
}

/** Where the counts are kept: VS Code's globalState, which other windows write to as well. */
export interface UsageStore {
  readonly read: () => unknown;
  readonly write: (days: UsageDays) => void;
}

const day = z.object({
  requests: z.number(),
  promptTokens: z.number(),
  completionTokens: z.number(),
  estimated: z.boolean(),
});

/** Day ("2026-11-21", local time) → id of the source → what it spent. */
const days = z.record(z.string(), z.record(z.string(), day));
export type UsageDays = z.infer<typeof days>;

const NOTHING: DayUsage = { requests: 0, promptTokens: 0, completionTokens: 0, estimated: false };

export class Usage implements Account {
  readonly #store: UsageStore;
  readonly #limits: () => UsageLimits;
  readonly #now: () => Date;

  constructor(store: UsageStore, limits: () => UsageLimits, now: () => Date = () => new Date()) {
    this.#store = store;
    this.#limits = limits;
    this.#now = now;
  }

  /** All that is kept, newest day last. Read anew each time: another window may have written. */
  days(): UsageDays {
    const parsed = days.safeParse(this.#store.read());
    return parsed.success ? parsed.data : {};
  }

  /** What a source spent today. */
  today(sourceId: string): DayUsage {
    return this.days()[dayOf(this.#now())]?.[sourceId] ?? NOTHING;
  }

  spent(source: Source, spending: Spending): void {
    const all = this.days();
    const today = dayOf(this.#now());
    const before = all[today]?.[source.id] ?? NOTHING;
    const changed = {
      ...all,
      [today]: {
        ...all[today],
        [source.id]: {
          requests: before.requests + spending.requests,
          promptTokens: before.promptTokens + spending.promptTokens,
          completionTokens: before.completionTokens + spending.completionTokens,
          estimated: before.estimated || spending.estimated,
        },
      },
    };
    const kept = Object.keys(changed).sort().slice(-DAYS_KEPT);
    this.#store.write(Object.fromEntries(kept.map((name) => [name, changed[name] ?? {}])));
  }

  capped(source: Source): SourceError | undefined {
    if (!source.remote) return undefined;
    const limits = this.#limits();
    const { requests, promptTokens, completionTokens } = this.today(source.id);
    const tokens = promptTokens + completionTokens;
    const reached = (used: number, limit: number, unit: string) =>
      limit > 0 && used >= limit
        ? new SourceError("capped", { source: source.label, used: String(used), limit: String(limit), unit })
        : undefined;
    return reached(requests, limits.requests, WORDS.requests) ?? reached(tokens, limits.tokens, WORDS.tokens);
  }

  /** Forgets everything. */
  erase(): void {
    this.#store.write({});
  }
}

/** The day in local time, which is the user's day. */
function dayOf(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
