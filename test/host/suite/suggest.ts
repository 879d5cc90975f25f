import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { Replay } from "../../helpers/replay/replay.ts";
import { accept, api, closeAll, configure, onlySource, openAt, until } from "./editor.ts";

const ADD = 'def add(a, b):\n    """Returns the sum of a and b."""\n    █\n';
/** Different in arrival, length and validity; only the reward model orders the valid ones. */
const BODIES = [
  { text: "return (a +", delayMs: 0 },
  { text: "return a - b", delayMs: 10 },
  { text: "return a + b", delayMs: 40 },
  { text: "total = a\n    total += b\n    return total", delayMs: 20 },
];

describe("suggestions", () => {
  let replay: Replay;
  before(async () => {
    replay = await onlySource({ vendor: "openai", completions: BODIES });
    await configure({ "automatic.minimumProbability": 0 });
  });
  after(async () => {
    await replay.close();
    await configure({ sources: undefined, "automatic.minimumProbability": undefined });
  });
  afterEach(closeAll);

  it("are ranked by the reward server, the best first and what is not valid last", async () => {
    const { session, server } = await api();
    const editor = await openAt("add.py", ADD);
    await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
    const uri = editor.document.uri.toString();
    const ranking = await until("a complete ranking", () => {
      const latest = session.latest(uri);
      return latest?.complete && latest.reply ? latest : undefined;
    });
    assert.equal(server.state.kind, "ready");
    const entries = ranking.reply?.candidates ?? [];
    assert.equal(entries.at(-1)?.valid, false);
    const rewards = entries.filter(({ valid }) => valid).map(({ reward }) => reward ?? Number.NaN);
    assert.deepEqual(
      rewards,
      [...rewards].sort((a, b) => b - a),
    );
    assert.equal(new Set(rewards).size, 3);
  });

  it("are inserted exactly when accepted", async () => {
    const { session } = await api();
    const editor = await openAt("add.py", ADD);
    await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
    const uri = editor.document.uri.toString();
    const shown = await until("a suggestion given to the editor", () => {
      const latest = session.latest(uri);
      return latest?.complete ? latest.shown : undefined;
    });
    const code = session.latest(uri)?.reply?.candidates.find(({ id }) => id === shown)?.code ?? "";
    await accept(editor);
    assert.equal(editor.document.getText(), ADD.replace("█", code));
  });

  it("can be taken before all are there, and nothing more is asked for then", async () => {
    const { session } = await api();
    const before = replay.completions;
    replay.requests.length = 0;
    replay.completions = [{ text: "return a + b" }, { text: "return a - b", delayMs: 60_000 }];
    try {
      const editor = await openAt("add.py", ADD);
      const done = vscode.commands.executeCommand("codescaler.suggest");
      const uri = editor.document.uri.toString();
      await until("a ranking that is not complete", () => {
        const latest = session.latest(uri);
        return latest?.reply && !latest.complete;
      });
      await until("the list, and its first item taken", async () => {
        await vscode.commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
        return session.latest(uri)?.shown;
      });
      await done;
      assert.equal(await replay.requests[0]?.aborted, true);
      await accept(editor);
      assert.equal(editor.document.getText(), ADD.replace("█", "return a + b"));
    } finally {
      replay.completions = before;
    }
  });
});
