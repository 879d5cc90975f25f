/** What a model thought before it answered is no part of the answer. */
import { fenceAfter } from "./fences.ts";
import { cutFront, type Line, withText } from "./lines.ts";
import { withoutTurnTokens } from "./turn-tokens.ts";

/** How models mark their thinking; an opening that is never closed takes the rest of the reply. */
const MARKS: readonly { readonly open: string; readonly close: string }[] = [
  { open: "<think>", close: "</think>" },
  { open: "<thinking>", close: "</thinking>" },
  { open: "<thought>", close: "</thought>" },
  { open: "<reasoning>", close: "</reasoning>" },
  { open: "<reflection>", close: "</reflection>" },
  { open: "<seed:think>", close: "</seed:think>" },
  { open: "<|begin_of_thought|>", close: "<|end_of_thought|>" },
  { open: "[THINK]", close: "[/THINK]" },
  { open: "◁think▷", close: "◁/think▷" },
  { open: "<|channel|>analysis<|message|>", close: "<|end|>" },
];

/** Marks that are acted on: no model thinks more often in one reply, and looking for each costs a line's length. */
const MAX_MARKS = 64;

export interface Answer {
  /** The reply without reasoning. */
  readonly lines: readonly Line[];
  /** Something was taken out. */
  readonly reasoned: boolean;
  /** The reasoning never ended: the answer is missing. */
  readonly endless: boolean;
}

/** Whether the text has any mark of reasoning; quick, without a look at its lines. */
export function mentionsReasoning(text: string): boolean {
  return MARKS.some(({ open, close }) => text.includes(open) || text.includes(close));
}

/** Takes reasoning out of a reply. A mark inside a fenced block of the answer is code and stays. */
export function withoutReasoning(reply: readonly Line[]): Answer {
  const marked = reply.some((line) =>
    MARKS.some((mark) => line.text.includes(mark.open) || line.text.includes(mark.close)),
  );
  if (!marked) return { lines: withoutTurnTokens(reply), reasoned: false, endless: false };
  const kept: Line[] = [];
  /** The fence that we are in: its marks, or empty outside. */
  let fence = "";
  let closing: string | undefined;
  let reasoned = false;
  let marks = 0;
  for (const whole of reply) {
    let line = whole;
    for (;;) {
      if (closing !== undefined) {
        const at = line.text.indexOf(closing);
        if (at < 0) break;
        line = cutFront(line, at + closing.length);
        closing = undefined;
        continue;
      }
      const found =
        marks >= MAX_MARKS
          ? undefined
          : fence === ""
            ? firstMark(line.text)
            : reasoned
              ? undefined
              : strayClose(line.text);
      if (found === undefined) {
        fence = fenceAfter(line.text, fence);
        kept.push(line);
        break;
      }
      reasoned = true;
      marks += 1;
      if (found.opens) {
        const before = line.text.slice(0, found.at);
        if (before.trim() !== "") kept.push(withText(line, before));
        line = cutFront(line, found.at + found.mark.open.length);
        closing = found.mark.close;
      } else {
        // Its opening was in the prompt: all so far was reasoning.
        kept.length = 0;
        fence = "";
        line = cutFront(line, found.at + found.mark.close.length);
      }
    }
  }
  return { lines: withoutTurnTokens(kept), reasoned, endless: closing !== undefined };
}

interface Found {
  readonly mark: (typeof MARKS)[number];
  readonly at: number;
  readonly opens: boolean;
}

/** Any mark, and which one it is. */
const SPELLINGS: ReadonlyMap<string, Pick<Found, "mark" | "opens">> = new Map(
  MARKS.flatMap((mark): [string, Pick<Found, "mark" | "opens">][] => [
    [mark.open, { mark, opens: true }],
    [mark.close, { mark, opens: false }],
  ]),
);
const ANY_MARK = new RegExp(
  [...SPELLINGS.keys()].map((spelling) => spelling.replace(/[[\]|]/g, "\\$&")).join("|"),
  "g",
);

/** The first mark of a line outside of quotes and inline code; of each one only its first place counts. */
function firstMark(text: string): Found | undefined {
  const seen = new Set<string>();
  for (const { 0: spelling, index: at } of text.matchAll(ANY_MARK)) {
    const found = SPELLINGS.get(spelling);
    if (found === undefined || seen.has(spelling)) continue;
    seen.add(spelling);
    if (!isTalkedAbout(text, at, found.opens)) return { ...found, at };
    if (seen.size === SPELLINGS.size) return undefined;
  }
  return undefined;
}

/** In the middle of a sentence, a comment or a string a mark is only spoken of. */
function isTalkedAbout(text: string, at: number, opens: boolean): boolean {
  if (!opens) return /["'`\w(#]/.test(text.charAt(at - 1));
  let last = at - 1;
  while (last >= 0 && /\s/.test(text.charAt(last))) last -= 1;
  return last >= 0 && !/[.!?:>]/.test(text.charAt(last));
}

/** Inside a block only a line that is nothing but a closing mark ends reasoning: its block was left open. */
function strayClose(text: string): Found | undefined {
  const mark = MARKS.find(({ close }) => text.trim() === close);
  return mark && { mark, at: text.indexOf(mark.close), opens: false };
}
