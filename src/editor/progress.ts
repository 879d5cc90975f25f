/** Long work that the user waits for, with a way to stop it. */
import * as vscode from "vscode";
import { abortSignalOf } from "../base/wait.ts";

/** What is done now, and by how many per cent the whole came further. */
export type Report = (message: string, increment: number) => void;

/** Runs work under a notification; undefined when the user stopped it. */
export async function withProgress<T>(
  title: string,
  work: (signal: AbortSignal, report: Report) => Promise<T>,
): Promise<T | undefined> {
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title, cancellable: true },
    async (progress, token) => {
      const { signal, dispose } = abortSignalOf(token);
      try {
        return await work(signal, (message, increment) => progress.report({ message, increment }));
      } catch (error) {
        if (signal.aborted) return undefined;
        throw error;
      } finally {
        dispose();
      }
    },
  );
}
