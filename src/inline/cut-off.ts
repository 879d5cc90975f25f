/** What of a completion can be used that its model did not come to the end of. */

/**
 * The text without its last line, which may go on; of a single line without the last word or number. What is still
 * open in front of that is left to whoever judges the text.
 */
export function withoutCutOffEnd(text: string): string {
  const lineEnd = text.trimEnd().lastIndexOf("\n");
  if (text.endsWith("\n")) return text;
  if (lineEnd >= 0 && text.slice(0, lineEnd).trim() !== "") return text.slice(0, lineEnd + 1);
  let end = text.length;
  while (end > 0 && /[\p{L}\p{N}_$]/u.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
