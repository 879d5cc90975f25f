/** What the editor's own agents may use of us. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import type { RankReply } from "../../../shared/contract.ts";
import { api } from "./editor.ts";

describe("tools for the editor's agents", () => {
  it("rank candidates with the real judge", async () => {
    await api();
    assert.ok(vscode.lm.tools.some(({ name }) => name === "codescaler_rank"));
    const result = await vscode.lm.invokeTool("codescaler_rank", {
      input: {
        question: "Return the sum of two integers a and b.",
        language: "python",
        candidates: ["def add(a, b:\n    return a + b", "def add(a, b):\n    return a + b"],
      },
      toolInvocationToken: undefined,
    });
    const [part] = result.content;
    assert.ok(part instanceof vscode.LanguageModelTextPart);
    const reply: RankReply = JSON.parse(part.value);
    assert.deepEqual(
      reply.candidates.map(({ id, valid }) => [id, valid]),
      [
        ["2", true],
        ["1", false],
      ],
    );
  });
});
