import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { Ranking } from "../../../src/ranking/ranking.ts";
import type { Replay } from "../../helpers/replay/replay.ts";
import { api, closeAll, configure, onlySource, openAt, until } from "./editor.ts";

const ADD = 'def add(a, b):\n    """Returns the sum of a and b."""\n    █\n';
/** Long enough that whatever waits for it is waiting when the test acts. */
const NEVER_MS = 600_000;

/** A ranking of which something was given to the editor. */
async function completeRanking(editor: vscode.TextEditor): Promise<Ranking> {
  const { session } = await api();
  const uri = editor.document.uri.toString();
  return until("a complete ranking", () => {
    const latest = session.latest(uri);
    return latest?.complete && latest.reply && latest.shown !== undefined ? latest : undefined;
  });
}

describe("several documents and views", () => {
  let replay: Replay;
  beforeEach(async () => {
    replay = await onlySource({
      vendor: "openai",
      completions: [{ text: "return a + b" }, { text: "return a - b" }],
    });
    await configure({
      "automatic.minimumProbability": 0,
      "automatic.debounce": 0,
      "automatic.prefetch": false,
    });
  });
  afterEach(async () => {
    await closeAll();
    await replay.close();
    await configure({
      sources: undefined,
      "automatic.minimumProbability": undefined,
      "automatic.debounce": undefined,
      "automatic.prefetch": undefined,
    });
  });

  it("hangs up on the source when the document is closed", async () => {
    replay.completions = [{ text: "return a", delayMs: NEVER_MS }];
    await openAt("closed.py", ADD);
    void vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
    const request = await until("the request", () => replay.asked[0]);
    await closeAll();
    assert.equal(await request.aborted, true);
  });

  it("keeps the rankings of two documents apart", async () => {
    const first = await openAt("first.py", ADD);
    await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
    const one = await completeRanking(first);
    const second = await openAt("second.py", ADD);
    await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
    const two = await completeRanking(second);
    assert.notEqual(one.id, two.id);
    const { session } = await api();
    assert.equal(session.latest(first.document.uri.toString())?.id, one.id);
  });

  it("does nothing to a document that changed while candidates were on their way", async () => {
    replay.completions = [{ text: "return a + b", delayMs: 1500 }];
    const editor = await openAt("moving.py", ADD);
    void vscode.commands.executeCommand("codescaler.suggest");
    await until("the request", () => replay.asked[0]);
    await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), "import math\n\n"));
    const text = editor.document.getText();
    const { session, traces } = await api();
    const uri = editor.document.uri.toString();
    await until("the end of the request", () => session.latest(uri)?.complete);
    assert.equal(editor.document.getText(), text);
    const events = traces.traces.at(-1)?.steps.map(({ event }) => event.kind);
    assert.ok(events?.includes("all-arrived") && !events.includes("shown"), String(events));
  });

  it("opens the compare panel for a ranking, and closes it with the editors", async () => {
    const editor = await openAt("panel.py", ADD);
    await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
    const { id } = await completeRanking(editor);
    await vscode.commands.executeCommand("codescaler.compare", id);
    await until("the panel", () =>
      vscode.window.tabGroups.all.some(({ tabs }) =>
        tabs.some(
          ({ input }) =>
            input instanceof vscode.TabInputWebview && /codescaler\.compare/.test(input.viewType),
        ),
      ),
    );
  });
});

describe("a document that cannot be changed", () => {
  let replay: Replay;
  before(async () => {
    replay = await onlySource({ vendor: "openai", completions: [{ text: "return a + b" }] });
    await readonlyFiles({ "**/readonly.py": true });
  });
  after(async () => {
    await closeAll();
    await replay.close();
    await readonlyFiles(undefined);
    await configure({ sources: undefined });
  });

  async function readonlyFiles(patterns: Readonly<Record<string, boolean>> | undefined): Promise<void> {
    const files = vscode.workspace.getConfiguration("files");
    await files.update("readonlyInclude", patterns, vscode.ConfigurationTarget.Global);
  }

  it("gets no suggestions and is never written to, and can be scored all the same", async () => {
    const { scores } = await api();
    const text = "def add(a, b):\n    return a + b\n";
    const editor = await openAt("readonly.py", text.replace("a + b", "█a + b"));
    await vscode.commands.executeCommand("type", { text: " " });
    await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
    const uri = editor.document.uri.toString();
    void vscode.commands.executeCommand("codescaler.scoreFunction");
    await until("a score", () => scores.in(uri).length > 0);
    assert.deepEqual(replay.asked, []);
    assert.equal(editor.document.getText(), text);
    assert.equal(editor.document.isDirty, false);
  });
});
