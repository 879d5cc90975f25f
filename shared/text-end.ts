/** Ends of texts without patterns: a pattern that is anchored at the end alone takes the square of a run's length. */

/**
 * The text without the characters at its end that are among some.
 * @param characters each a UTF-16 unit
 */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
