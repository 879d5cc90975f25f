/** Which documents are ours, and their text around a cursor. */
import * as vscode from "vscode";
import { type Language, languageOf } from "../../shared/syntax/languages/languages.ts";
import { type CursorContext, type Lines, textAround, withEarlierCells } from "./cursor-context.ts";
import type { Settings } from "./settings.ts";
import { EDITOR_LANGUAGES, SCHEMES } from "./supported-documents.ts";

export const SELECTOR: vscode.DocumentFilter[] = SCHEMES.flatMap((scheme) =>
  EDITOR_LANGUAGES.map((language) => ({ scheme, language })),
);

/** Why nothing is done in a document; undefined where something may be done. */
export function exclusionReason(document: vscode.TextDocument, settings: Settings): string | undefined {
  if (!SCHEMES.some((scheme) => scheme === document.uri.scheme)) {
    return vscode.l10n.t("It is not a file, an untitled document or a notebook cell.");
  }
  if (!editorLanguage(document)) {
    return vscode.l10n.t('The language "{0}" is not one that CodeScaler knows.', document.languageId);
  }
  if (!settings.enable)
    return vscode.l10n.t("CodeScaler is switched off for this language (codescaler.enable).");
  const secret = secretPattern(document, settings);
  if (secret !== undefined) {
    return vscode.l10n.t('The file may hold secrets: it matches "{0}" in codescaler.secretFiles.', secret);
  }
  const excluded = matching(document, settings.exclude);
  if (excluded !== undefined) {
    return vscode.l10n.t('The file matches "{0}" in codescaler.exclude.', excluded);
  }
  return undefined;
}

/** The pattern by which a document may hold secrets; undefined where none matches. */
export function secretPattern(document: vscode.TextDocument, settings: Settings): string | undefined {
  return matching(document, settings.secretFiles);
}

/** The document's language in our terms; undefined when it is none of ours. */
export function editorLanguage(document: vscode.TextDocument): Language | undefined {
  const known = EDITOR_LANGUAGES.some((language) => language === document.languageId);
  return known ? languageOf(document.languageId) : undefined;
}

/** The first pattern that the document's path matches. A pattern without a folder is meant in every folder. */
function matching(document: vscode.TextDocument, patterns: readonly string[]): string | undefined {
  return patterns.find((pattern) => {
    const anywhere = pattern.startsWith("**/") || pattern.startsWith("/") ? pattern : `**/${pattern}`;
    return vscode.languages.match({ pattern: anywhere }, document) > 0;
  });
}

/**
 * The text around a cursor.
 * @param pending what the suggest widget would insert there: it is treated as if it stood in the document
 * @returns undefined when the language is none of ours
 */
export function cursorAt(
  document: vscode.TextDocument,
  position: vscode.Position,
  pending?: { readonly range: vscode.Range; readonly text: string },
): CursorContext | undefined {
  const language = editorLanguage(document);
  if (!language) return undefined;
  const lines = linesOf(document);
  const at = pending ? pending.range.start : position;
  const text = textAround(lines, at);
  const typed = pending?.text ?? "";
  const replaced = pending ? document.offsetAt(pending.range.end) - document.offsetAt(at) : 0;
  return {
    uri: document.uri.toString(),
    version: document.version,
    language,
    path: vscode.workspace.asRelativePath(document.uri, false),
    offset: document.offsetAt(at) + typed.length,
    prefix: withEarlierCells(earlierCells(document), text.prefix, lines.lineEnd) + typed,
    suffix: text.suffix.slice(replaced),
  };
}

export function linesOf(document: vscode.TextDocument): Lines {
  return {
    count: document.lineCount,
    at: (index) => document.lineAt(index).text,
    lineEnd: document.eol === vscode.EndOfLine.CRLF ? "\r\n" : "\n",
  };
}

/** Texts of the code cells of the same language before this cell; none outside notebooks. */
function earlierCells(document: vscode.TextDocument): string[] {
  const notebook = notebookOf(document);
  if (!notebook) return [];
  const cells = notebook.getCells();
  const index = cells.findIndex((cell) => cell.document === document);
  return cells
    .slice(0, Math.max(0, index))
    .filter((cell) => cell.kind === vscode.NotebookCellKind.Code)
    .map((cell) => cell.document)
    .filter((cell) => cell.languageId === document.languageId)
    .map((cell) => cell.getText());
}

function notebookOf(document: vscode.TextDocument): vscode.NotebookDocument | undefined {
  if (document.uri.scheme !== "vscode-notebook-cell") return undefined;
  return vscode.workspace.notebookDocuments.find((notebook) =>
    notebook.getCells().some((cell) => cell.document === document),
  );
}
