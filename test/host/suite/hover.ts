/** What the hover over accepted code may do, whatever the code is. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { HOVER_COMMANDS } from "../../../src/editor/hover.ts";
import type { Replay } from "../../helpers/replay/replay.ts";
import { accept, closeAll, configure, onlySource, openAt, rankedAt, until } from "./editor.ts";

const ADD = 'def add(a, b):\n    """Returns the sum of a and b."""\n    █\n';
/** Code that would end its fence and forge a link. What hides characters is never inserted to begin with. */
const EVIL = 'return a + b  # ``` [fine](command:codescaler.trySample) <b>"""';

describe("the hover over accepted code", () => {
  let replay: Replay;
  before(async () => {
    replay = await onlySource({
      vendor: "openai",
      completions: [{ text: EVIL }, { text: EVIL.replace("+", "-") }],
    });
    await configure({ "automatic.minimumProbability": 0, candidates: 2 });
  });
  after(async () => {
    await closeAll();
    await replay.close();
    await configure({
      sources: undefined,
      "automatic.minimumProbability": undefined,
      candidates: undefined,
    });
  });

  it("has links to our two commands only", async () => {
    const editor = await openAt("evil.py", ADD);
    void vscode.commands.executeCommand("codescaler.suggest");
    await rankedAt(editor);
    await accept(editor);
    const markdown = await until("the hover", async () => {
      const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
        "vscode.executeHoverProvider",
        editor.document.uri,
        new vscode.Position(2, 6),
      );
      return hovers
        .flatMap(({ contents }) => contents)
        .find((part) => part instanceof vscode.MarkdownString && part.value.includes("CodeScaler"));
    });
    assert.ok(markdown instanceof vscode.MarkdownString);
    assert.deepEqual(markdown.isTrusted, { enabledCommands: [...HOVER_COMMANDS] });
    assert.ok(!markdown.supportHtml);
    // The code stands in a fence that is longer than any in it, and nowhere else.
    const [before = "", code = ""] = markdown.value.split(/^````\w*$/m);
    assert.match(code, /command:codescaler\.trySample/);
    const links = [...before.matchAll(/\(command:([\w.]+)/g)].map(([, command]) => command);
    assert.deepEqual(links, [...HOVER_COMMANDS]);
  });
});
