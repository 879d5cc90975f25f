/**
 * A bounded part of a document around the cursor that can be parsed by itself. Documents up to a size are taken
 * whole; of larger ones a excerpt is cut at lines where items start, and what encloses it is stood in for.
 */
import { type Language, SYNTAX } from "../../languages/languages.ts";
import { scanBrackets } from "../scan-brackets.ts";
import { indentOf } from "../text/indent-style.ts";
import { isCloser } from "../text/line-shapes.ts";

/** Documents up to this size, in UTF-16 units (about 1,500 lines), are parsed whole: some 6 ms. */
const WHOLE_LENGTH = 48 * 1024;

/** Most text before the cursor in a excerpt: three times what any reward model reads. */
const BEFORE_LENGTH = 24 * 1024;

/** Most text after the cursor in a excerpt: it only has to end the enclosing unit and to show overlap. */
const AFTER_LENGTH = 12 * 1024;

/** The text that is parsed: `head + before + completion + after + tail`. */
export interface Excerpt {
  /** Stands for what encloses the excerpt in the document. */
  readonly head: string;
  readonly before: string;
  readonly after: string;
  /** Closes what `head` opens and what the excerpt cuts off. */
  readonly tail: string;
}

/** The excerpts of a document to try, simplest first; one where the document is small. */
export function excerptsOf(before: string, after: string, language: Language): Excerpt[] {
  if (before.length + after.length <= WHOLE_LENGTH) return [{ head: "", before, after, tail: "" }];
  const start = startOf(before, language);
  const near = before.slice(start.index);
  const end = endOf(after, start.indent);
  const far = after.slice(0, end);
  // What the document itself leaves open is not the excerpt's to close.
  const open = end < after.length ? scanBrackets(near + far, language).open : [];
  const tail =
    open.length === 0
      ? ""
      : `\n${open
          .map((one) => one.close)
          .reverse()
          .join("\n")}`;
  const bare = { head: "", before: near, after: far, tail };
  if (start.indent === 0) return [bare];
  return [
    ...SYNTAX[language].programs.enclosing.map(([head, close]) => ({ ...bare, head, tail: tail + close })),
    bare,
  ];
}

/** The earliest line in reach that starts an item at the left margin, else one with the least indentation. */
function startOf(before: string, language: Language): { index: number; indent: number } {
  let best = { index: before.length, indent: Number.POSITIVE_INFINITY, apart: false };
  let index = before.length <= BEFORE_LENGTH ? 0 : before.indexOf("\n", before.length - BEFORE_LENGTH) + 1;
  if (index === 0 && before.length > BEFORE_LENGTH) index = before.length - BEFORE_LENGTH;
  let blank = index === 0;
  const lines = before.slice(index).split("\n");
  // The cursor's own line starts nothing: what it belongs to is above.
  for (const line of lines.slice(0, -1)) {
    const solid = line.trim() !== "";
    if (solid && startsItem(line, language)) {
      const indent = indentOf(line);
      if (indent < best.indent || (indent === best.indent && blank && !best.apart)) {
        best = { index, indent, apart: blank };
      }
    }
    blank = !solid;
    index += line.length + 1;
  }
  if (best.index < before.length) return best;
  return { index: Math.max(0, before.length - BEFORE_LENGTH), indent: 0 };
}

/** Where the part after the cursor ends: before a line that leaves the excerpt's level, or at an item's start. */
function endOf(after: string, indent: number): number {
  if (after.length <= AFTER_LENGTH && indent === 0) return after.length;
  let index = after.indexOf("\n") + 1;
  if (index === 0) return Math.min(after.length, AFTER_LENGTH);
  let best = 0;
  for (const line of after.slice(index, AFTER_LENGTH).split("\n")) {
    if (line.trim() !== "") {
      const columns = indentOf(line);
      if (columns < indent) return index;
      if (columns === indent && !/^\s*[)\]}]/.test(line)) best = index;
    }
    index += line.length + 1;
  }
  return best > 0 ? best : Math.min(after.length, after.lastIndexOf("\n", AFTER_LENGTH) + 1 || AFTER_LENGTH);
}

/** The line is not the middle or end of something that starts above it. */
function startsItem(line: string, language: Language): boolean {
  if (
    /^\s*(?:[)\]}*]|\{\s*$|else\b|elif\b|end\b|fi\b|done\b|esac\b|except\b|finally\b|case\b|rescue\b|when\b)/.test(
      line,
    )
  )
    return false;
  return SYNTAX[language].lines.startsNoItem?.test(line) !== true;
}

/** Enclosing items that are parsed by themselves in a broken document: functions in types in namespaces. */
const MAX_REGIONS = 4;

/** Lines above the cursor that are indented less and less: what they start, up to where it ends below. */
export function regionsOf(
  before: string,
  after: string,
  language: Language,
): { start: number; end: number; indent: number }[] {
  const regions: { start: number; end: number; indent: number }[] = [];
  const lines = before.split("\n");
  let start = before.length - (lines.at(-1)?.length ?? 0);
  let limit = Number.POSITIVE_INFINITY;
  const current = lines.at(-1) ?? "";
  if (current.trim() !== "") {
    limit = indentOf(current);
    if (limit === 0) return [{ start, end: endOfItem(after, 0), indent: 0 }];
  }
  for (let index = lines.length - 2; index >= 0 && limit > 0; index--) {
    const line = lines[index] ?? "";
    start -= line.length + 1;
    if (line.trim() === "" || indentOf(line) >= limit || !startsItem(line, language)) continue;
    limit = indentOf(line);
    regions.push({ start, end: endOfItem(after, limit), indent: limit });
  }
  return regions.reverse().slice(0, MAX_REGIONS);
}

/** Offset behind the line that ends an item with this indentation, or before the line that starts the next. */
function endOfItem(after: string, indent: number): number {
  let index = after.indexOf("\n") + 1;
  if (index === 0) return after.length;
  for (const line of after.slice(index).split("\n")) {
    if (line.trim() !== "" && indentOf(line) <= indent) {
      return isCloser(line) && indentOf(line) === indent
        ? Math.min(after.length, index + line.length)
        : index;
    }
    index += line.length + 1;
  }
  return after.length;
}
