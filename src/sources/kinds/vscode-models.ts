/** Connects `vscode.lm` with its source: the only file of this folder that knows the editor. */
import * as vscode from "vscode";
import type { Source } from "../source.ts";
import { type EditorModel, editorSource } from "./editor-source.ts";

/** Why the editor's consent dialog says it is asked. */
const justification = () => vscode.l10n.t("CodeScaler asks for several completions and ranks them.");

/** The source for one of the editor's models by its id; empty takes the first that is offered. */
export function editorModelSource(id: string, label: string, modelId: string): Source {
  return editorSource({
    id,
    label,
    model: async () => {
      const [chosen] = await vscode.lm.selectChatModels(modelId === "" ? {} : { id: modelId });
      return chosen === undefined ? undefined : wrap(chosen);
    },
  });
}

/** The editor's models as people choose them. */
export async function editorModels(): Promise<readonly { id: string; label: string }[]> {
  const models = await vscode.lm.selectChatModels({});
  return models.map((model) => ({ id: model.id, label: `${model.name} (${model.vendor})` }));
}

function wrap(model: vscode.LanguageModelChat): EditorModel {
  return {
    async send(messages, temperature, signal) {
      const cancel = new vscode.CancellationTokenSource();
      signal.addEventListener("abort", () => cancel.cancel(), { once: true });
      if (signal.aborted) cancel.cancel();
      const response = await model.sendRequest(
        messages.map((text) => vscode.LanguageModelChatMessage.User(text)),
        { justification: justification(), modelOptions: { temperature } },
        cancel.token,
      );
      return response.text;
    },
  };
}
