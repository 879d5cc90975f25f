/**
 * One request for candidates: they are gathered, checked by syntax as they arrive, and ranked while later ones are
 * still on their way. Whoever waits for something waits for a state, never for a time alone.
 */
import type { RankReply } from "../../shared/contract.ts";
import { isAbort } from "../base/log.ts";
import { type CursorContext, taskAt } from "../editor/cursor-context.ts";
import { checkedForHidden, rankedForHidden } from "../ranking/hidden-characters.ts";
import type { Ranker } from "../ranking/ranker.ts";
import type { Candidate, Ranking } from "../ranking/ranking.ts";
import type { Arrival, OnSourceDraft, SourceName } from "../sources/gather.ts";
import type { Completion } from "../sources/source.ts";
import { withoutCutOffEnd } from "./cut-off.ts";
import type { Tracer } from "./trace/trace.ts";

export interface RunDependencies {
  /** Asks the sources; ends when nothing more will come. */
  readonly gather: (signal: AbortSignal, onDraft: OnSourceDraft) => AsyncIterable<Arrival>;
  /** Whether a completion is valid at the cursor, and what of it is inserted. */
  readonly check: (
    cursor: CursorContext,
    text: string,
  ) => Promise<Pick<Candidate, "insert" | "valid" | "reason">>;
  readonly rank: Ranker;
  /** What went wrong, for people. */
  readonly sentenceOf: (error: unknown) => string;
  /** Called whenever there is news. */
  readonly publish: (ranking: Ranking) => void;
}

export interface RunState {
  /** In the order of arrival. */
  readonly candidates: readonly Candidate[];
  readonly reply: RankReply | undefined;
  /** Candidates that the reply covers. */
  readonly ranked: number;
  readonly gathered: boolean;
  /** Everything is there and ranked, or nothing more will come. */
  readonly done: boolean;
  readonly problems: readonly string[];
}

/** Candidates of one answer arrive within this: they are ranked by one request rather than by two. */
const TOGETHER_MS = 10;

export class Run {
  readonly cursor: CursorContext;
  readonly id: string;
  readonly tracer: Tracer;
  readonly #deps: RunDependencies;
  readonly #abort = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #startedAt = Date.now();
  /** What is being written. */
  readonly #drafts = new Map<object, { readonly source: SourceName; readonly text: string }>();
  #count = 0;
  #state: RunState = {
    candidates: [],
    reply: undefined,
    ranked: 0,
    gathered: false,
    done: false,
    problems: [],
  };
  #totalMs: number | undefined;
  /** Text that was shown first, once something was. */
  shown: string | undefined;

  constructor(id: string, cursor: CursorContext, deps: RunDependencies, tracer: Tracer) {
    this.id = id;
    this.cursor = cursor;
    this.tracer = tracer;
    this.#deps = deps;
    void this.#work();
  }

  get state(): RunState {
    return this.#state;
  }

  get cancelled(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Stops everything: fetches, sockets, the server's work. What has arrived stays. */
  cancel(): void {
    if (this.#state.done || this.cancelled) return;
    this.tracer.add({ kind: "cancelled" });
    this.#abort.abort(new DOMException("The suggestion is no longer wanted.", "AbortError"));
  }

  /**
   * Waits until the state satisfies the condition, it can no longer change, or the time is over.
   * @param ms undefined = as long as it takes
   * @throws the signal's reason
   */
  until(condition: (state: RunState) => boolean, signal: AbortSignal, ms?: number): Promise<RunState> {
    return new Promise((resolve, reject) => {
      const finish = () => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        signal.removeEventListener("abort", aborted);
      };
      const look = () => {
        if (!this.#state.done && !condition(this.#state)) return;
        finish();
        resolve(this.#state);
      };
      const aborted = () => {
        finish();
        reject(signal.reason);
      };
      const timer =
        ms === undefined
          ? undefined
          : setTimeout(() => {
              finish();
              resolve(this.#state);
            }, ms);
      if (signal.aborted) aborted();
      else {
        signal.addEventListener("abort", aborted, { once: true });
        this.#waiting.add(look);
        look();
      }
    });
  }

  /**
   * Makes candidates of what is being written, as far as its lines are whole. The whole completions take their places
   * when they come.
   * @returns how many candidates there are more
   */
  async takeDrafts(): Promise<number> {
    const before = this.#state.candidates.length;
    for (const { source, text } of [...this.#drafts.values()]) {
      const lines = wholeLines(text);
      if (lines !== "") await this.#take(source, { text: lines, complete: false, tokens: undefined }, true);
    }
    return this.#state.candidates.length - before;
  }

  async #work(): Promise<void> {
    // Neither throws: what goes wrong is a problem of the state.
    await Promise.all([this.#gather(), this.#rankArriving()]);
    this.#totalMs ??= this.tracer.elapsed;
    this.#change({ done: true });
  }

  async #gather(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const arrivals = this.#deps.gather(signal, (source, key, text) => {
        if (text === undefined) this.#drafts.delete(key);
        else this.#drafts.set(key, { source, text });
      });
      for await (const arrival of arrivals) {
        if (signal.aborted) break;
        if (arrival.kind === "failure") this.#problem(arrival.source.label, arrival.error);
        else await this.#take(arrival.source, arrival.completion, false);
      }
    } catch (error) {
      if (!signal.aborted && !isAbort(error)) this.#problem("", error);
    }
    this.tracer.add({ kind: "all-arrived", count: this.#state.candidates.length });
    this.#change({ gathered: true });
  }

  #problem(source: string, error: unknown): void {
    const problem = this.#deps.sentenceOf(error);
    this.tracer.add({ kind: "source-failed", source, problem });
    this.#change({ problems: [...this.#state.problems, problem] });
  }

  async #take(source: SourceName, completion: Completion, draft: boolean): Promise<void> {
    const arrivedMs = Math.round(this.tracer.elapsed);
    const text = draft || completion.complete ? completion.text : withoutCutOffEnd(completion.text);
    // What it replaces is looked for now: while it is checked, its own draft may not be taken once more.
    const replaced = this.#state.candidates.find(
      (one) => one.draft && one.sourceId === source.id && text.startsWith(one.text),
    );
    if (replaced?.text === text && draft) return;
    const id = replaced?.id ?? `c${++this.#count}`;
    const check = checkedForHidden(await this.#deps.check(this.cursor, text));
    const candidate: Candidate = {
      id,
      sourceId: source.id,
      source: source.label,
      ...completion,
      text,
      draft,
      arrivedMs,
      ...check,
    };
    const { valid, reason } = check;
    this.tracer.add({
      kind: "arrived",
      id,
      source: source.label,
      characters: text.length,
      valid,
      reason,
      draft,
    });
    const { candidates, ranked } = this.#state;
    const at = candidates.findIndex((one) => one.id === id);
    if (at < 0) this.#change({ candidates: [...candidates, candidate] });
    else this.#change({ candidates: candidates.with(at, candidate), ranked: Math.min(ranked, at) });
  }

  /** One request at a time, each with all that has arrived: the server's cache makes a later one cheap. */
  async #rankArriving(): Promise<void> {
    const { signal } = this.#abort;
    try {
      for (;;) {
        const { candidates, gathered, ranked } = await this.until(
          (state) => state.gathered || state.candidates.length > state.ranked,
          signal,
        );
        if (candidates.length === ranked) {
          if (gathered) return;
          continue;
        }
        const all = await this.until((state) => state.gathered, signal, TOGETHER_MS);
        const asked = performance.now();
        const body = all.candidates.map(({ id, text, logprobs }) => ({
          id,
          text,
          ...(logprobs && { logprobs }),
        }));
        const task = taskAt(this.cursor);
        const reply = rankedForHidden(await this.#deps.rank({ task, candidates: body }, signal));
        const ms = Math.round(performance.now() - asked);
        this.tracer.add({ kind: "ranked", count: body.length, ms });
        this.#totalMs = this.tracer.elapsed;
        const changed = all.candidates.findIndex((one, at) => this.#state.candidates[at] !== one);
        this.#change({ reply, ranked: changed < 0 ? body.length : changed });
      }
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      const problem = this.#deps.sentenceOf(error);
      this.tracer.add({ kind: "ranking-failed", problem });
      this.#change({ problems: [...this.#state.problems, problem] });
    }
  }

  #change(change: Partial<RunState>): void {
    this.#state = { ...this.#state, ...change };
    for (const look of [...this.#waiting]) look();
    if (this.#state.candidates.length > 0) this.#deps.publish(this.#ranking());
  }

  #ranking(): Ranking {
    const { candidates, reply, done, problems } = this.#state;
    return {
      id: this.id,
      kind: "completion",
      cursor: this.cursor,
      candidates,
      reply,
      complete: done,
      problems,
      shown: undefined,
      accepted: undefined,
      startedAt: this.#startedAt,
      totalMs: this.#totalMs,
    };
  }
}

/** The text up to its last line end; empty where it has none. */
function wholeLines(text: string): string {
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).trimEnd();
  return lines.trim() === "" ? "" : lines;
}
