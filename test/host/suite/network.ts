import assert from "node:assert/strict";
import * as vscode from "vscode";
import { networkSettings } from "../../../src/editor/configuration.ts";
import { wholeText } from "../../../src/sources/http/framing.ts";
import { createHttpClient } from "../../../src/sources/http/http-client.ts";
import { startProxy, startSecure, type TestProxy } from "../../helpers/replay/proxy.ts";
import { type Replay, startReplay } from "../../helpers/replay/replay.ts";

/**
 * The editor patches Node's http in the extension host by its own proxy settings. These tests hold that its
 * patch and our client together use a proxy once for remote hosts, and never for this machine.
 */
describe("network", () => {
  const http = () => vscode.workspace.getConfiguration("http");
  const client = createHttpClient(networkSettings);
  let replay: Replay;
  let proxy: TestProxy;

  before(async () => {
    replay = await startReplay({ vendor: "vllm" });
    proxy = await startProxy();
    proxy.target = Number(new URL(replay.url).port);
    await http().update("proxy", proxy.url, vscode.ConfigurationTarget.Global);
  });
  after(async () => {
    for (const name of ["proxy", "proxySupport", "proxyStrictSSL"]) {
      await http().update(name, undefined, vscode.ConfigurationTarget.Global);
    }
    await proxy[Symbol.asyncDispose]();
    await replay.close();
  });

  async function ask(url: string): Promise<string> {
    const signal = new AbortController().signal;
    const reply = await client.open({ method: "GET", url, signal, source: "Tested" });
    return await wholeText(reply.body);
  }

  for (const support of ["override", "on", "fallback"]) {
    it(`goes through http.proxy once with http.proxySupport ${support}`, async () => {
      await http().update("proxySupport", support, vscode.ConfigurationTarget.Global);
      const before = proxy.seen.length;
      assert.match(await ask("http://models.example:8000/v1/models"), /"vllm"/);
      assert.deepEqual(proxy.seen.slice(before), ["GET http://models.example:8000/v1/models"]);
    });

    it(`takes an unknown certificate only without http.proxyStrictSSL, with http.proxySupport ${support}`, async () => {
      const secure = await startSecure(Number(new URL(replay.url).port));
      proxy.target = secure.port;
      try {
        await http().update("proxySupport", support, vscode.ConfigurationTarget.Global);
        await http().update("proxyStrictSSL", undefined, vscode.ConfigurationTarget.Global);
        const before = proxy.seen.length;
        await assert.rejects(ask("https://models.example/v1/models"), { kind: "certificate" });
        await http().update("proxyStrictSSL", false, vscode.ConfigurationTarget.Global);
        assert.match(await ask("https://models.example/v1/models"), /"vllm"/);
        assert.deepEqual(new Set(proxy.seen.slice(before)), new Set(["CONNECT models.example:443"]));
      } finally {
        proxy.target = Number(new URL(replay.url).port);
        await secure[Symbol.asyncDispose]();
      }
    });

    it(`reaches this machine without it with http.proxySupport ${support}`, async () => {
      await http().update("proxySupport", support, vscode.ConfigurationTarget.Global);
      const before = proxy.seen.length;
      assert.match(await ask(`${replay.url}/v1/models`), /"vllm"/);
      assert.match(await ask(`${replay.url.replace("127.0.0.1", "localhost")}/v1/models`), /"vllm"/);
      assert.deepEqual(proxy.seen.slice(before), []);
    });
  }
});
