/** Code that stands in documents, scored by command; what is counted of it; switching off. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { Ranking, RankingKind } from "../../../src/ranking/ranking.ts";
import type { Replay } from "../../helpers/replay/replay.ts";
import { accept, api, closeAll, configure, onlySource, openAt, rankedAt, type, until } from "./editor.ts";

const RIGHT = 'def add(a, b):\n    """Returns the sum of a and b."""\n    return a + b\n';
const WRONG = RIGHT.replace("a + b", "a - b");

/** Runs a command that ends with a message nobody answers here, and gives the ranking it made of the document. */
async function made(command: string, uri: vscode.Uri, kind: RankingKind): Promise<Ranking> {
  const { session } = await api();
  void vscode.commands.executeCommand(`codescaler.${command}`);
  return until(`a ${kind}`, () => {
    const ranking = session.latest(uri.toString());
    return ranking?.kind === kind && ranking.reply ? ranking : undefined;
  });
}

describe("scoring by command", () => {
  afterEach(closeAll);

  it("reads a selection", async () => {
    const { scores } = await api();
    const editor = await openAt("selected.py", RIGHT);
    const { document } = editor;
    editor.selection = new vscode.Selection(2, 4, 2, 16);
    const ranking = await made("scoreSelection", document.uri, "score");
    assert.equal(ranking.candidates[0]?.text, "return a + b");
    const [anchor] = await until("its score in the document", () => {
      const found = scores.in(document.uri.toString());
      return found.length > 0 ? found : undefined;
    });
    assert.equal(anchor?.start, document.offsetAt(editor.selection.start));
  });

  it("compares the clipboard with the selection", async () => {
    const editor = await openAt("clipboard.py", RIGHT);
    await vscode.env.clipboard.writeText("return a - b");
    editor.selection = new vscode.Selection(2, 4, 2, 16);
    const ranking = await made("compareClipboard", editor.document.uri, "comparison");
    assert.deepEqual(
      ranking.candidates.map(({ text }) => text),
      ["return a + b", "return a - b"],
    );
    assert.equal(ranking.reply?.candidates.length, 2);
  });

  it("compares both sides of a diff by the function at the cursor", async () => {
    const { document: left } = await openAt("left.py", WRONG);
    const { document: right } = await openAt("right.py", RIGHT);
    await vscode.commands.executeCommand("vscode.diff", left.uri, right.uri);
    const editor = await until("the right side", () => {
      const active = vscode.window.activeTextEditor;
      const tab = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
      return tab instanceof vscode.TabInputTextDiff && active?.document === right ? active : undefined;
    });
    editor.selection = new vscode.Selection(2, 6, 2, 6);
    const ranking = await made("compareDiff", right.uri, "comparison");
    const texts = ranking.candidates.map(({ text }) => text.trim());
    assert.deepEqual(texts, ["return a + b", "return a - b"]);
  });
});

describe("statistics", () => {
  let replay: Replay;
  before(async () => {
    replay = await onlySource({
      vendor: "openai",
      completions: [{ text: "return a + b" }, { text: "return a - b" }],
    });
    await configure({ "automatic.minimumProbability": 0, "automatic.debounce": 0 });
  });
  after(async () => {
    await closeAll();
    await replay.close();
    await configure({
      sources: undefined,
      "automatic.minimumProbability": undefined,
      "automatic.debounce": undefined,
    });
  });

  async function page(): Promise<string> {
    await vscode.commands.executeCommand("codescaler.statistics");
    const uri = vscode.Uri.from({ scheme: "codescaler", path: "/statistics.md" });
    return (await vscode.workspace.openTextDocument(uri)).getText();
  }

  it("count what was accepted, hold no code, and can be erased", async () => {
    const { session } = await api();
    await vscode.commands.executeCommand("codescaler.eraseStatistics");
    const editor = await openAt("counted.py", RIGHT.replace("return a + b", "█"));
    void vscode.commands.executeCommand("codescaler.suggest");
    const { id } = await rankedAt(editor);
    await accept(editor);
    await until("the acceptance", () => session.get(id)?.accepted);
    const text = await until("the counted acceptance", async () => {
      const shown = await page();
      return /Shown, of which accepted \| 1, 1 /.test(shown) && shown;
    });
    assert.doesNotMatch(text, /return a|counted\.py/);
    await vscode.commands.executeCommand("codescaler.eraseStatistics");
    await until("an empty page", async () => /Shown, of which accepted \| 0, 0 /.test(await page()));
  });

  it("the next suggestion is asked for in advance after one was accepted", async () => {
    const { traces } = await api();
    const editor = await openAt("next.py", RIGHT.replace("return a + b", "█"));
    void vscode.commands.executeCommand("codescaler.suggest");
    await rankedAt(editor);
    await accept(editor);
    await until("the request in advance", () =>
      traces.traces.some(({ trigger, file }) => trigger === "prefetch" && file === "next.py"),
    );
  });

  it("a language can be switched off and on", async () => {
    const { traces } = await api();
    const ends = (kind: string) => () =>
      traces.traces.at(-1)?.file === "switched.py" &&
      traces.traces.at(-1)?.steps.some(({ event }) => event.kind === kind);
    await openAt("switched.py", "def add(a, b):\n    return█\n");
    await vscode.commands.executeCommand("codescaler.toggleLanguage");
    await type(" ");
    await until("the refusal", ends("refused"));
    await vscode.commands.executeCommand("codescaler.toggleLanguage");
    await type("(");
    await until("a request", ends("asked"));
  });
});
