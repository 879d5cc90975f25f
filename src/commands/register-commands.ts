/** Registers the handlers of all commands. One that fails tells the user, who has just asked for it. */
import * as vscode from "vscode";
import { isAbort, type Log, reasonOf } from "../base/log.ts";
import { sentenceOf } from "../editor/sentences.ts";
import type { CommandName } from "./command-declarations.ts";

/** Arguments come from links and keybindings: each handler looks at what it got. */
export type CommandHandlers = { readonly [Name in CommandName]: (...args: readonly unknown[]) => unknown };

export function registerCommands(handlers: CommandHandlers, log: Log): vscode.Disposable {
  const registrations = Object.entries(handlers).map(([name, handler]) =>
    vscode.commands.registerCommand(`codescaler.${name}`, async (...args: unknown[]) => {
      try {
        await handler(...args);
      } catch (error) {
        if (isAbort(error)) return;
        log.error(`${name}: ${reasonOf(error)}`);
        void vscode.window.showErrorMessage(sentenceOf(error));
      }
    }),
  );
  return vscode.Disposable.from(...registrations);
}
