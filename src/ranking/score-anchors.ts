/** Scored ranges of open documents, moved along with every edit. */
import * as vscode from "vscode";
import { Emitter, type Event } from "../base/emitter.ts";
import { type Anchor, afterEdits, anchorAt, withAnchor } from "./anchors.ts";

export class ScoreAnchors implements vscode.Disposable {
  readonly #anchors = new Map<string, readonly Anchor[]>();
  readonly #changed = new Emitter<string>();
  readonly #subscriptions: vscode.Disposable[];
  /** Fires with the address of a document whose scores have changed. */
  readonly onDidChange: Event<string> = this.#changed.event;

  constructor() {
    this.#subscriptions = [
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        const uri = document.uri.toString();
        const anchors = this.#anchors.get(uri);
        if (!anchors || contentChanges.length === 0) return;
        const edits = contentChanges.map(({ rangeOffset, rangeLength, text }) => ({
          offset: rangeOffset,
          length: rangeLength,
          text,
        }));
        this.#set(uri, afterEdits(anchors, edits));
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => this.clear(uri.toString())),
    ];
  }

  in(uri: string): readonly Anchor[] {
    return this.#anchors.get(uri) ?? [];
  }

  at(document: vscode.TextDocument, position: vscode.Position): Anchor | undefined {
    const anchors = this.#anchors.get(document.uri.toString());
    return anchors && anchorAt(anchors, document.offsetAt(position));
  }

  add(uri: string, anchor: Anchor): void {
    this.#set(uri, withAnchor(this.in(uri), anchor));
  }

  clear(uri: string): void {
    if (this.#anchors.has(uri)) this.#set(uri, []);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
    this.#changed.dispose();
  }

  #set(uri: string, anchors: readonly Anchor[]): void {
    if (anchors.length > 0) this.#anchors.set(uri, anchors);
    else this.#anchors.delete(uri);
    this.#changed.fire(uri);
  }
}

/** The range of an anchor in its document as it is now. */
export function rangeOf(document: vscode.TextDocument, { start, end }: Anchor): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(end));
}
