/**
 * In a workspace that is not trusted and whose settings name an endpoint, a reward server, a model and no secret files:
 * run by run-suite.mjs in an editor of its own, with those settings.
 */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { type Replay, startReplay } from "../../helpers/replay/replay.ts";
import { api, closeAll, configure, onlySource, openAt, rankedAt, type, until } from "./editor.ts";

const ADD = 'def add(a, b):\n    """Returns the sum of a and b."""\n    return█\n';

describe("in Restricted Mode", () => {
  let users: Replay;
  /** Where the workspace's settings point: nothing may ever come there. */
  let trap: Replay;
  before(async () => {
    trap = await startReplay({ vendor: "openai", port: Number(process.env["HOST_TRAP_PORT"]) });
    users = await onlySource({ vendor: "openai", completions: [{ text: "a - b" }, { text: "a + b" }] });
    await configure({ "automatic.minimumProbability": 0, "automatic.budget": 30_000 });
  });
  after(async () => {
    await closeAll();
    await users.close();
    await trap.close();
  });

  it("the extension works, and knows that the workspace is not trusted", async () => {
    await api();
    assert.equal(vscode.workspace.isTrusted, false);
    // The editor itself hides the restricted ones; that the others are there shows that the file was read.
    const inspected = vscode.workspace.getConfiguration("codescaler").inspect("automatic.candidates");
    assert.equal(inspected?.workspaceValue, 2);
  });

  it("the workspace decides about no source, server or model, and about the number of candidates it does", async () => {
    const editor = await openAt("add.py", ADD);
    await type(" ");
    const ranking = await rankedAt(editor);
    assert.equal(ranking.reply?.model.id, "nano");
    assert.equal(users.requests.length, 1);
    assert.equal(users.requests[0]?.body["n"], 2);
    assert.deepEqual(trap.requests, []);
  });

  it("the workspace cannot have files with secrets read", async () => {
    const { traces } = await api();
    await openAt("credentials.py", ADD);
    await type(" ");
    await until("the refusal", () => traces.traces.at(-1)?.steps.at(-1)?.event.kind === "refused");
    assert.equal(users.requests.length, 1);
  });
});
