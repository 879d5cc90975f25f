/** How much of a long document a model reads around a cursor. Pure. */

/** UTF-16 units of the text before a cursor that are read at most, and of the text after it: about 2,000 and 500 tokens. */
const BEFORE = 8192;
const AFTER = 2048;
/**
 * What is cut off before the cursor grows in steps: while somebody types, what is read begins at the same place, and its
 * tokens stay in the cache.
 */
const STEP = BEFORE / 4;

export interface Window {
  readonly prefix: string;
  readonly suffix: string;
  /** Something was left out. */
  readonly cut: boolean;
}

/** The text around a cursor that is read: whole lines, where they are not endless. */
export function windowAround(prefix: string, suffix: string): Window {
  const before = tail(prefix);
  const after = head(suffix);
  return {
    prefix: before,
    suffix: after,
    cut: before.length < prefix.length || after.length < suffix.length,
  };
}

function tail(text: string): string {
  if (text.length <= BEFORE) return text;
  const at = Math.ceil((text.length - BEFORE) / STEP) * STEP;
  const line = text.indexOf("\n", at - 1) + 1;
  const start = line > 0 && line < at + STEP ? line : at;
  return text.slice(wholeCharacter(text, start));
}

function head(text: string): string {
  if (text.length <= AFTER) return text;
  const line = text.lastIndexOf("\n", AFTER - 1) + 1;
  return text.slice(0, line > AFTER / 2 ? line : wholeCharacter(text, AFTER));
}

/** Not between the two halves of a character. */
function wholeCharacter(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit < 0xe000 ? at + 1 : at;
}
