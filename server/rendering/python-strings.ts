/** Python's string methods as chat templates use them. JavaScript's differ in what they call a blank, and in arguments. */

/** What `str.strip()` removes: not quite JavaScript's set (U+001C–U+001F and U+0085 are in, U+FEFF is not). */
const BLANKS = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${BLANKS}]+`);
const WORD = new RegExp(`[^${BLANKS}]+`, "g");
const BLANK = new RegExp(`[${BLANKS}]`);

/** `text.lstrip(characters)`; blanks where no characters are given. */
export function lstrip(text: string, characters?: string): string {
  if (characters === undefined) return text.replace(LEADING, "");
  const set = new Set(characters);
  let start = 0;
  for (const character of text) {
    if (!set.has(character)) break;
    start += character.length;
  }
  return text.slice(start);
}

/** `text.rstrip(characters)`; blanks where no characters are given. */
export function rstrip(text: string, characters?: string): string {
  const set = characters === undefined ? undefined : new Set(characters);
  let end = text.length;
  while (end > 0) {
    const low = text.charCodeAt(end - 1);
    const pair = low >= 0xdc00 && low <= 0xdfff && end > 1;
    const character = pair ? text.slice(end - 2, end) : text.charAt(end - 1);
    if (!(set ? set.has(character) : BLANK.test(character))) break;
    end -= character.length;
  }
  return text.slice(0, end);
}

/** `text.strip(characters)`; blanks where no characters are given. */
export function strip(text: string, characters?: string): string {
  return rstrip(lstrip(text, characters), characters);
}

/**
 * `text.split(separator, maxsplit)`; at runs of blanks where no separator is given.
 * @param maxsplit at most so many cuts; negative: all
 */
export function split(text: string, separator?: string, maxsplit = -1): string[] {
  if (separator === "") throw new Error("empty separator");
  if (separator === undefined) return splitAtBlanks(text, maxsplit);
  const parts = text.split(separator);
  if (maxsplit < 0 || parts.length <= maxsplit + 1) return parts;
  return [...parts.slice(0, maxsplit), parts.slice(maxsplit).join(separator)];
}

function splitAtBlanks(text: string, maxsplit: number): string[] {
  const parts: string[] = [];
  for (const match of text.matchAll(WORD)) {
    if (parts.length === maxsplit) return [...parts, text.slice(match.index)];
    parts.push(match[0]);
  }
  return parts;
}

/** `len(text)`: code points. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
