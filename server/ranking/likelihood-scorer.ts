/** A language model as a judge: how likely it finds each token of a program, given the problem. */

import { createPacer } from "../../shared/threads/step.ts";
import type { Engine, LanguageTokenizer } from "../engine/engine.ts";
import type { Likelihood } from "../engine/likelihood.ts";
import { ServiceError } from "../errors.ts";
import type { LanguageModelFile } from "../models/language-model.ts";
import { createJudgeRenderer, type JudgedInput } from "../rendering/likelihood.ts";
import type { Fit } from "./fit.ts";
import type { ProgramLikelihood, Scorer } from "./scorer.ts";

/** What a likelihood scorer needs to know of its model's file. */
export type JudgingFile = Pick<
  LanguageModelFile,
  "revision" | "type" | "chatTemplate" | "normalizer" | "maxTokens" | "bosToken" | "eosToken"
>;

/** Joins the parts of a loaded language model. */
export function createLikelihoodScorer(
  id: string,
  file: JudgingFile,
  engine: Engine & { readonly tokenizer: LanguageTokenizer },
  fit?: Fit,
): Scorer {
  // What the context cannot hold is shortened like what the model should not read.
  const maxTokens = Math.min(file.maxTokens, engine.maxSequence);
  const render = createJudgeRenderer({ ...file, maxTokens }, engine.tokenizer);
  return {
    identity: { id, revision: file.revision, type: file.type, device: engine.device },
    by: "likelihood",
    fit,
    scorePrograms: async ({ problem, cursor }, programs, options) => {
      const started = performance.now();
      const inputs: JudgedInput[] = [];
      const pause = createPacer(options.signal);
      for (const { language, scored, code } of programs) {
        await pause();
        inputs.push(
          render(cursor ? { ...cursor, program: code } : { question: problem, language, program: scored }),
        );
      }
      const tokenized = performance.now();
      const { likelihoods, decodedTokens } = await engine.score(
        inputs.map(({ tokens }) => tokens),
        {
          priority: options.priority,
          waited: options.waited,
          spans: inputs.map(({ program }) => program),
          ...(options.signal && { signal: options.signal }),
        },
      );
      return {
        inputs: inputs.map(({ tokens, truncated }, index) => ({
          reward: null,
          likelihood: summary(likelihoods[index]),
          tokens: tokens.length,
          truncated,
        })),
        decodedTokens,
        totalTokens: inputs.reduce((sum, { tokens }) => sum + tokens.length, 0),
        tokenizeMs: tokenized - started,
        scoreMs: performance.now() - tokenized,
      };
    },
    scoreItems: async () => {
      throw new ServiceError(
        "invalid_request",
        `${id} has no reward head: it judges programs by likelihood. Use /v1/rank, or choose a reward model.`,
      );
    },
    probability: () => null,
    close: () => engine.close(),
  };
}

/** Null for a program without a token of its own. */
function summary(likelihood: Likelihood | undefined): ProgramLikelihood | null {
  const tokens = likelihood?.logprobs.length ?? 0;
  if (!likelihood || tokens === 0) return null;
  const sum = likelihood.logprobs.reduce((total, logprob) => total + logprob, 0);
  const gap = likelihood.gaps.reduce((total, one) => total + one, 0);
  return { mean: sum / tokens, sum, meanGap: gap / tokens, tokens };
}
