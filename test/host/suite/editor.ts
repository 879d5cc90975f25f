/** What the tests do in the editor, and how they wait for it. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as vscode from "vscode";
import type { Api } from "../../../src/extension.ts";
import type { Ranking } from "../../../src/ranking/ranking.ts";
import { type Replay, type ReplayOptions, startReplay } from "../../helpers/replay/replay.ts";

/** Below mocha's own limit, so that the message says what was waited for. */
const PATIENCE_MS = 110_000;
/** Waiting costs nothing of note, and other things run on this machine. */
const LOOK_EVERY_MS = 50;

export async function api(): Promise<Api> {
  const extension = vscode.extensions.getExtension<Api>("codescaler.codescaler");
  if (!extension) throw new Error("The extension is not installed in this editor.");
  return extension.activate();
}

/** Waits until the value is there. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`Not seen within ${PATIENCE_MS / 1000} s: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Writes a file, opens it, and puts the cursor where █ is. */
export async function openAt(name: string, marked: string): Promise<vscode.TextEditor> {
  const offset = marked.indexOf("█");
  const folder = mkdtempSync(join(tmpdir(), "codescaler-suite-"));
  const path = join(folder, name);
  writeFileSync(path, marked.replace("█", ""));
  await readyToSuggest(folder, vscode.ViewColumn.Active);
  const document = await vscode.workspace.openTextDocument(path);
  const editor = await vscode.window.showTextDocument(document);
  const position = document.positionAt(Math.max(0, offset));
  editor.selection = new vscode.Selection(position, position);
  return editor;
}

/** Opens a document again beside its editor. */
export async function openBeside({ document }: vscode.TextEditor): Promise<vscode.TextEditor> {
  await readyToSuggest(dirname(document.uri.fsPath), vscode.ViewColumn.Beside);
  return vscode.window.showTextDocument(document, vscode.ViewColumn.Active);
}

/**
 * The part of an editor that asks for inline suggestions is made when the window is idle, once for each column; what
 * is typed before that asks nobody. A command makes it at once. The file it is run in is none of our languages.
 */
async function readyToSuggest(folder: string, column: vscode.ViewColumn): Promise<void> {
  const path = join(folder, "empty.txt");
  writeFileSync(path, "");
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(path), column);
  await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
}

/** Settings of the user, as the settings page writes them. */
export async function configure(settings: Readonly<Record<string, unknown>>): Promise<void> {
  const configuration = vscode.workspace.getConfiguration("codescaler");
  for (const [name, value] of Object.entries(settings)) {
    await configuration.update(name, value, vscode.ConfigurationTarget.Global);
  }
}

/** One replayed endpoint as the only source. */
export async function onlySource(options: ReplayOptions): Promise<Replay> {
  const replay = await startReplay(options);
  await configure({ sources: [{ id: "replay", kind: "openai", url: replay.url, model: "coder" }] });
  return replay;
}

export async function closeAll(): Promise<void> {
  await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
  await vscode.commands.executeCommand("workbench.action.closeAllEditors");
}

/** Accepts the suggestion as soon as it is on the screen: the editor shows it some time after it was given. */
export async function accept({ document }: vscode.TextEditor): Promise<void> {
  const { version } = document;
  const end = Date.now() + PATIENCE_MS;
  while (document.version === version) {
    if (Date.now() > end) throw new Error("There was no suggestion to accept.");
    await vscode.commands.executeCommand("editor.action.inlineSuggest.commit");
    await sleep(LOOK_EVERY_MS);
  }
}

/** Types as a user does, through the editor's own command. */
export async function type(text: string): Promise<void> {
  const document = vscode.window.activeTextEditor?.document;
  const before = document?.version;
  for (const character of text) await vscode.commands.executeCommand("type", { text: character });
  if (document?.version === before) throw new Error("The keys went to no editor: the focus is elsewhere.");
}

/** The ranking that was asked for where the cursor is, complete. */
export async function rankedAt(editor: vscode.TextEditor): Promise<Ranking> {
  const { session } = await api();
  const uri = editor.document.uri.toString();
  return until("a complete ranking for the place of the cursor", () => {
    const ranking = session.latest(uri);
    const here = ranking?.cursor.offset === editor.document.offsetAt(editor.selection.active);
    return here && ranking.complete && ranking.reply ? ranking : undefined;
  });
}
