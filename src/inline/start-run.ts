/** Starts runs: which sources are asked for which trigger, how many completions, and with what text. */
import {
  type CursorContext,
  firstPart,
  lastPart,
  MODEL_PREFIX_LENGTH,
  MODEL_SUFFIX_LENGTH,
} from "../editor/cursor-context.ts";
import { sentenceOf } from "../editor/sentences.ts";
import type { Settings } from "../editor/settings.ts";
import type { Ranker } from "../ranking/ranker.ts";
import type { Ranking } from "../ranking/ranking.ts";
import type { RankingSession } from "../ranking/session.ts";
import { gather } from "../sources/gather.ts";
import type { Health } from "../sources/health.ts";
import type { Pace } from "../sources/pace.ts";
import type { CompletionRequest, Source } from "../sources/source.ts";
import type { SourceSet } from "../sources/source-set.ts";
import type { Syntax } from "../syntax/syntax.ts";
import { Run, type RunDependencies } from "./run.ts";
import type { Runs } from "./runs.ts";
import type { Tracer, Trigger } from "./trace/trace.ts";

export interface StartDependencies {
  readonly sourceSet: () => Promise<Pick<SourceSet, "sources" | "account">>;
  readonly health: Health;
  readonly pace: Pace;
  readonly syntax: Syntax;
  readonly rank: Ranker;
  /** Starts the reward server while the sources are still writing. */
  readonly warm: () => void;
  readonly session: RankingSession;
  readonly runs: Runs;
}

export type AskSources = (
  cursor: CursorContext,
  trigger: Trigger,
  settings: Settings,
  tracer: Tracer,
) => Promise<Run | undefined>;

/** What arrives later than this after a keystroke is for nobody any more. */
const AUTOMATIC_DEADLINE_MS = 30_000;
/** A local model that is still being loaded from disk, and then writes many long candidates. */
const COMMAND_DEADLINE_MS = 120_000;

/** @returns a function that starts a run; undefined when no source may be asked for this trigger */
export function createAskSources(deps: StartDependencies): AskSources {
  return async (cursor, trigger, settings, tracer) => {
    const byCommand = trigger === "command";
    const { sources, account } = await deps.sourceSet();
    const configured = sources();
    // Only a command of ours is surely the user's wish: the editor's own trigger also comes from a hover.
    const asked = configured.filter((source) => byCommand || source.automatic);
    if (asked.length === 0) {
      tracer.add({ kind: "no-source", configured: configured.length });
      return undefined;
    }
    const whileTyping = trigger === "automatic" || trigger === "prefetch";
    const count = whileTyping ? settings["automatic.candidates"] : settings.candidates;
    tracer.add({ kind: "asked", sources: asked.map(({ label }) => label), count });
    if (whileTyping) tellPortions(deps.pace, asked, count, tracer);
    const request: CompletionRequest = {
      prefix: lastPart(cursor.prefix, MODEL_PREFIX_LENGTH),
      suffix: firstPart(cursor.suffix, MODEL_SUFFIX_LENGTH),
      language: cursor.language,
      path: cursor.path,
      count,
      maxTokens: settings.maxTokens,
      temperature: settings.temperature,
    };
    const stopEarly = deps.syntax.stopperFor(cursor);
    deps.warm();
    const arrivals: RunDependencies["gather"] = (signal, onDraft) =>
      gather(asked, request, {
        signal,
        onDraft,
        deadlineMs: byCommand ? COMMAND_DEADLINE_MS : AUTOMATIC_DEADLINE_MS,
        automatic: !byCommand,
        stopEarly,
        health: deps.health,
        account,
        ...(whileTyping && { pacing: { pace: deps.pace, budgetMs: settings["automatic.budget"] } }),
      });
    return startRun(deps, cursor, arrivals, tracer);
  };
}

/** Which sources are asked for less than the user wants, because they are too slow for it. */
function tellPortions(pace: Pace, asked: readonly Source[], most: number, tracer: Tracer): void {
  for (const { id, label } of asked) {
    const { count, singleLine } = pace.portion(id, most);
    const usualMs = pace.usualMs(id);
    if ((count < most || singleLine) && usualMs !== undefined) {
      tracer.add({ kind: "slow-source", source: label, count, singleLine, usualMs });
    }
  }
}

export type RunParts = Pick<StartDependencies, "syntax" | "rank" | "session" | "runs">;

/** Starts a run on whatever candidates come. */
export function startRun(
  { syntax, rank, session, runs }: RunParts,
  cursor: CursorContext,
  gather: RunDependencies["gather"],
  tracer: Tracer,
): Run {
  const check = (at: CursorContext, text: string) => syntax.check(at, text);
  const run = new Run(
    session.nextId(),
    cursor,
    { gather, check, rank, sentenceOf, publish: (ranking) => publish(session, ranking) },
    tracer,
  );
  runs.add(run);
  return run;
}

/** What was shown and accepted is known to the session, not to the run. */
function publish(session: RankingSession, ranking: Ranking): void {
  const { shown, accepted } = session.get(ranking.id) ?? ranking;
  session.set({ ...ranking, shown, accepted });
}
