/** The command that answers "Why was nothing shown?". */
import * as vscode from "vscode";
import type { Configuration } from "../../editor/configuration.ts";
import type { Pages } from "../../editor/pages.ts";
import type { TraceLog } from "./trace.ts";
import { reportOf } from "./trace-report.ts";

export async function showWhy(configuration: Configuration, pages: Pages, traces: TraceLog): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  const silent = document !== undefined && !configuration.inlineSuggestionsShown(document);
  await pages.show("report.md", reportOf(traces.last(), traces.earlier(), silent));
}
