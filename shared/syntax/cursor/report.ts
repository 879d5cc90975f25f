/** What is said of a completion once its insertion was judged. */
import type { CursorDocument } from "./document/document.ts";
import type { Judgement } from "./document/judgement.ts";

export interface AssembleDiagnostic {
  /** From 1, in the document with the insertion. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly message: string;
}

export interface Assembly {
  /** The exact text to insert at the cursor, with the document's line ends; empty when there is nothing to insert. */
  readonly insert: string;
  /** The enclosing unit with the insertion in it, line feeds only: what a reward model scores. */
  readonly unit: string;
  /** The document has no more syntax errors with the insertion than without it. */
  readonly valid: boolean;
  /** Why there is nothing, or nothing valid; null where the insertion is valid. */
  readonly reason: string | null;
  readonly diagnostics: readonly AssembleDiagnostic[];
}

/** There is nothing to insert, and why. */
export function nothing(reason: string): Assembly {
  return { insert: "", unit: "", valid: false, reason, diagnostics: [] };
}

/** The assembly that a judgement makes. `prefix` is the whole text before the cursor, for the numbers of lines. */
export function reportOf(found: Judgement, document: CursorDocument, prefix: string): Assembly {
  const insert = document.lineEnd === "\n" ? found.insert : found.insert.replaceAll("\n", document.lineEnd);
  if (found.tooLarge) {
    return { ...nothing("The document is too large to check around the cursor."), insert };
  }
  if (found.valid && (!found.hasCode || isPlaceholder(found.insert, document.indent.atLineStart))) {
    return nothing("The completion has no code: only comments or a placeholder.");
  }
  if (found.valid) return { insert, unit: found.unit, valid: true, reason: null, diagnostics: [] };
  const diagnostics = diagnosticsOf(found, document, prefix);
  const [first] = diagnostics;
  const where = first === undefined ? "" : ` in line ${first.line}: ${first.message}`;
  return {
    insert,
    unit: found.unit,
    valid: false,
    reason: `With the completion the document has a syntax error${where.replace(/\.$/, "")}.`,
    diagnostics,
  };
}

/** Errors shown for one completion; the first ones say it. */
const MAX_DIAGNOSTICS = 5;

function diagnosticsOf(found: Judgement, document: CursorDocument, prefix: string): AssembleDiagnostic[] {
  const { head, before, after, tail } = document.excerpt;
  const text = head + before + found.insert + after + tail;
  const cursor = head.length + before.length;
  const cursorLine = count(prefix);
  const linesBefore = count(text.slice(0, cursor));
  const nearest = [...found.faults].sort(
    (a, b) => distance(a.start) - distance(b.start) || a.start - b.start,
  );
  return nearest.slice(0, MAX_DIAGNOSTICS).map((fault) => ({
    line: Math.max(1, 1 + cursorLine + count(text.slice(0, fault.start)) - linesBefore),
    column: fault.start - text.slice(0, fault.start).lastIndexOf("\n"),
    message:
      fault.message ??
      (fault.missing === undefined
        ? `unexpected ${quoted(text.slice(fault.start, fault.end))}`
        : `missing ${quoted(fault.missing)}`),
  }));

  /** Errors in the completion come first: those before it are the document's own. */
  function distance(at: number): number {
    return at < cursor ? cursor - at + text.length : at - cursor;
  }
}

function count(text: string): number {
  return text.replace(/\r\n?/g, "\n").split("\n").length - 1;
}

function quoted(text: string): string {
  const line = text.trim().split("\n", 1)[0] ?? "";
  return line === "" ? "text" : `"${line.length > 40 ? `${line.slice(0, 40)}…` : line}"`;
}

/** A body that says nothing: what a model writes where it has no idea. A semicolon may still end a statement. */
function isPlaceholder(insert: string, atLineStart: boolean): boolean {
  const lines = insert.split("\n").filter((line) => !/^\s*(?:#|\/\/)/.test(line));
  const code = lines.join("\n").trim();
  if (/^;+$/.test(code)) return atLineStart;
  return /^(?:pass\b[^\S\n]*(?:#.*)?|\.\.\.|(?:TODO|FIXME|XXX)\b[^\n(]*)$/.test(code);
}
