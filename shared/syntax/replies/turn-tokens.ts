/** Tokens of a chat template that some servers leave in the text of a reply. */
import { fenceAfter } from "./fences.ts";
import { cutFront, type Line, withText } from "./lines.ts";

/** Tokens that end or frame a turn. */
const TURN_TOKEN =
  "<\\|(?:im_end|im_start|endoftext|eot_id|end_of_text|end|return|start|begin_of_solution|end_of_solution)\\|>(?:assistant)?" +
  "|<\\|channel\\|>final<\\|message\\|>|</s>|<(?:end_of_turn|eos)>";
const LEADING_TOKENS = new RegExp(`^\\s*(?:${TURN_TOKEN})+`);
const ANY_TOKEN = new RegExp(TURN_TOKEN, "g");
const TOKENS_ONLY = new RegExp(`^\\s*(?:${TURN_TOKEN})+\\s*$`);

/**
 * Takes turn tokens off: where the reply begins and ends, and outside of fences where a line is nothing else. In
 * the middle of a reply they are text: a program may well speak of them, and it must stay what it is.
 */
export function withoutTurnTokens(lines: readonly Line[]): readonly Line[] {
  if (!lines.some((line) => line.text.includes("<"))) return lines;
  const isFilled = (line: Line) => line.text.trim() !== "";
  const first = lines.findIndex(isFilled);
  const last = lines.findLastIndex(isFilled);
  let fence = "";
  return lines.map((line, index) => {
    const fenced = fence !== "";
    fence = fenceAfter(line.text, fence);
    if (!line.text.includes("<")) return line;
    if (!fenced && TOKENS_ONLY.test(line.text)) return withText(line, "");
    const leading = index === first ? (LEADING_TOKENS.exec(line.text)?.[0].length ?? 0) : 0;
    const rest = leading === 0 ? line : cutFront(line, leading);
    return index === last ? withText(rest, withoutTrailingTokens(rest.text)) : rest;
  });
}

/** The text without the tokens at its end; the one pass is what a pattern anchored there would not make do with. */
function withoutTrailingTokens(text: string): string {
  let start = 0;
  let end = -1;
  for (const { 0: token, index } of text.matchAll(ANY_TOKEN)) {
    if (index !== end) start = index;
    end = index + token.length;
  }
  return end >= 0 && text.slice(end).trim() === "" ? text.slice(0, start) : text;
}
