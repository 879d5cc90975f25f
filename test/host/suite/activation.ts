import assert from "node:assert/strict";
import * as vscode from "vscode";
import { api } from "./editor.ts";

describe("activation", () => {
  it("starts no server and loads no model", async () => {
    const { server } = await api();
    assert.deepEqual(server.state, { kind: "stopped" });
  });

  it("registers every command of the manifest", async () => {
    await api();
    const { packageJSON } = vscode.extensions.getExtension("codescaler.codescaler") ?? {};
    const contributed: string[] = packageJSON.contributes.commands.map(
      ({ command }: { command: string }) => command,
    );
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      contributed.filter((command) => !registered.has(command)),
      [],
    );
  });
});
