/** From a conversation to the token ids a reward model reads. The rules are in docs/rendering.md. */
import type { Message } from "../../shared/contract.ts";
import type { Tokenizer, Tokens } from "../engine/engine.ts";
import { ServiceError } from "../errors.ts";
import type { RewardModelFile } from "../models/model-file.ts";
import { createGuard } from "./content-guard.ts";
import { CONVERSATIONS } from "./conversations.ts";
import { type Cut, concatenate, createCutter, createEncoder } from "./fragments.ts";
import { compileTemplate, type Template, unusable } from "./template.ts";
import { keptLengths } from "./truncate.ts";

/** What rendering needs to know of a model file. */
export type RenderedModel = Pick<
  RewardModelFile,
  "family" | "chatTemplate" | "normalizer" | "maxTokens" | "criteria" | "bosToken" | "eosToken"
>;

export interface RenderOptions {
  /** Name of a criterion, for models that judge one at a time. */
  readonly criterion?: string | undefined;
}

export interface RenderedInput {
  /** The whole rendered text, also where tokens were dropped. */
  readonly text: string;
  /** The text before, between and behind the template's control tokens, contents verbatim. */
  readonly fragments: readonly string[];
  readonly tokens: Tokens;
  readonly truncated: boolean;
}

export interface Renderer {
  /**
   * Renders and tokenizes a conversation. Contents are data: nothing in them becomes a control token.
   * @throws ServiceError invalid_request (criterion, refused by the template), too_long, model_unusable
   */
  render(messages: readonly Message[], options: RenderOptions): RenderedInput;
  /** Tokens of a text that is rendered already: every added token spelled in it is that token. */
  encodeRendered(text: string): Tokens;
  /** The fragments of such a text. */
  fragmentsOf(text: string): readonly string[];
}

/** Stands for a content where only its place matters; no template looks for it. */
const MARK = "\uf8fe";

/**
 * A renderer for one model.
 * @throws ServiceError model_unusable when the chat template is broken or leaves out problem or code
 */
export function createRenderer(model: RenderedModel, tokenizer: Tokenizer): Renderer {
  const template = compileTemplate(model.chatTemplate, {
    bos_token: model.bosToken,
    eos_token: model.eosToken,
  });
  const guard = createGuard(tokenizer.added.keys(), model.chatTemplate);
  const cut = createCutter(tokenizer.added);
  const encode = createEncoder(tokenizer, model.normalizer);
  const conversation = CONVERSATIONS[model.family];
  checkTemplate(template);

  return {
    render: (messages, { criterion }) => {
      const turns = conversation(messages, criterion, model.criteria);
      const masked = guard(turns);
      const { texts, added } = cut(template(masked.messages));
      const fragments = texts.map(masked.restore);
      // One token more than the limit shows that a fragment is too long; how much too long does not matter.
      const parts = fragments.map((fragment) => encode(fragment, model.maxTokens + 1));
      const total = parts.reduce((sum, part) => sum + part.length, added.length);
      const truncated = total > model.maxTokens;
      if (truncated) {
        const place = findTurns(turns, template, cut, added);
        const lengths = { problem: parts[place.problem]?.length ?? 0, code: parts[place.code]?.length ?? 0 };
        const kept = keptLengths(model.maxTokens, total - lengths.problem - lengths.code, lengths);
        shorten(parts, place.problem, kept.problem);
        shorten(parts, place.code, kept.code);
      }
      return { text: joinTexts(fragments, added), fragments, tokens: joinTokens(parts, added), truncated };
    },
    fragmentsOf: (text) => cut(text).texts,
    encodeRendered: (text) => {
      const { texts, added } = cut(text);
      return joinTokens(
        texts.map((fragment) => encode(fragment, Number.POSITIVE_INFINITY)),
        added,
      );
    },
  };
}

/** A template that drops problem or code would make every reward meaningless. */
function checkTemplate(template: Template): void {
  const [problem, code] = ["\uf8fc", "\uf8fd"];
  const text = template([
    { role: "user", content: problem },
    { role: "assistant", content: code },
  ]);
  if (!text.includes(problem) || !text.includes(code)) throw unusable("leaves out the problem or the code");
}

interface TurnFragments {
  /** Index of the fragment that holds the last user turn; -1: there is none, or it is empty. */
  readonly problem: number;
  /** The same for the last assistant turn. */
  readonly code: number;
}

/**
 * Finds the fragments of problem and code by rendering the conversation with a mark in their place.
 * @throws ServiceError model_unusable when they are not delimited by added tokens
 */
function findTurns(
  messages: readonly Message[],
  template: Template,
  cut: (text: string) => Cut,
  added: Cut["added"],
): TurnFragments {
  const find = (role: Message["role"]): number => {
    const last = messages.findLastIndex((message) => message.role === role);
    if (last === -1 || messages[last]?.content === "") return -1;
    const marked = messages.map((message, index) => {
      const standIn = index === last ? MARK : "x";
      return { role: message.role, content: message.content === "" ? "" : standIn };
    });
    const probe = cut(template(marked));
    const places = [...probe.texts.keys()].filter((index) => probe.texts[index]?.includes(MARK));
    const [place] = places;
    const same =
      probe.added.length === added.length && probe.added.every(({ id }, index) => id === added[index]?.id);
    if (!same || place === undefined || places.length > 1) {
      throw tooLong("does not show where the turns end");
    }
    if (place === probe.added.length || probe.texts[place]?.endsWith(MARK) !== true) {
      throw tooLong("ends a turn with no control token");
    }
    return place;
  };
  const place = { problem: find("user"), code: find("assistant") };
  if (place.problem !== -1 && place.problem === place.code) {
    throw tooLong("has no control token between problem and code");
  }
  return place;
}

function tooLong(what: string): ServiceError {
  return new ServiceError(
    "too_long",
    `The input is longer than the model takes, and cannot be shortened because the chat template ${what}. Send less text.`,
  );
}

function shorten(parts: Tokens[], index: number, length: number): void {
  const part = parts[index];
  if (part) parts[index] = part.subarray(0, length);
}

function joinTexts(texts: readonly string[], added: Cut["added"]): string {
  return texts.map((text, index) => text + (added[index]?.spelling ?? "")).join("");
}

function joinTokens(parts: readonly Tokens[], added: Cut["added"]): Tokens {
  const token = (index: number): Tokens => Int32Array.from(added[index] ? [added[index].id] : []);
  return concatenate(parts.flatMap((part, index) => [part, token(index)]));
}
