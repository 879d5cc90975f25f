/** The panel's page: a frame that the script fills. Nothing in it comes from a model. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

export function pageOf(webview: vscode.Webview, folder: vscode.Uri): string {
  const nonce = randomBytes(16).toString("base64");
  const at = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
  const labels = {
    insert: vscode.l10n.t("Insert"),
    copy: vscode.l10n.t("Copy"),
    diff: vscode.l10n.t("Open in Diff Editor"),
    wrap: vscode.l10n.t("Wrap long lines"),
    differences: vscode.l10n.t("Show differences to the best"),
    keys: vscode.l10n.t("↑ ↓ candidates · Enter insert · C copy · D diff"),
    none: vscode.l10n.t("No ranking yet. Ask for suggestions in an editor, then come back."),
    added: vscode.l10n.t("added:"),
    removed: vscode.l10n.t("removed:"),
    candidates: vscode.l10n.t("Candidates, best first"),
    rank: vscode.l10n.t("Rank {0}"),
  };
  return `<!DOCTYPE html>
<html lang="${escapeHtml(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'">
<link rel="stylesheet" href="${at("panel.css")}">
<title>CodeScaler</title>
</head>
<body data-labels="${escapeHtml(JSON.stringify(labels))}">
<header>
<h1 id="heading"></h1>
<p id="about" role="status"></p>
<div id="tools" hidden><label><input type="checkbox" id="differences"> ${escapeHtml(labels.differences)}</label><label><input type="checkbox" id="wrap"> ${escapeHtml(labels.wrap)}</label><span id="keys">${escapeHtml(labels.keys)}</span></div>
</header>
<ul id="problems"></ul>
<ol id="list" aria-label="${escapeHtml(labels.candidates)}"></ol>
<p id="said" role="status"></p>
<script nonce="${nonce}" src="${at("panel.js")}"></script>
</body>
</html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
