/** How the lines of a completion are brought to the indentation of the document. */

import type { Language } from "../../languages/languages.ts";
import { scanBrackets } from "../scan-brackets.ts";
import {
  type IndentStyle,
  indentOf,
  indentStyle,
  type LiteralLines,
  render,
  STYLE_LINES,
  sameStyle,
  TAB,
} from "./indent-style.ts";
import { isCloser, leavesBlock, leavesUnit, opensBlock, startsUnit } from "./line-shapes.ts";

/** Closing lines that are looked at for the one that ends the first line's block. */
const CLOSING_SCANS = 20;

/** What of the surroundings decides how a completion is indented. */
export interface IndentContext {
  readonly language: Language;
  readonly style: IndentStyle;
  /** Only white space is before the cursor on its line. */
  readonly atLineStart: boolean;
  /** Indentation of the cursor's line, in columns. */
  readonly lineIndent: number;
  /** Where a statement at the cursor belongs: that of the line before, one level deeper after an opener. */
  readonly expected: number;
  /** The line before opens a block that has nothing in it yet. */
  readonly opened: boolean;
  /** It opens parentheses or square brackets, in which lines may be indented by any step. */
  readonly openedList: boolean;
  /** The cursor is at the left margin directly below an indented line: what it belongs to is open. */
  readonly belowIndented: boolean;
  /** Columns of the lines above in whose blocks the cursor is. */
  readonly levels: ReadonlySet<number>;
  /** The line directly above ends a documentation string, so that the function has no statements yet. */
  readonly afterDocstring: boolean;
  /** The cursor's line or the one directly above is a comment or an attribute: it says what is to follow. */
  readonly underComment: boolean;
}

/** Reads the context off the text before the cursor. */
export function indentContext(
  before: string,
  after: string,
  language: Language,
  literal: LiteralLines,
): IndentContext {
  const style = indentStyle(before, after, literal);
  const lines = lastLines(before);
  const current = lines.at(-1) ?? "";
  const atLineStart = current.trim() === "";
  const above = atLineStart ? lines.slice(0, -1).findLast((line) => line.trim() !== "") : current;
  const opened = above !== undefined && opensBlock(above, language);
  const aboveIndent = indentOf(above ?? "");
  return {
    language,
    style,
    atLineStart,
    lineIndent: indentOf(current),
    expected: opened ? aboveIndent + (style.unit ?? TAB) : aboveIndent,
    opened,
    levels: levelsAbove(lines.slice(0, -1), indentOf(current)),
    openedList: opened && /[([]$/.test(above.trimEnd()),
    belowIndented: atLineStart && current === "" && /^[ \t]+\S/.test(lines.at(-2) ?? ""),
    afterDocstring: language === "python" && atLineStart && endsDocstring(lines.at(-2) ?? ""),
    underComment: /^\s*(?:\/[/*]|\*|#(?!!|include|define|if|end))/.test(
      (atLineStart ? lines.at(-2) : current) ?? "",
    ),
  };
}

/** Columns of lines that are indented less and less on the way up from a column. */
function levelsAbove(lines: readonly string[], from: number): ReadonlySet<number> {
  const levels = new Set<number>();
  let least = from;
  for (const line of lines.toReversed()) {
    if (line.trim() === "" || indentOf(line) >= least) continue;
    least = indentOf(line);
    levels.add(least);
  }
  return levels;
}

/**
 * The completion's lines with the document's indentation, most likely reading first. Models give lines as the
 * file would have them (FIM), relative to the cursor (chat), with the cursor's own white space again, or in
 * their own step; a second reading is given where it is open which.
 */
export function reindent(completion: string, context: IndentContext): string[] {
  const { atLineStart, lineIndent, expected, opened, style } = context;
  const text = atLineStart ? completion.replace(/^(?:[ \t]*\n)+/, "") : completion;
  if (style.mixed) return [atLineStart && lineIndent > 0 ? text.trimStart() : text];
  const lines = text.split("\n");
  const first = lines[0] ?? "";
  const startsBelow = first.trim() === "";
  const bodyIndex = startsBelow ? lines.findIndex((line) => line.trim() !== "") : 0;
  const body = lines[bodyIndex];
  if (body === undefined) return [text];
  const rest = lines.slice(bodyIndex + 1);
  const lead = indentOf(body);

  // A line that has nothing before the cursor yet may lack its indentation.
  const missing =
    atLineStart &&
    lineIndent === 0 &&
    lead === 0 &&
    expected > 0 &&
    (opened || leavesUnit(body) || (context.afterDocstring && !startsUnit(body, true, context.language)));
  const anchor = startsBelow
    ? belowAnchor(lead, context, body)
    : missing
      ? expected
      : atLineStart
        ? Math.max(lineIndent, lineIndent === 0 ? lead : lineIndent)
        : lineIndent;
  const bases = startsBelow || lead > 0 ? [lead] : readings(body, rest, anchor, context);
  if (!startsBelow && lead > 0 && !atLineStart)
    bases.splice(0, 1, ...readings(body.trim(), rest, anchor, context));

  const outcomes = bases.map((base) => {
    const literal = scanBrackets(text, context.language).literalLines;
    const own = blockStep(
      [" ".repeat(base) + body.trim(), ...rest.filter((_, at) => !literal.has(at + bodyIndex + 1))],
      context.language,
    );
    const scale = ownScale(own, style.unit, base, rest);
    const move = (line: string, index: number) => {
      if (line.trim() === "" || literal.has(index)) return line;
      const columns = Math.max(0, anchor + Math.round((indentOf(line) - base) * scale));
      return columns === indentOf(line) && sameStyle(line, style)
        ? line
        : render(columns, style) + line.trimStart();
    };
    const moved = rest.map((line, at) => move(line, at + bodyIndex + 1));
    const head = startsBelow
      ? [...lines.slice(0, bodyIndex), move(body, bodyIndex)]
      : [atLineStart ? render(Math.max(0, anchor - lineIndent), style) + body.trimStart() : body];
    return [...head, ...moved].join("\n");
  });
  return [...new Set(outcomes)];
}

/** The column where the first line after a line break belongs, given that the completion puts it at `lead`. */
function belowAnchor(lead: number, context: IndentContext, body: string): number {
  const { lineIndent, expected, opened } = context;
  if (isCloser(body)) return lead === 0 ? lineIndent : lead;
  if (opened) {
    const own = context.style.unit === undefined || context.openedList;
    return lead > lineIndent && own ? lead : expected;
  }
  // Deeper is a continuation line; the same is right; less leaves the block, which only blank lines excuse.
  if (lead >= lineIndent || startsUnit(body, true, context.language)) return lead;
  return lead === 0 ? lineIndent : lead;
}

/**
 * Columns the author may have meant for a first line that came without its indentation, likelier first: the
 * anchor, where the other lines are as the file would have them, or 0, where all are relative to the cursor.
 */
function readings(body: string, rest: readonly string[], anchor: number, context: IndentContext): number[] {
  const { language } = context;
  const { literalLines, continuationLines } = scanBrackets([body, ...rest].join("\n"), language);
  const isStatement = (line: string, at: number) =>
    line.trim() !== "" &&
    !/^\s*(?:#(?!\[)|\/\/)/.test(line) &&
    !literalLines.has(at + 1) &&
    !continuationLines.has(at + 1);
  const following = rest.find(isStatement);
  if (anchor === 0) return [anchor];
  const absolute = [anchor, 0];
  const relative = [0, anchor];
  const closer = closingLine(body, rest, language);
  // Deeper than the cursor it is aligned with what it closes, which says nothing.
  if (closer !== undefined && indentOf(closer) <= anchor) {
    return indentOf(closer) === anchor ? absolute : [indentOf(closer), anchor];
  }
  if (following === undefined) return [anchor];
  const block =
    opensBlock(body, language) && !(language === "python" ? /[([{]$/ : /[([]$/).test(body.trimEnd());
  if (block) {
    if (indentOf(following) <= anchor) {
      const ends = /^\s*\{/.test(following) || isCloser(following);
      return ends && indentOf(following) === anchor ? absolute : relative;
    }
    // A simple statement is followed by one of its level, or by the end of its block.
  } else if (indentOf(following) >= anchor || isCloser(following)) return absolute;
  // No block of the document is at this column: it is the author's own for what is at the cursor.
  else if (indentOf(following) > 0 && !context.levels.has(indentOf(following)))
    return [indentOf(following), anchor];
  const at = rest.findIndex(
    (line, index) => isStatement(line, index) && indentOf(line) < anchor && !isCloser(line),
  );
  const shallow = rest[at];
  // Less indentation than the cursor's but more than none ends a block; none at all may do so too.
  if (shallow === undefined || indentOf(shallow) > 0) return absolute;
  const apart = (rest[at - 1] ?? body).trim() === "";
  const last = rest.slice(0, at).findLast(isStatement) ?? body;
  if (!block && startsUnit(body, true, language)) return relative;
  return startsUnit(shallow, apart, language) || leavesBlock(last) ? absolute : relative;
}

/** The line that starts with the closer of what the first line opens: both have the same indentation. */
function closingLine(body: string, rest: readonly string[], language: Language): string | undefined {
  if (scanBrackets(body, language).open.length === 0) return undefined;
  let scans = 0;
  for (const [index, line] of rest.entries()) {
    if (!isCloser(line)) continue;
    if (++scans > CLOSING_SCANS) return undefined;
    const above = scanBrackets([body, ...rest.slice(0, index)].join("\n"), language);
    const closed = scanBrackets(
      [body, ...rest.slice(0, index), /^\s*(?:[)\]}]+|\S[a-z]*)/.exec(line)?.[0] ?? ""].join("\n"),
      language,
    );
    if (above.open.length > 0 && closed.open.length === 0) return line;
  }
  return undefined;
}

/** The step by which lines are indented behind what opens a block; undefined where the lines open none. */
function blockStep(lines: readonly string[], language: Language): number | undefined {
  const solid = lines.filter((line) => line.trim() !== "");
  const steps = solid.flatMap((line, index) => {
    const next = solid[index + 1];
    const block = next !== undefined && opensBlock(line, language) && !/(?:[([]|[-=]>)$/.test(line.trimEnd());
    const step = block ? indentOf(next) - indentOf(line) : 0;
    return step > 1 ? [step] : [];
  });
  return steps.length === 0 ? undefined : Math.min(...steps);
}

/** How much wider one level of the document is than one of the completion. */
function ownScale(
  own: number | undefined,
  unit: number | undefined,
  base: number,
  rest: readonly string[],
): number {
  if (own === undefined || unit === undefined || own === unit) return 1;
  const regular = rest.every((line) => line.trim() === "" || (indentOf(line) - base) % own === 0);
  return regular ? unit / own : 1;
}

function lastLines(text: string): string[] {
  let start = text.length;
  for (let count = 0; count < STYLE_LINES && start > 0; count++) start = text.lastIndexOf("\n", start - 1);
  return text.slice(Math.max(0, start)).split("\n");
}

/** An indented line that ends with the end of a docstring, behind its text or alone. */
function endsDocstring(line: string): boolean {
  if (!/^[ \t]/.test(line) || !/(?:"""|''')$/.test(line)) return false;
  const text = line.slice(0, -3);
  return text.trim() === "" || text.trimEnd() === text;
}
