/** The table of commands: id → handler. A handler that fails tells the user, who has just asked for it. */
import * as vscode from "vscode";
import { isAbort, type Log, reasonOf } from "./log.ts";

/** Commands of the palette; package.json lists the same (a test compares). */
export const COMMANDS = [
  "suggest",
  "compare",
  "scoreSelection",
  "scoreFunction",
  "scoreFile",
  "compareClipboard",
  "compareDiff",
  "clearScores",
  "toggleAutomatic",
  "toggleLanguage",
  "addSource",
  "chooseModel",
  "menu",
  "why",
  "statistics",
  "eraseStatistics",
  "otherProviders",
  "showLog",
  "serverOutput",
  "restartServer",
  "stopServer",
  "setServerToken",
] as const;

/** Commands that only links and suggestions run. */
export const INTERNAL_COMMANDS = ["accepted", "useCandidate"] as const;

export type CommandName = (typeof COMMANDS)[number] | (typeof INTERNAL_COMMANDS)[number];

/** Arguments come from links and keybindings: each handler looks at what it got. */
export type CommandTable = { readonly [Name in CommandName]: (...args: readonly unknown[]) => unknown };

export function registerCommands(table: CommandTable, log: Log): vscode.Disposable {
  const registrations = Object.entries(table).map(([name, handler]) =>
    vscode.commands.registerCommand(`codescaler.${name}`, async (...args: unknown[]) => {
      try {
        await handler(...args);
      } catch (error) {
        if (isAbort(error)) return;
        log.error(`${name}: ${reasonOf(error)}`);
        void vscode.window.showErrorMessage(reasonOf(error));
      }
    }),
  );
  return vscode.Disposable.from(...registrations);
}
