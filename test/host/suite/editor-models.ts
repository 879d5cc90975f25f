/** Completions from the editor's own language models, offered by another extension (test/host/fake-models). */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { api, closeAll, configure, openAt, rankedAt, type, until } from "./editor.ts";

const ADD = 'def add(a, b):\n    """Returns the sum of a and b."""\n    █\n';
const provider = vscode.extensions.getExtension<{ readonly asked: readonly (readonly string[])[] }>(
  "codescaler-test.fake-models",
);

// Where the suite runs without other extensions there is no such model.
if (provider) {
  describe("the editor's own models", () => {
    before(async () => {
      await configure({
        sources: [{ id: "own", kind: "editor", model: "" }],
        candidates: 3,
        "automatic.debounce": 0,
      });
    });
    after(async () => {
      await closeAll();
      await configure({ sources: undefined, candidates: undefined, "automatic.debounce": undefined });
    });

    it("are asked by the command only, never by typing", async () => {
      const { traces } = await api();
      const { asked } = await provider.activate();
      const editor = await openAt("own.py", ADD.replace("█", "return█"));
      await type(" ");
      const step = await until("the decision", () =>
        traces.traces.at(-1)?.steps.find(({ event }) => event.kind === "no-source"),
      );
      assert.deepEqual(step.event, { kind: "no-source", configured: 1 });
      assert.equal(asked.length, 0);
      await editor.edit((edit) => edit.delete(new vscode.Range(2, 4, 2, 11)));
      void vscode.commands.executeCommand("codescaler.suggest");
      const ranking = await rankedAt(editor);
      assert.equal(asked.length, 3);
      assert.match(asked[0]?.join("\n") ?? "", /Returns the sum of a and b/);
      const valid = ranking.reply?.candidates.filter((candidate) => candidate.valid);
      assert.deepEqual(valid?.map(({ code }) => code).sort(), ["return a + b", "return a - b"]);
      assert.equal(ranking.candidates.length, 3);
    });
  });
}
