/** Read-only pages (report, statistics, output of the server) as virtual documents. */
import * as vscode from "vscode";

const SCHEME = "codescaler";

export const PAGES = ["report.md", "statistics.md", "server-output.log", "doctor.log"] as const;
export type Page = (typeof PAGES)[number];

export class Pages implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #texts = new Map<string, string>();
  readonly #changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changed.event;
  readonly #registration: vscode.Disposable;

  constructor() {
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.path) ?? "";
  }

  /** Shows a page with this text; Markdown in its preview. */
  async show(page: Page, text: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${page}` });
    this.#texts.set(uri.path, text);
    this.#changed.fire(uri);
    if (page.endsWith(".md")) await vscode.commands.executeCommand("markdown.showPreview", uri);
    else await vscode.window.showTextDocument(uri, { preview: true });
  }

  dispose(): void {
    this.#registration.dispose();
    this.#changed.dispose();
  }
}
