/** Sessions and patches in plain text: lines behind prompts, and lines with diff marks. */
import { isBlank, type Line } from "./lines.ts";

/** What an interactive session shows before what is typed. */
export const PROMPT = /^\s*(?:>>>|\.\.\.|In ?\[[\d ]*\]:|irb(?:\([^)]*\))?[:\d]*[>*]|jshell>|php >)(?: |$)/;

/** A patch's own lines. */
const HUNK = /^@@ .*@@|^diff --git |^--- \S|^\+\+\+ \S/;

/** The lines of a session, its output among them; undefined when the text shows none. */
export function sessionIn(lines: readonly Line[]): readonly Line[] | undefined {
  const first = lines.findIndex((line) => PROMPT.test(line.text) && !/^\s*\.\.\./.test(line.text));
  if (first < 0) return undefined;
  let last = lines.findLastIndex((line) => PROMPT.test(line.text));
  // IPython shows the lines that continue an input without its number.
  while (/^\s*\.{3,}:/.test(lines[last + 1]?.text ?? "")) last += 1;
  return lines.slice(first, last + 1);
}

/** The lines of a patch; undefined when the text has none. */
export function patchIn(lines: readonly Line[]): readonly Line[] | undefined {
  const first = lines.findIndex((line) => HUNK.test(line.text));
  if (first < 0 || !lines.some((line) => /^@@ .*@@/.test(line.text))) return undefined;
  let last = first;
  for (let index = first; index < lines.length; index++) {
    const line = lines[index];
    if (line === undefined || !(isBlank(line) || HUNK.test(line.text) || /^[ +-]/.test(line.text))) break;
    if (!isBlank(line)) last = index;
  }
  return lines.slice(first, last + 1);
}
