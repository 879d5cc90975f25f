/** Other extensions that show inline suggestions, and what happens when several do. */
import * as vscode from "vscode";

/** Extensions that are known to register inline completions. */
const KNOWN: Readonly<Record<string, string>> = {
  "github.copilot": "GitHub Copilot",
  "github.copilot-chat": "GitHub Copilot Chat",
  "codeium.codeium": "Windsurf (Codeium)",
  "continue.continue": "Continue",
  "ggml-org.llama-vscode": "llama.vscode",
  "tabbyml.vscode-tabby": "Tabby",
  "sourcegraph.cody-ai": "Cody",
  "sourcegraph.amp": "Amp",
  "huggingface.huggingface-vscode": "llm-vscode",
  "rjmacarthy.twinny": "twinny",
  "supermaven.supermaven": "Supermaven",
  "tabnine.tabnine-vscode": "Tabnine",
  "amazonwebservices.amazon-q-vscode": "Amazon Q",
  "google.geminicodeassist": "Gemini Code Assist",
  "visualstudioexptteam.vscodeintellicode-completions": "IntelliCode Completions",
  "blackboxapp.blackbox": "Blackbox",
  "augment.vscode-augment": "Augment",
};

/** Names of the installed and enabled ones. */
export function otherProviders(): string[] {
  return Object.entries(KNOWN)
    .filter(([id]) => vscode.extensions.getExtension(id) !== undefined)
    .map(([, name]) => name);
}

/** Says which there are, and explains the race. */
export async function explainOtherProviders(): Promise<void> {
  const others = otherProviders();
  if (others.length === 0) {
    await vscode.window.showInformationMessage(
      vscode.l10n.t("No other extension is known to show inline suggestions here."),
    );
    return;
  }
  const names = others.join(", ");
  const found = vscode.l10n.t("Also showing inline suggestions: {0}.", names);
  await vscode.window.showInformationMessage(found, {
    modal: true,
    detail: vscode.l10n.t(
      "While you type, the editor asks all of them at once and shows the first answer; the others are cancelled. An extension that asks for one completion is usually faster than one that ranks several. CodeScaler therefore shows its first valid candidate early and keeps better ones for cycling. To be sure to see the best of N, run “CodeScaler: Suggest the Best of N”, or switch the others' suggestions off.",
    ),
  });
}
