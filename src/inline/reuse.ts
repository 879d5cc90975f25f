/** Whether an earlier suggestion still fits when the user has typed on. Pure. */
import type { CursorContext } from "../editor/cursor-context.ts";
import type { Suggestion } from "./suggestions.ts";

/** Text compared around the cursor: enough to tell one cursor from another, little enough for every keystroke. */
const COMPARED = 1024;
/** What editors close by themselves when the opening one is typed. */
const CLOSERS = new Set([")", "]", "}", ">", '"', "'", "`"]);
/** Closers an editor may have added while a suggestion was typed along. */
const MAX_CLOSERS = 4;

/** What happened between an earlier cursor and a new one: text was typed, closers were added. */
export interface TypedSince {
  /** What stands between the old cursor and the new one. */
  readonly typed: string;
  /** Characters right of the cursor that the editor closed by itself. */
  readonly closers: string;
}

/** Undefined when the new cursor is not the old one with something typed. */
export function typedSince(old: CursorContext, now: CursorContext): TypedSince | undefined {
  if (old.uri !== now.uri || old.language !== now.language) return undefined;
  const length = now.offset - old.offset;
  if (length < 0 || length > now.prefix.length) return undefined;
  const before = now.prefix.slice(0, now.prefix.length - length);
  if (!sameEnd(old.prefix, before)) return undefined;
  const closers = closersBefore(old.suffix, now.suffix);
  if (closers === undefined) return undefined;
  return { typed: now.prefix.slice(now.prefix.length - length), closers };
}

/** The text around both cursors is the same: what was made for the one can be inserted at the other. */
export function isSameCursor(old: CursorContext, now: CursorContext | undefined): boolean {
  const since = now === undefined ? undefined : typedSince(old, now);
  return since?.typed === "" && since.closers === "";
}

/** A suggestion with what is left of it after that; undefined when something else was typed, or nothing is left. */
export function restOf(suggestion: Suggestion, { typed, closers }: TypedSince): Suggestion | undefined {
  const { insert } = suggestion;
  if (!insert.startsWith(typed)) return undefined;
  const rest = insert.slice(typed.length);
  if (rest === "") return undefined;
  // Where the suggestion closes by itself what the editor has closed, those are replaced.
  if (closers !== "" && !containsInOrder(rest, closers)) return undefined;
  return { ...suggestion, rest, replaces: closers.length };
}

function sameEnd(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length, COMPARED);
  return a.slice(a.length - length) === b.slice(b.length - length);
}

function sameStart(a: string, b: string): boolean {
  const length = Math.min(a.length, b.length, COMPARED);
  return a.slice(0, length) === b.slice(0, length);
}

function closersBefore(old: string, now: string): string | undefined {
  for (let count = 0; count <= MAX_CLOSERS; count++) {
    if (sameStart(old, now.slice(count)) && (old !== "" || now.length === count)) return now.slice(0, count);
    if (!CLOSERS.has(now[count] ?? "")) return undefined;
  }
  return undefined;
}

function containsInOrder(text: string, characters: string): boolean {
  let at = 0;
  for (const character of characters) {
    const found = text.indexOf(character, at);
    if (found < 0) return false;
    at = found + 1;
  }
  return true;
}
