/** What a completion may mean: the texts to insert that a parse is asked about, most likely first. */
import { withoutEnd } from "../../text-end.ts";
import type { CursorDocument } from "./document/document.ts";
import { completeParts, withinPlace } from "./place.ts";
import { scanBrackets } from "./scan-brackets.ts";
import { reindent } from "./text/indentation.ts";
import { continuationOf } from "./text/repeated-unit.ts";
import {
  closerCuts,
  repetitionCuts,
  tailCuts,
  withoutOuterStatements,
  withoutRepeatedPrefix,
  withoutRepeatedSuffix,
  withoutRepeatedWord,
} from "./text/repetition.ts";

/** Insertions that the completion may mean, most likely first. */
export function* proposals(completion: string, document: CursorDocument): Generator<string> {
  for (const text of meanings(completion, document)) {
    for (const reading of reindent(text, document.indent)) {
      yield* endings(reading, document);
      const end = document.unitEndWithoutSuffix(reading);
      if (end !== undefined) yield* endings(reading.slice(0, end), document);
    }
  }
}

/** The completion without what is before the cursor already: of an answer, its continuation. */
function meanings(completion: string, document: CursorDocument): string[] {
  const { before } = document.excerpt;
  const repeated = withoutRepeatedPrefix(completion, before) ?? withoutRepeatedWord(completion, before);
  // A unit in full has more than one line.
  const whole = repeated === undefined && completion.includes("\n");
  const continued = whole ? continuationOf(completion, document) : undefined;
  const texts = continued?.plain === false ? [completion, continued.text] : [continued?.text, completion];
  return [repeated, ...texts].filter((text) => text !== undefined);
}

/** The text up to where it leaves the cursor's place or repeats what follows, and joined to that. */
export function* endings(full: string, document: CursorDocument): Generator<string> {
  const { place, language } = document;
  const { after } = document.excerpt;
  const { inside } = document.before;
  const text = withoutOpenComment(full, document);
  const own = withinPlace(text, place, scanBrackets(text, language, inside));
  const word = restOfWord(own, document);
  if (word !== undefined && /^(?:[.([]|::|->|\?\.)/.test(after)) {
    yield word;
    return;
  }
  if (place.inExpression || place.oneLine) {
    const first = withoutRepeatedSuffix(text, after, inside);
    if (first !== undefined && first.length < own.length) yield* joined(first, document);
    yield* unrepeated(own, document);
    for (const part of shorter(own, document)) yield* joined(part, document);
    return;
  }
  const outer = withoutOuterStatements(text, after, document.indent.lineIndent);
  if (outer !== undefined) yield* unrepeated(outer, document);
  if (own !== text && own.trim() !== "") yield* unrepeated(own, document);
  yield* unrepeated(text, document);
}

/** The text without what follows the cursor already, most of it first. */
function* unrepeated(text: string, document: CursorDocument): Generator<string> {
  const { after } = document.excerpt;
  const { inside } = document.before;
  const first = withoutRepeatedSuffix(text, after, inside);
  if (first !== undefined) yield* joined(first, document);
  yield* joined(text, document);
  const { loose, open } = scanBrackets(text, document.language, inside);
  // The longest text first: `} else { … }` loses its last brace before it loses the branch. What the completion
  // opened itself it may close, unless it closes something of the document's besides.
  const tails = after.trim() === "" ? [] : tailCuts(text).map((cut) => text.slice(0, cut));
  for (const kept of tails) {
    const left = scanBrackets(kept, document.language, inside).open.length;
    if (left <= open.length + loose.length) yield* joined(kept, document);
  }
  for (const cut of closerCuts(loose, after)) yield* joined(text.slice(0, cut), document);
  if (after.trim() === "") return;
  for (const cut of repetitionCuts(text, after)) yield* joined(text.slice(0, cut).trimEnd(), document);
}

/** Elements in which a completion in the middle of a line is cut back. */
const MAX_SHORTER = 2;

/** What may be meant of a text that does not fit before the rest of its line: less elements, the end of the word. */
function shorter(text: string, document: CursorDocument): string[] {
  const { place, language } = document;
  const scan = scanBrackets(text, language, document.before.inside);
  const parts = place.inExpression ? completeParts(text, place, scan).slice(0, MAX_SHORTER) : [];
  const word = restOfWord(text, document);
  return word === undefined ? parts : [...parts, word];
}

/** What of a text ends the word that the cursor is behind; undefined where it is behind none. */
function restOfWord(text: string, document: CursorDocument): string | undefined {
  if (document.before.inside !== undefined || !/[\p{L}\p{N}_]$/u.test(document.excerpt.before))
    return undefined;
  return /^[\p{L}\p{N}_]+/u.exec(text)?.[0];
}

/** Of a completion that stops in the middle of something: what is complete before that. */
export function* beforeCutOff(completion: string, document: CursorDocument): Generator<string> {
  const { place, language } = document;
  const [meaning] = meanings(completion, document);
  const [text] = meaning === undefined ? [] : reindent(meaning, document.indent);
  if (text === undefined) return;
  const scan = scanBrackets(text, language, document.before.inside);
  if (scan.open.length === 0 && scan.inside === undefined) return;
  for (const part of completeParts(text, place, scan)) yield* endings(part, document);
}

/** A comment at the end would take up the rest of the cursor's line. */
function withoutOpenComment(text: string, document: CursorDocument): string {
  if (document.before.inside !== undefined || !/^[ \t]*\S/.test(document.excerpt.after)) return text;
  const { inside, insideStart } = scanBrackets(text, document.language);
  return inside === "\n" && text.slice(0, insideStart).trim() !== ""
    ? text.slice(0, insideStart).trimEnd()
    : text;
}

/** The text with the white space that its end needs before what follows the cursor, best form first. */
function joined(text: string, document: CursorDocument): string[] {
  const { after, before } = document.excerpt;
  const rest = /^[^\n]*/.exec(after)?.[0] ?? "";
  if (rest.trim() === "") return [text.trimEnd()];
  const atLineStart = before.slice(before.lastIndexOf("\n") + 1).trim() === "";
  const solid = text.trimEnd();
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const margin = line.slice(withoutEnd(line, " \t").length);
  const lineMargin = /^[ \t]*/.exec(line)?.[0] ?? "";
  const next = rest.trimStart();
  const ownLine = /^[\p{L}\p{N}_}@#]|^\/[/*]/u.test(next);
  if (atLineStart && ownLine && !/[ \t]$/.test(text) && !/[-([{,.=+*/%&|<>!?:]$/.test(solid)) {
    return [`${solid}\n${margin}`, text];
  }
  if (!atLineStart && next.startsWith("}") && solid.includes("\n")) return [`${solid}\n${lineMargin}`, text];
  if (text.slice(solid.length).includes("\n"))
    return atLineStart && ownLine ? [`${solid}\n${margin}`] : [text, solid];
  return [/^[ \t]/.test(after) ? text.trimEnd() : text];
}
