/** The compare panel's place in the extension: loaded when first shown, or restored after a reload. */
import * as vscode from "vscode";
import { once } from "../base/once.ts";
import type { Ranking } from "../ranking/ranking.ts";
import type { ComparePanelDependencies } from "./panel.ts";

export interface CompareHandle extends vscode.Disposable {
  /** Shows a ranking beside the editor. */
  show(ranking: Ranking): Promise<void>;
}

export function registerComparePanel(deps: ComparePanelDependencies): CompareHandle {
  let loaded: vscode.Disposable | undefined;
  const panel = once(async () => {
    const { ComparePanel } = await import("./panel.ts");
    const made = new ComparePanel(deps);
    loaded = made;
    return made;
  });
  // Same id as in panel.ts, which is not loaded here.
  const serializer = vscode.window.registerWebviewPanelSerializer("codescaler.compare", {
    async deserializeWebviewPanel(restored, state) {
      (await panel()).restore(restored, state);
    },
  });
  return {
    show: async (ranking) => (await panel()).show(ranking),
    dispose() {
      serializer.dispose();
      loaded?.dispose();
    },
  };
}
