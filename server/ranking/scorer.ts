/** A model ready to judge: its file, its way of rendering an input, and the engine that runs it. */
import type { Message, ModelIdentity, Priority } from "../../shared/contract.ts";
import { createPacer } from "../../shared/threads/step.ts";
import type { Engine, Tokens } from "../engine/engine.ts";
import { ServiceError } from "../errors.ts";
import type { TokenizerFile } from "../models/model-file.ts";
import { createRenderer, type Renderer } from "../rendering/renderer.ts";
import type { Fit } from "./fit.ts";
import { matchingTerm } from "./text-parts/matching.ts";
import { ngramTerm } from "./text-parts/ngram.ts";

/** How likely a language model finds the tokens of a program; natural logarithms. */
export interface ProgramLikelihood {
  /** Mean log-probability of a token. */
  readonly mean: number;
  /** Log-probability of the whole program. */
  readonly sum: number;
  /** Mean of what a token's log-probability is below that of the likeliest token there. */
  readonly meanGap: number;
  readonly tokens: number;
}

/** What a program is an answer to. */
export interface JudgedTask {
  /** The problem in words, as reward models read it. */
  readonly problem: string;
  /** Where the program is to be inserted, if it is. */
  readonly cursor?: { readonly prefix: string; readonly suffix: string } | undefined;
}

export interface JudgedProgram {
  readonly language: string;
  /** What is judged as an answer to the problem: the program, or the unit that it completes. */
  readonly scored: string;
  /** The program, or the text to insert. */
  readonly code: string;
}

export interface ScoredProgram {
  /** Raw logit; null where the model has no reward head. */
  readonly reward: number | null;
  /** Null where the model does not judge by it, or the program has no token. */
  readonly likelihood: ProgramLikelihood | null;
  /** Tokens of the rendered input. */
  readonly tokens: number;
  readonly truncated: boolean;
}

export interface ScoredInput {
  /** Raw logit: of the head, plus the model's linear and matching parts where it has them. */
  readonly reward: number;
  /** Tokens of the rendered input. */
  readonly tokens: number;
  readonly truncated: boolean;
}

export interface ScoredInputs<Input = ScoredInput> {
  readonly inputs: readonly Input[];
  /** Tokens decoded for this call. */
  readonly decodedTokens: number;
  readonly totalTokens: number;
  readonly tokenizeMs: number;
  readonly scoreMs: number;
}

export interface ScoringOptions {
  readonly priority: Priority;
  readonly signal?: AbortSignal | undefined;
  /** Name of a criterion, for models that judge one at a time. */
  readonly criterion?: string | undefined;
  /** Told how long the work waited for the engine, in milliseconds. */
  readonly waited?: ((ms: number) => void) | undefined;
}

export interface Scorer {
  readonly identity: ModelIdentity;
  /** What the model judges programs by. */
  readonly by: "reward" | "likelihood";
  /** How its judgement is combined with the other signals; undefined where nothing was fitted. */
  readonly fit: Fit | undefined;
  /** Judges programs for one task, rendered as the model needs it. */
  scorePrograms(
    task: JudgedTask,
    programs: readonly JudgedProgram[],
    options: ScoringOptions,
  ): Promise<ScoredInputs<ScoredProgram>>;
  /** Rewards of conversations, of texts that are rendered already, and of token ids, mixed, in order. */
  scoreItems(items: readonly ScoreItem[], options: ScoringOptions): Promise<ScoredInputs>;
  /** Calibrated chance of being right, `sigmoid(slope · reward + intercept)`; null without calibration. */
  probability(reward: number): number | null;
  close(): Promise<void>;
}

export type ScoreItem =
  | { readonly messages: readonly Message[] }
  | { readonly text: string }
  /** Token ids of the model, taken as they are. */
  | { readonly tokens: readonly number[] };

/** What a scorer needs to know of its model; the weights are the engine's business. */
export interface ScoredModel extends TokenizerFile {
  /** Number format of the weights, or "remote" where the engine does not say. */
  readonly type: string;
}

/** No text of this many characters for each token of the context can fit: it is refused without being tokenized. */
const CHARACTERS_PER_TOKEN = 32;

/** Joins the parts of a loaded model. */
export function createScorer(id: string, file: ScoredModel, engine: Engine, fit?: Fit): Scorer {
  // What the context cannot hold is shortened like what the model cannot read.
  const maxTokens = Math.min(file.maxTokens, engine.maxSequence);
  const renderer: Renderer = createRenderer({ ...file, maxTokens }, engine.tokenizer);
  const encodeText = (text: string): Tokens => {
    if (text.length > engine.maxSequence * CHARACTERS_PER_TOKEN) {
      throw new ServiceError(
        "too_long",
        `A text has ${text.length} characters, more than a context of ${engine.maxSequence} tokens can hold. Shorten it.`,
      );
    }
    return renderer.encodeRendered(text);
  };
  const { ngram, matching } = file;
  const termOf = (fragments: readonly string[]): number =>
    (ngram ? ngramTerm(ngram, fragments) : 0) + (matching ? matchingTerm(matching, fragments) : 0);
  const scoreItems = async (items: readonly ScoreItem[], options: ScoringOptions): Promise<ScoredInputs> => {
    const started = performance.now();
    const rendered: { tokens: Tokens; truncated: boolean; term: number }[] = [];
    const pause = createPacer(options.signal);
    for (const item of items) {
      await pause();
      if ("messages" in item) {
        const { tokens, truncated, fragments } = renderer.render(item.messages, {
          criterion: options.criterion,
        });
        rendered.push({ tokens, truncated, term: termOf(fragments) });
      } else if ("text" in item) {
        const tokens = encodeText(item.text);
        rendered.push({ tokens, truncated: false, term: termOf(renderer.fragmentsOf(item.text)) });
      } else {
        // Ids are what another server's engine is asked for: the term is added where the text is known.
        rendered.push({ tokens: Int32Array.from(item.tokens), truncated: false, term: 0 });
      }
    }
    const tokenized = performance.now();
    const { rewards, decodedTokens } = await engine.score(
      rendered.map((input) => input.tokens),
      {
        priority: options.priority,
        waited: options.waited,
        ...(options.signal && { signal: options.signal }),
      },
    );
    return {
      inputs: rendered.map(({ tokens, truncated, term }, index) => ({
        reward: (rewards[index] ?? Number.NaN) + term,
        tokens: tokens.length,
        truncated,
      })),
      decodedTokens,
      totalTokens: rendered.reduce((sum, { tokens }) => sum + tokens.length, 0),
      tokenizeMs: tokenized - started,
      scoreMs: performance.now() - tokenized,
    };
  };
  const { calibration } = file;
  return {
    identity: { id, revision: file.revision, type: file.type, device: engine.device },
    by: "reward",
    fit,
    scoreItems,
    scorePrograms: async ({ problem }, programs, options) => {
      const { inputs, ...rest } = await scoreItems(
        programs.map(({ scored }): ScoreItem => ({ messages: conversation(problem, scored) })),
        options,
      );
      return { ...rest, inputs: inputs.map((input) => ({ ...input, likelihood: null })) };
    },
    probability: (reward) =>
      calibration ? 1 / (1 + Math.exp(-(calibration.slope * reward + calibration.intercept))) : null,
    close: () => engine.close(),
  };
}

/** A problem and an answer to it, as the turns of a chat. */
export function conversation(problem: string, answer: string): Message[] {
  return [
    { role: "user", content: problem },
    { role: "assistant", content: answer },
  ];
}
