/** Which documents preferences are recorded of: those that completions are asked for, and only while the user wants it. */
import * as vscode from "vscode";
import type { Configuration } from "../editor/configuration.ts";
import { exclusionReason } from "../editor/documents.ts";

/** Files that may hold secrets and excluded ones are refused here again: settings may have changed since they were asked for. */
export function mayRecord(configuration: Configuration, uri: string): boolean {
  if (!configuration.for()["preferences.enable"]) return false;
  const document = vscode.workspace.textDocuments.find((open) => open.uri.toString() === uri);
  return document !== undefined && exclusionReason(document, configuration.for(document)) === undefined;
}
