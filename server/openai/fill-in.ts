/**
 * Prompts of editors that fill in the middle by a model's own marks. Ranking needs what the marks mean: the text before
 * and after the cursor. Pure.
 */

/** Marks in the order in which they are written: before, after, here. Sources: the models' cards. */
const FORMATS: readonly (readonly [prefix: string, suffix: string, middle: string])[] = [
  // Qwen2.5-Coder, Granite, and what copies them.
  ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"],
  // StarCoder, StarCoder2, Mellum (which writes the suffix first).
  ["<fim_prefix>", "<fim_suffix>", "<fim_middle>"],
  // DeepSeek-Coder.
  ["<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"],
  // Code Llama.
  ["<PRE>", "<SUF>", "<MID>"],
];

export interface Cursor {
  readonly prefix: string;
  readonly suffix: string;
}

/** The cursor in a prompt; a prompt without marks is all prefix. */
export function cursorOf(prompt: string, suffix: string): Cursor {
  for (const [before, after, here] of FORMATS) {
    const from = prompt.lastIndexOf(before);
    const hole = prompt.lastIndexOf(after);
    const end = prompt.lastIndexOf(here);
    if (from < 0 || hole < 0 || end < 0) continue;
    if (from < hole && hole < end) {
      return {
        prefix: unpadded(prompt.slice(from + before.length, hole), before),
        suffix: unpadded(prompt.slice(hole + after.length, end), before),
      };
    }
    if (hole < from && from < end) {
      return {
        prefix: prompt.slice(from + before.length, end),
        suffix: prompt.slice(hole + after.length, from),
      };
    }
  }
  return { prefix: prompt, suffix };
}

/** Code Llama's marks have a blank on either side. */
function unpadded(text: string, mark: string): string {
  return mark === "<PRE>" ? text.replace(/^ | $/g, "") : text;
}
