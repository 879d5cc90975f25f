/**
 * What a model is given to write: a conversation in its own chat template, or the text around a cursor in its own way of
 * filling in, after the text of other files.
 */
import type { Message } from "../../shared/contract.ts";
import type { LanguageTokenizer, Tokens } from "../engine/engine.ts";
import { ServiceError } from "../errors.ts";
import type { LanguageModelFile } from "../models/language-model.ts";
import { createGuard } from "./content-guard.ts";
import { concatenate, createCutter, createEncoder } from "./fragments.ts";
import { compileTemplate } from "./template.ts";
import { windowAround } from "./window.ts";

/** What rendering needs to know of a model file. */
export type PromptModel = Pick<LanguageModelFile, "chatTemplate" | "normalizer" | "bosToken" | "eosToken">;

export interface Cursor {
  readonly prefix: string;
  readonly suffix: string;
  readonly path?: string | undefined;
  /** Texts of other files, the steadiest first: what stays the same from key to key is read once. */
  readonly context?: readonly { readonly path: string; readonly text: string }[] | undefined;
}

export interface RenderedPrompt {
  readonly tokens: Tokens;
  /** Something was left out, because it did not fit. */
  readonly cut: boolean;
  /** Texts at which the writing ends, for the way it was asked. */
  readonly stops: readonly string[];
}

export interface PromptRenderer {
  /**
   * @param language of the code that is wanted, if it is known
   * @param room most tokens
   * @throws ServiceError invalid_request (refused by the template), too_long
   */
  chat(messages: readonly Message[], language: string | undefined, room: number): RenderedPrompt;
  /** @param room most tokens */
  cursor(cursor: Cursor, room: number): RenderedPrompt;
}

/** Share of the room that the text after a cursor keeps when both sides are long. */
const SUFFIX_SHARE = 1 / 4;
/** Share of the room that other files may take. */
const CONTEXT_SHARE = 1 / 2;
/** With less room than this for the text at the cursor other files are left out. */
const LEAST_ROOM = 64;

/**
 * A renderer for one model.
 * @throws ServiceError model_unusable when the chat template is broken
 */
export function createPromptRenderer(model: PromptModel, tokenizer: LanguageTokenizer): PromptRenderer {
  const encodePiece = createEncoder(tokenizer, model.normalizer);
  const encode = (text: string): Tokens => encodePiece(wellFormed(text), Number.POSITIVE_INFINITY);
  const chat =
    model.chatTemplate === undefined ? undefined : chatTokens(model.chatTemplate, model, tokenizer, encode);
  const begin = Int32Array.from(tokenizer.start === undefined ? [] : [tokenizer.start]);
  return {
    chat: (messages, language, room) => {
      const bare = (): Tokens => concatenate([begin, encode(bareText(messages, language))]);
      const tokens = chat?.(messages) ?? bare();
      if (tokens.length > room) {
        throw new ServiceError(
          "too_long",
          `The conversation has ${tokens.length} tokens, and ${room} have room beside what is to be written. Shorten it, or ask for fewer or shorter completions.`,
        );
      }
      return { tokens, cut: false, stops: chat ? [] : ["\n```"] };
    },
    cursor: (cursor, room) => {
      const window = windowAround(cursor.prefix, cursor.suffix);
      const prefix = encode(window.prefix);
      const suffix = encode(window.suffix);
      const { fillIn } = tokenizer;
      const own = prefix.length + (fillIn ? suffix.length + 3 : begin.length);
      const before = otherFiles(cursor, tokenizer, encode, Math.min(room * CONTEXT_SHARE, room - own));
      const left = Math.max(LEAST_ROOM, room - before.tokens.length - (fillIn ? 3 : begin.length));
      if (!fillIn) {
        const kept = prefix.subarray(-left);
        return {
          tokens: concatenate([begin, before.tokens, kept]),
          cut: window.cut || before.cut || kept.length < prefix.length,
          stops: [],
        };
      }
      const after = suffix.subarray(0, Math.max(left - prefix.length, Math.floor(left * SUFFIX_SHARE)));
      const kept = prefix.subarray(Math.max(0, prefix.length + after.length - left));
      return {
        tokens: concatenate([
          before.tokens,
          Int32Array.of(fillIn.prefix),
          kept,
          Int32Array.of(fillIn.suffix),
          after,
          Int32Array.of(fillIn.middle),
        ]),
        cut: window.cut || before.cut || kept.length < prefix.length || after.length < suffix.length,
        stops: [],
      };
    },
  };
}

/** Other files, each under its path, as models that know more than one file were trained with them. */
function otherFiles(
  { context = [], path }: Cursor,
  { fillIn }: LanguageTokenizer,
  encode: (text: string) => Tokens,
  room: number,
): { readonly tokens: Tokens; readonly cut: boolean } {
  if (context.length === 0) return { tokens: new Int32Array(), cut: false };
  const mark = fillIn?.file === undefined ? encode("\n") : Int32Array.of(fillIn.file);
  const own = concatenate([mark, encode(`${path ?? "file"}\n`)]);
  const parts: Tokens[] = [];
  let left = Math.floor(room) - own.length;
  let cut = false;
  for (const file of context) {
    const tokens = concatenate([mark, encode(`${file.path}\n${file.text}\n`)]);
    if (tokens.length > left) cut = true;
    if (left < LEAST_ROOM) break;
    parts.push(tokens.subarray(0, left));
    left -= tokens.length;
  }
  return parts.length === 0
    ? { tokens: new Int32Array(), cut: true }
    : { tokens: concatenate([...parts, own]), cut };
}

/** What a model without a chat template continues: the question, and the beginning of an answer in a fence. */
function bareText(messages: readonly Message[], language = ""): string {
  return `${messages.map(({ content }) => content).join("\n\n")}\n\n\`\`\`${language}\n`;
}

function chatTokens(
  source: string,
  { bosToken, eosToken }: PromptModel,
  tokenizer: LanguageTokenizer,
  encode: (text: string) => Tokens,
): (messages: readonly Message[]) => Tokens {
  const template = compileTemplate(source, {
    bos_token: bosToken,
    eos_token: eosToken,
    add_generation_prompt: true,
  });
  const guard = createGuard(tokenizer.added.keys(), source);
  const cut = createCutter(tokenizer.added);
  return (messages) => {
    const masked = guard(messages);
    const { texts, added } = cut(template(masked.messages));
    return concatenate(
      texts.flatMap((text, index) => [
        encode(masked.restore(text)),
        Int32Array.from(added[index] ? [added[index].id] : []),
      ]),
    );
  };
}

/** Half a surrogate pair is no character; it becomes U+FFFD, as in every encoder. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}
