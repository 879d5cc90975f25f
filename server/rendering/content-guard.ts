/**
 * Contents are data: while a template runs, no content can be taken for a control token or for a mark of the template.
 *
 * Every character with which an added token begins or ends is replaced in the contents by a private-use character
 * that occurs nowhere else. So no spelling can begin or end inside a content, not even together with text of the
 * template around it, and a template that looks for `</think>` never finds it there. After the template ran and its text was
 * cut at the template's own tokens, the characters are put back.
 */
import type { Message } from "../../shared/contract.ts";
import { ServiceError } from "../errors.ts";

/** First and last of the private-use characters of the basic plane, which are single UTF-16 units. */
const FIRST = 0xe000;
const LAST = 0xf8ff;
const PRIVATE_USE = /[\ue000-\uf8ff]/g;

/** Contents in disguise, and the way back. */
export interface Masked {
  readonly messages: readonly Message[];
  /** Puts the original characters back into a text that was made of the contents. */
  restore(text: string): string;
}

export type Guard = (messages: readonly Message[]) => Masked;

/**
 * A guard against the given spellings.
 * @param template its own private-use characters are left alone
 * @throws ServiceError model_unusable when a spelling begins or ends with a blank, which cannot be hidden from a template
 */
export function createGuard(spellings: Iterable<string>, template: string): Guard {
  const edges = new Set<string>();
  for (const spelling of spellings) {
    const characters = [...spelling];
    for (const edge of [characters.at(0), characters.at(-1)]) {
      if (edge === undefined || /\s/.test(edge)) {
        throw new ServiceError(
          "model_unusable",
          `The model has a control token that is blank at an end (${JSON.stringify(spelling)}), which cannot be told from text. Use another model.`,
        );
      }
      edges.add(edge);
    }
  }
  if (edges.size === 0)
    return (messages) => ({ messages: messages.map(wellFormed), restore: (text) => text });
  const hidden = characterClass(edges);
  return (messages) => {
    const plain = messages.map(wellFormed);
    const placeholders = unused(edges.size, [template, ...plain.map((message) => message.content)]);
    const disguise = new Map([...edges].map((edge, index) => [edge, placeholders[index] ?? edge]));
    const original = new Map([...disguise].map(([edge, placeholder]) => [placeholder, edge]));
    const shown = characterClass(original.keys());
    const swap = (text: string, pattern: RegExp, table: ReadonlyMap<string, string>): string =>
      text.replace(pattern, (character) => table.get(character) ?? character);
    return {
      messages: plain.map(({ role, content }) => ({ role, content: swap(content, hidden, disguise) })),
      restore: (text) => swap(text, shown, original),
    };
  };
}

/** Half a surrogate pair is no character; it becomes U+FFFD, as in every encoder. */
function wellFormed({ role, content }: Message): Message {
  return { role, content: content.replace(/\p{Surrogate}/gu, "\ufffd") };
}

function characterClass(characters: Iterable<string>): RegExp {
  const codes = Array.from(characters, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
  return new RegExp(`[${codes.join("")}]`, "gu");
}

function unused(count: number, texts: readonly string[]): string[] {
  const used = new Set<string>();
  for (const text of texts) for (const [character] of text.matchAll(PRIVATE_USE)) used.add(character);
  const free: string[] = [];
  for (let code = FIRST; code <= LAST && free.length < count; code++) {
    const character = String.fromCharCode(code);
    if (!used.has(character)) free.push(character);
  }
  if (free.length === count) return free;
  throw new ServiceError(
    "invalid_request",
    "A text uses nearly all private-use characters of Unicode. Leave the text out.",
  );
}
