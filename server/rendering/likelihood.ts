/**
 * From a problem and a program to the token ids that a language model judges by likelihood, and which of them are the
 * program's. The one place where it is decided how a judge reads: a question as the user's turn and the program in a
 * fence as the assistant's; at a cursor the model's own way of filling in, else the text before it alone.
 */
import type { LanguageTokenizer, Tokens } from "../engine/engine.ts";
import type { Span } from "../engine/likelihood.ts";
import type { LanguageModelFile } from "../models/language-model.ts";
import { createGuard } from "./content-guard.ts";
import { type Cut, concatenate, createCutter, createEncoder } from "./fragments.ts";
import { compileTemplate, unusable } from "./template.ts";
import { keptLengths } from "./truncate.ts";
import { windowAround } from "./window.ts";

/** What rendering needs to know of a model file. */
export type JudgingModel = Pick<
  LanguageModelFile,
  "chatTemplate" | "normalizer" | "maxTokens" | "bosToken" | "eosToken"
>;

/** A program as an answer to a question. */
export interface Answer {
  readonly question: string;
  /** Of the program, as a fence names it. */
  readonly language: string;
  readonly program: string;
}

/** A program as the text for a cursor. */
export interface Insertion {
  readonly prefix: string;
  readonly suffix: string;
  readonly program: string;
}

export interface JudgedInput {
  /** Up to the last token of the program. */
  readonly tokens: Tokens;
  /** The tokens that hold some of the program; empty where it is. */
  readonly program: Span;
  /** Something of problem or program was left out. */
  readonly truncated: boolean;
}

/** @throws ServiceError invalid_request (refused by the template), too_long, model_unusable */
export type JudgeRenderer = (judged: Answer | Insertion) => JudgedInput;

/** A control token, or text: ordinary, of the problem, or of the program. */
type Piece = number | string;

/** Stand around problem and program while a template runs; no text of this kind holds them (see `marked`). */
const MARKS = ["\uf8f0", "\uf8f1", "\uf8f2", "\uf8f3"] as const;
const ANY_MARK = /[\uf8f0-\uf8f3]/g;
const [PROBLEM, PROBLEM_END, PROGRAM, PROGRAM_END] = MARKS;

/**
 * A renderer for one model.
 * @throws ServiceError model_unusable when the chat template is broken or leaves out problem or program
 */
export function createJudgeRenderer(model: JudgingModel, tokenizer: LanguageTokenizer): JudgeRenderer {
  const encodePiece = createEncoder(tokenizer, model.normalizer);
  const encode: Encode = (text) => encodePiece(text, Number.POSITIVE_INFINITY);
  const chat =
    model.chatTemplate === undefined ? undefined : chatPieces(model.chatTemplate, model, tokenizer);
  const normal = (text: string): string =>
    (model.normalizer === "NFC" ? text.normalize("NFC") : text)
      .replace(ANY_MARK, "\ufffd")
      .replace(/\p{Surrogate}/gu, "\ufffd");

  const pieces = (judged: Answer | Insertion): Piece[] => {
    const program = PROGRAM + normal(judged.program) + PROGRAM_END;
    if ("question" in judged) {
      const problem = PROBLEM + normal(judged.question) + PROBLEM_END;
      const answer = `\`\`\`${judged.language}\n${program}\n\`\`\``;
      return chat?.(problem, answer) ?? [...start(tokenizer), `${problem}\n\n${answer}`];
    }
    const { prefix, suffix } = windowAround(normal(judged.prefix), normal(judged.suffix));
    const before = PROBLEM + prefix + PROBLEM_END;
    const { fillIn } = tokenizer;
    if (!fillIn) return [...start(tokenizer), before + program];
    return [fillIn.prefix, before, fillIn.suffix, suffix, fillIn.middle, program];
  };

  return (judged) => {
    const { tokens, problem, program } = laidOut(pieces(judged), tokenizer, encode);
    const windowed = "prefix" in judged && windowAround(judged.prefix, judged.suffix).cut;
    if (program.to <= model.maxTokens) {
      return { tokens: tokens.subarray(0, program.to), program: afterFirst(program), truncated: windowed };
    }
    const lengths = { problem: problem.to - problem.from, code: program.to - program.from };
    const kept = keptLengths(model.maxTokens, program.to - lengths.problem - lengths.code, lengths);
    // At a cursor what is nearest counts; of a question its beginning.
    const cutAt = "prefix" in judged ? problem.from : problem.from + kept.problem;
    const left = lengths.problem - kept.problem;
    const end = program.from + kept.code;
    return {
      tokens: concatenate([tokens.subarray(0, cutAt), tokens.subarray(cutAt + left, end)]),
      program: afterFirst({ from: program.from - left, to: end - left }),
      truncated: true,
    };
  };
}

/** The first token of all has nothing before it that could make it likely. */
function afterFirst({ from, to }: Span): Span {
  return { from: Math.max(1, from), to: Math.max(1, to) };
}

function start({ start: token }: LanguageTokenizer): Piece[] {
  return token === undefined ? [] : [token];
}

/** Applies the model's own template to a problem and an answer: the conversation's control tokens, and what is between. */
function chatPieces(
  source: string,
  { bosToken, eosToken }: JudgingModel,
  tokenizer: LanguageTokenizer,
): (problem: string, answer: string) => Piece[] {
  const template = compileTemplate(source, { bos_token: bosToken, eos_token: eosToken });
  const guard = createGuard(tokenizer.added.keys(), source);
  const cut = createCutter(tokenizer.added);
  const render = (problem: string, answer: string): Piece[] => {
    const { messages, restore } = guard([
      { role: "user", content: problem },
      { role: "assistant", content: answer },
    ]);
    const { texts, added }: Cut = cut(template(messages));
    return texts.flatMap((text, index): Piece[] => {
      const token = added[index];
      return token ? [restore(text), token.id] : [restore(text)];
    });
  };
  const probe = render(PROBLEM + PROBLEM_END, PROGRAM + PROGRAM_END).join("");
  if (MARKS.some((mark) => probe.split(mark).length !== 2)) {
    throw unusable("leaves out the problem or the code, or repeats it");
  }
  return render;
}

interface LaidOut {
  readonly tokens: Tokens;
  readonly problem: Span;
  readonly program: Span;
}

type Encode = (text: string) => Tokens;

/** Token ids of pieces, and which of them are of the marked texts. */
function laidOut(pieces: readonly Piece[], tokenizer: LanguageTokenizer, encode: Encode): LaidOut {
  const parts: Tokens[] = [];
  const places = new Map<string, number>();
  let count = 0;
  for (const piece of pieces) {
    const { tokens, marks } =
      typeof piece === "number"
        ? { tokens: Int32Array.of(piece), marks: [] }
        : locate(piece, tokenizer, encode);
    for (const { mark, index } of marks) places.set(mark, count + index);
    parts.push(tokens);
    count += tokens.length;
  }
  const span = (from: string, to: string): Span => ({ from: places.get(from) ?? 0, to: places.get(to) ?? 0 });
  return {
    tokens: concatenate(parts),
    problem: span(PROBLEM, PROBLEM_END),
    program: span(PROGRAM, PROGRAM_END),
  };
}

/** Tokens of a text with marks in it, and before which token each mark is. */
function locate(
  marked: string,
  tokenizer: LanguageTokenizer,
  encode: Encode,
): { readonly tokens: Tokens; readonly marks: readonly { readonly mark: string; readonly index: number }[] } {
  const texts = marked.split(ANY_MARK);
  const marks = marked.match(ANY_MARK) ?? [];
  const whole = encode(texts.join(""));
  const ends: number[] = [];
  for (const token of whole) ends.push((ends.at(-1) ?? 0) + tokenizer.bytesOf(token).byteLength);
  const bytes = texts.map((text) => Buffer.byteLength(text));
  if (marks.length > 0 && (ends.at(-1) ?? 0) !== bytes.reduce((sum, size) => sum + size, 0)) {
    // A tokenizer that adds or drops blanks: each part by itself then.
    const parts = texts.map(encode);
    return {
      tokens: concatenate(parts),
      marks: marks.map((mark, place) => ({ mark, index: concatenate(parts.slice(0, place + 1)).length })),
    };
  }
  let at = 0;
  return {
    tokens: whole,
    marks: marks.map((mark, place) => {
      at += bytes[place] ?? 0;
      // A token that is partly of the marked text is one of its own.
      const index =
        mark === PROBLEM || mark === PROGRAM
          ? ends.findIndex((end) => end > at)
          : ends.findIndex((_, token) => (ends[token - 1] ?? 0) >= at);
      return { mark, index: index === -1 ? whole.length : index };
    }),
  };
}
