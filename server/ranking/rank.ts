/** The only pipeline: read programs (extract or assemble, fold equal ones) → render → score → shape → sort. */
import type { Order, RankedCandidate, RankReply, RankRequest } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";
import { combinedScore, describeWeights, featuresOf, fittedProbability, type TaskFit } from "./fit.ts";
import { compareCodePoints, type Entry, type ProgramReader } from "./programs.ts";
import type { Scorer } from "./scorer.ts";
import { sampleSignals } from "./signals.ts";

/**
 * Ranks candidates for a task, best first.
 * @param read finds the programs in the candidates, here or in another thread
 * @param signal aborting stops the work before the next batch
 * @param waited told how long the programs waited for the model
 * @throws ServiceError whatever the reader and the scorer throw
 */
export async function rank(
  request: RankRequest,
  scorer: Scorer,
  read: ProgramReader,
  signal?: AbortSignal,
  waited?: (ms: number) => void,
): Promise<RankReply> {
  const started = performance.now();
  const { problem, entries } = await read(request, signal);
  const extracted = performance.now();

  const valid = entries.filter((entry) => entry.valid);
  const cursor = "prefix" in request.task ? request.task : undefined;
  const fitted = scorer.fit?.[cursor ? "cursor" : "question"];
  const by = orderOf(request.order, scorer, fitted);
  const scored = await scorer.scorePrograms({ problem, cursor }, valid, {
    priority: request.priority,
    criterion: request.criterion,
    signal,
    waited,
  });

  const judged = valid.map((entry, index) => {
    const program = scored.inputs[index];
    if (!program) throw new Error("a valid program was not scored");
    const { reward, likelihood } = program;
    const signals = {
      ...(reward !== null && { reward }),
      ...(likelihood !== null && { likelihood: likelihood.mean }),
      ...sampleSignals(entry, request.candidates),
    };
    return { entry, program, signals };
  });
  const features = featuresOf(
    judged.map(({ signals }) => signals),
    valid.map(({ code }) => code.length),
  );
  const ranked = judged
    .map((one, index) => {
      const { reward, likelihood } = one.program;
      const combined = fitted && combinedScore(fitted, features[index] ?? {});
      const alone = reward ?? likelihood?.mean ?? Number.NEGATIVE_INFINITY;
      return {
        ...one,
        score: by === "combined" ? (combined ?? alone) : alone,
        // What was fitted on real samples is a better promise than what a model says of itself.
        probability:
          fitted && combined !== undefined
            ? fittedProbability(fitted, combined)
            : reward === null
              ? null
              : scorer.probability(reward),
      };
    })
    .sort((a, b) => compareScores(b.score, a.score) || compareCodePoints(a.entry.code, b.entry.code))
    .map(({ entry, program: { reward, tokens, truncated }, signals, probability }) => ({
      ...publicPart(entry),
      reward,
      shaped: reward === null ? 0 : softplus(reward),
      probability,
      tokens,
      truncated,
      signals,
    }));
  const rejected = entries
    .filter((entry) => !entry.valid)
    // What holds code is likelier to be worth a look than what holds none.
    .sort((a, b) => Number(a.code === "") - Number(b.code === "") || compareCodePoints(a.id, b.id))
    .map((entry) => ({
      ...publicPart(entry),
      reward: null,
      shaped: 0,
      probability: null,
      tokens: 0,
      truncated: false,
      signals: sampleSignals(entry, request.candidates),
    }));
  const candidates = [...ranked, ...rejected].map(
    (candidate, index): RankedCandidate => ({ ...candidate, rank: index + 1 }),
  );
  return {
    model: scorer.identity,
    candidates,
    order: { by, why: whyOf(by, fitted) },
    timings: {
      extract_ms: milliseconds(extracted - started),
      tokenize_ms: milliseconds(scored.tokenizeMs),
      score_ms: milliseconds(scored.scoreMs),
      total_ms: milliseconds(performance.now() - started),
    },
    usage: { unique_tokens: scored.decodedTokens, total_tokens: scored.totalTokens },
  };
}

/**
 * What decides: what the request asks for, else the combination that was fitted for the model, else its own judgement.
 * @throws ServiceError invalid_request when the model cannot do what the request asks for
 */
function orderOf(wanted: Order | undefined, scorer: Scorer, fitted: TaskFit | undefined): Order {
  const able: readonly Order[] = fitted ? ["combined", scorer.by] : [scorer.by];
  const by = wanted ?? able[0] ?? scorer.by;
  if (able.includes(by)) return by;
  throw new ServiceError(
    "invalid_request",
    `${scorer.identity.id} orders by ${able.join(" or ")}, not by ${by}. Leave "order" out, or name another model as the judge.`,
  );
}

function whyOf(by: Order, fitted: TaskFit | undefined): string {
  switch (by) {
    case "reward":
      return "The judge is a reward model: its reward decides, as published.";
    case "likelihood":
      return "The judge is a language model: the mean log-probability of the program's tokens decides.";
    case "combined":
      return `Weights fitted on ${fitted?.samples ?? 0} judged samples of real models decide: ${fitted ? describeWeights(fitted) : ""}.`;
    default:
      return by satisfies never;
  }
}

/** Also where both are infinite, of which the difference is not a number. */
function compareScores(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

/** Validity-preserving shaping, `ln(1 + e^reward)`, in the form that neither overflows nor rounds to 0 early. */
export function softplus(reward: number): number {
  return Math.max(reward, 0) + Math.log1p(Math.exp(-Math.abs(reward)));
}

function publicPart(
  entry: Entry,
): Pick<RankedCandidate, "id" | "valid" | "reason" | "code" | "language" | "duplicates"> {
  const { id, valid, reason, code, language, duplicates } = entry;
  return { id, valid, reason, code, language, duplicates };
}

function milliseconds(value: number): number {
  return Math.round(value * 100) / 100;
}
