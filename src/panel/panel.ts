/** The compare panel: one per window, showing one ranking and following it while it grows. */
import * as vscode from "vscode";
import { Disposables } from "../base/emitter.ts";
import { type Log, reasonOf } from "../base/log.ts";
import { sentenceOf } from "../editor/sentences.ts";
import { type Ranking, rowsOf } from "../ranking/ranking.ts";
import type { RankingSession } from "../ranking/session.ts";
import type { Syntax } from "../syntax/syntax.ts";
import { pageOf } from "./page.ts";
import {
  type HostMessage,
  type PanelAction,
  type PanelView,
  panelMessage,
  panelView,
} from "./panel-messages.ts";
import { codeIn, viewOf } from "./view.ts";

export const PANEL_TYPE = "codescaler.compare";
/** Scheme of the read-only texts that the diff editor compares. */
const TEXT_SCHEME = "codescaler-candidate";

export interface ComparePanelDependencies {
  readonly extensionUri: vscode.Uri;
  readonly session: RankingSession;
  readonly syntax: Syntax;
  readonly log: Log;
  /** Puts a candidate into its document. @throws Error with a sentence for the user */
  use(rankingId: string, candidateId: string): Promise<void>;
}

export class ComparePanel implements vscode.Disposable {
  readonly #deps: ComparePanelDependencies;
  readonly #lifetime = new Disposables();
  #open: OpenPanel | undefined;

  constructor(deps: ComparePanelDependencies) {
    this.#deps = deps;
    this.#lifetime.add(
      vscode.workspace.registerTextDocumentContentProvider(TEXT_SCHEME, {
        provideTextDocumentContent: (uri) => this.#candidateText(uri),
      }),
    );
  }

  /** Shows a ranking beside the editor; the panel's own when it is open already. */
  show(ranking: Ranking): void {
    if (this.#open) this.#open.reveal(ranking.id);
    else {
      const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: false };
      this.adopt(vscode.window.createWebviewPanel(PANEL_TYPE, title(), column), ranking.id, undefined);
    }
  }

  /**
   * Takes over a panel that the editor made again after a reload.
   * @param state what the page kept; shown until a ranking of this session is compared. Nothing can be done with
   * it: its candidates are gone, and its id may be another ranking's by now.
   */
  restore(panel: vscode.WebviewPanel, state: unknown): void {
    const kept = panelView.safeParse(state);
    const view = kept.success ? { ...kept.data, actions: [] } : undefined;
    this.#open?.dispose();
    this.adopt(panel, undefined, view);
  }

  adopt(panel: vscode.WebviewPanel, rankingId: string | undefined, view: PanelView | undefined): void {
    const open = new OpenPanel(this.#deps, panel, rankingId, view);
    this.#open = open;
    panel.onDidDispose(() => {
      open.dispose();
      if (this.#open === open) this.#open = undefined;
    });
  }

  dispose(): void {
    this.#open?.close();
    this.#lifetime.dispose();
  }

  #candidateText(uri: vscode.Uri): string {
    const [rankingId = "", candidateId = ""] = uri.query.split("&");
    const ranking = this.#deps.session.get(rankingId);
    const row = ranking && rowsOf(ranking).find(({ entry }) => entry.id === candidateId);
    return row?.entry.code ?? "";
  }
}

/** One panel that is open. */
class OpenPanel {
  readonly #deps: ComparePanelDependencies;
  readonly #panel: vscode.WebviewPanel;
  readonly #lifetime = new Disposables();
  #rankingId: string | undefined;
  #view: PanelView | undefined;

  constructor(
    deps: ComparePanelDependencies,
    panel: vscode.WebviewPanel,
    rankingId: string | undefined,
    view: PanelView | undefined,
  ) {
    this.#deps = deps;
    this.#panel = panel;
    this.#rankingId = rankingId;
    this.#view = view;
    const folder = vscode.Uri.joinPath(deps.extensionUri, "media", "panel");
    panel.webview.options = { enableScripts: true, localResourceRoots: [folder] };
    panel.iconPath = vscode.Uri.joinPath(deps.extensionUri, "media", "icon.png");
    this.#lifetime.add(panel.webview.onDidReceiveMessage((message: unknown) => this.#receive(message)));
    this.#lifetime.add(
      deps.session.onDidChange((ranking) => {
        if (ranking.id === this.#rankingId) this.#update();
      }),
    );
    panel.webview.html = pageOf(panel.webview, folder);
  }

  reveal(rankingId: string): void {
    this.#rankingId = rankingId;
    this.#panel.reveal();
    this.#update();
  }

  close(): void {
    this.#panel.dispose();
  }

  dispose(): void {
    this.#lifetime.dispose();
  }

  #receive(raw: unknown): void {
    const message = panelMessage.safeParse(raw);
    if (!message.success) {
      this.#deps.log.warn("The compare panel sent something that is no message of ours; it was ignored.");
      return;
    }
    const { data } = message;
    if (data.type === "ready") this.#update();
    else {
      this.#act(data.type, data.rankingId, data.candidate).then(
        (text) => this.#post({ type: "said", text }),
        (error: unknown) => this.#post({ type: "said", text: sentenceOf(error) }),
      );
    }
  }

  /** @returns what was done, in words */
  async #act(action: PanelAction, rankingId: string, candidateId: string): Promise<string> {
    const ranking = this.#deps.session.get(rankingId);
    const rows = ranking ? rowsOf(ranking) : [];
    const row = rows.find(({ entry }) => entry.id === candidateId);
    if (!ranking || !row) {
      throw new Error(vscode.l10n.t("This ranking is of an earlier session. Ask for suggestions again."));
    }
    switch (action) {
      case "insert":
        await this.#deps.use(rankingId, candidateId);
        return vscode.l10n.t("Inserted.");
      case "copy":
        await vscode.env.clipboard.writeText(row.entry.code);
        return vscode.l10n.t("Copied.");
      case "diff": {
        const other = rows.find(({ entry }) => entry.id !== candidateId);
        if (!other) throw new Error(vscode.l10n.t("There is nothing to compare it with."));
        const [left, right] = row.entry.rank < other.entry.rank ? [row, other] : [other, row];
        const name = vscode.l10n.t("Rank {0} ↔ rank {1}", left.entry.rank, right.entry.rank);
        const [from, to] = [left, right].map(({ entry }) => textUri(ranking, entry.id, entry.rank));
        await vscode.commands.executeCommand("vscode.diff", from, to, name);
        return "";
      }
      default:
        return action satisfies never;
    }
  }

  #update(): void {
    const ranking = this.#rankingId === undefined ? undefined : this.#deps.session.get(this.#rankingId);
    if (!ranking) {
      if (this.#view) this.#post({ type: "view", view: this.#view });
      return;
    }
    this.#deps.syntax.highlight(codeIn(ranking)).then(
      (coloured) => {
        // Another change may have been shown while the code was being parsed.
        if (this.#deps.session.get(ranking.id) !== ranking) return;
        this.#view = viewOf(ranking, coloured);
        this.#post({ type: "view", view: this.#view });
      },
      (error: unknown) => this.#deps.log.error(reasonOf(error)),
    );
  }

  #post(message: HostMessage): void {
    // A panel that was closed meanwhile takes no message, and nobody waits for one.
    void this.#panel.webview.postMessage(message);
  }
}

/** The file's own name at the end, so that the diff editor colours it in its language. */
function textUri({ id, cursor }: Ranking, candidateId: string, rank: number): vscode.Uri {
  const name = cursor.path.slice(cursor.path.lastIndexOf("/") + 1);
  return vscode.Uri.from({ scheme: TEXT_SCHEME, path: `/${rank}/${name}`, query: `${id}&${candidateId}` });
}

function title(): string {
  return vscode.l10n.t("CodeScaler: Compare");
}
