/** Draws samples, ranks them, and keeps the best: the same for a chat and for a completion. */
import type { RankReply, RankRequest, Task } from "../../shared/contract.ts";
import type { Sample, Samples } from "./samples.ts";

/** What decided the order of the choices. */
export type RankedBy = RankReply["order"]["by"] | "writer_logprob" | "none";

export interface Choices {
  readonly written: Samples;
  /** Best first. */
  readonly chosen: readonly Sample[];
  readonly rankedBy: RankedBy;
  /** One sentence where something other than the judge decided. */
  readonly why: string | undefined;
  readonly ranking: RankReply | undefined;
}

export type Ranker = (request: RankRequest) => Promise<RankReply>;

/**
 * @param task what the samples are for; undefined where nothing can be ranked
 * @param wanted how many are returned
 */
export async function bestOf(
  written: Samples,
  task: Task | undefined,
  wanted: number,
  rank: Ranker,
): Promise<Choices> {
  const { samples } = written;
  if (task === undefined || samples.length === 1) {
    return unranked(written, wanted, "There is one sample only, or no language to read it in.");
  }
  const ranking = await rank({
    task,
    candidates: samples.map(({ text, logprobs }, index) => ({
      id: String(index),
      text,
      ...(logprobs && { logprobs }),
    })),
    mode: "lenient",
    priority: "interactive",
  });
  // Without code in any of them the judge has nothing to read.
  if (!ranking.candidates.some(({ valid }) => valid)) {
    return unranked(written, wanted, "No sample holds code that parses.", ranking);
  }
  const order = ranking.candidates.flatMap(({ id, duplicates }) => [id, ...duplicates]);
  return {
    written,
    // Equal programs are one choice while there are others.
    chosen: [...ranking.candidates.map(({ id }) => id), ...order.filter((id) => isDuplicate(ranking, id))]
      .slice(0, wanted)
      .flatMap((id) => samples[Number(id)] ?? []),
    rankedBy: ranking.order.by,
    why: undefined,
    ranking,
  };
}

function isDuplicate(ranking: RankReply, id: string): boolean {
  return ranking.candidates.some(({ duplicates }) => duplicates.includes(id));
}

/** By the writer's own likelihood, where it says one of every sample; else as they came. */
function unranked(written: Samples, wanted: number, why: string, ranking?: RankReply): Choices {
  const means = written.samples.map(({ logprobs }) =>
    logprobs === undefined || logprobs.tokens === 0 ? undefined : logprobs.sum / logprobs.tokens,
  );
  const known = written.samples.length > 1 && means.every((mean) => mean !== undefined);
  const order = written.samples.map((sample, index) => ({ sample, mean: means[index] ?? 0 }));
  if (known) order.sort((a, b) => b.mean - a.mean);
  return {
    written,
    chosen: order.slice(0, wanted).map(({ sample }) => sample),
    rankedBy: known ? "writer_logprob" : "none",
    why,
    ranking,
  };
}
