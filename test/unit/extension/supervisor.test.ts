import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Log } from "../../../src/log.ts";
import { type ServerOptions, type ServerState, Supervisor } from "../../../src/supervisor.ts";

const NEVER = new AbortController().signal;
const silent: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** What a reward server does for its parent: the ready line, an end with stdin. The rest differs by test. */
const SERVER = `
const { createServer } = require("node:http");
const server = createServer((_, response) => response.end("{}"));
server.listen(0, "127.0.0.1", () => {
  const url = "http://127.0.0.1:" + server.address().port;
  console.log(JSON.stringify({ url, pid: process.pid, version: "0.1.0", model: process.argv.at(-1) }));
});
process.stdin.on("end", () => process.exit(0)).resume();
`;

describe("the supervisor", () => {
  let folder: string;
  let supervisor: Supervisor | undefined;
  let states: ServerState["kind"][];
  let options: ServerOptions;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "codescaler-test-"));
    states = [];
    options = { url: "", model: "nano", device: "cpu" };
  });
  afterEach(async () => {
    await supervisor?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  function supervise(script: string, foreignToken?: string): Supervisor {
    const path = join(folder, "server.cjs");
    writeFileSync(path, script);
    supervisor = new Supervisor({
      execPath: process.execPath,
      script: path,
      log: silent,
      options: () => options,
      foreignToken: async () => foreignToken,
    });
    supervisor.onDidChange(({ kind }) => states.push(kind));
    return supervisor;
  }

  function until(server: Supervisor, kind: ServerState["kind"]): Promise<ServerState> {
    return new Promise((resolve) => {
      const subscription = server.onDidChange((state) => {
        if (state.kind !== kind) return;
        subscription.dispose();
        resolve(state);
      });
    });
  }

  it("starts nothing before it is needed, and then once for all", async () => {
    const server = supervise(SERVER);
    expect(server.state.kind).toBe("stopped");
    const [a, b] = await Promise.all([server.endpoint(NEVER), server.endpoint(NEVER)]);
    expect(a).toBe(b);
    expect(a.token).toMatch(/^[\w-]{43}$/);
    expect(server.state).toMatchObject({ kind: "ready", url: a.url, model: "nano", own: false });
    expect(states).toEqual(["starting", "ready"]);
  });

  it("runs the editor's Node as Node, with the token in the environment and not in the arguments", async () => {
    const server = supervise(`
      require("node:fs").writeFileSync(${JSON.stringify(join(folder, "seen.json"))}, JSON.stringify({
        args: process.argv.slice(2), node: process.env.ELECTRON_RUN_AS_NODE, token: process.env.CODESCALER_TOKEN,
        options: process.env.NODE_OPTIONS,
      }));
      ${SERVER}`);
    const { token } = await server.endpoint(NEVER);
    const seen = JSON.parse(readFileSync(join(folder, "seen.json"), "utf8"));
    expect(seen.args).toEqual(["serve", "--exit-with-stdin", "--device", "cpu", "--model", "nano"]);
    expect(seen.node).toBe("1");
    expect(seen.token).toBe(token);
    expect(seen.options).toBeUndefined();
  });

  it("stops it softly, and starts it again when needed", async () => {
    const server = supervise(SERVER);
    const first = await server.endpoint(NEVER);
    await server.stop();
    expect(server.state.kind).toBe("stopped");
    const second = await server.endpoint(NEVER);
    expect(second.url).not.toBe(first.url);
    expect(second.token).not.toBe(first.token);
  });

  it("starts it again when it died", async () => {
    const server = supervise(SERVER);
    const first = await server.endpoint(NEVER);
    const ready = until(server, "ready");
    server.lost(first, "The connection broke.");
    expect(server.state.kind).toBe("down");
    await ready;
    expect((await server.endpoint(NEVER)).url).not.toBe(first.url);
  });

  it("gives up a server that keeps dying, with its last words, until it is restarted by hand", async () => {
    const server = supervise(
      `console.error("No usable model: the disk is empty."); setTimeout(() => process.kill(process.pid, "SIGKILL"), 50);`,
    );
    const failed = until(server, "failed");
    await expect(server.endpoint(NEVER)).rejects.toThrow("No usable model");
    const state = await failed;
    expect(state).toMatchObject({ problem: expect.stringContaining("No usable model: the disk is empty.") });
    expect(states.filter((kind) => kind === "starting")).toHaveLength(5);
    expect(server.output()).toContain("No usable model: the disk is empty.");
    await expect(server.endpoint(NEVER)).rejects.toThrow("by hand");
    writeFileSync(join(folder, "server.cjs"), SERVER);
    await server.restart();
    expect(server.state.kind).toBe("ready");
  }, 30_000);

  it("does not start again what refused to start, with its words", async () => {
    const server = supervise(`console.error("No model named “x” is installed."); process.exitCode = 1;`);
    const failed = until(server, "failed");
    await expect(server.endpoint(NEVER)).rejects.toThrow("No model named “x” is installed.");
    expect(await failed).toMatchObject({ problem: expect.stringContaining("No model named") });
    expect(states).toEqual(["starting", "failed"]);
    writeFileSync(join(folder, "server.cjs"), SERVER);
    options = { ...options, model: "other" };
    await server.optionsChanged();
    expect((await server.endpoint(NEVER)).url).toContain("127.0.0.1");
  });

  it("lets go of whoever waits for it when they no longer want it", async () => {
    const server = supervise("process.stdin.on('end', () => process.exit(0)).resume();");
    const controller = new AbortController();
    const waiting = server.endpoint(controller.signal);
    controller.abort(new Error("typed on"));
    await expect(waiting).rejects.toThrow("typed on");
    expect(server.state.kind).toBe("starting");
  });

  it("restarts it when it is to run differently, and not otherwise", async () => {
    const server = supervise(SERVER);
    const first = await server.endpoint(NEVER);
    await server.optionsChanged();
    expect(await server.endpoint(NEVER)).toBe(first);
    options = { ...options, model: "codescaler-1.7b" };
    await server.optionsChanged();
    expect(server.state).toMatchObject({ kind: "ready", model: "codescaler-1.7b" });
  });

  it("starts nothing for changed options while it is not running", async () => {
    const server = supervise(SERVER);
    options = { ...options, model: "other" };
    await server.optionsChanged();
    expect(states).toEqual([]);
  });

  it("uses a server of the user's own with its token, and says when there is none", async () => {
    let authorization: string | undefined;
    const own = createServer((request, response) => {
      authorization = request.headers.authorization;
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ version: "0.1.0", model: "big" }));
    });
    await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
    options = { ...options, url: `http://127.0.0.1:${(own.address() as AddressInfo).port}` };
    const server = supervise("process.exit(1)", "mine");
    expect(await server.endpoint(NEVER)).toEqual({ url: options.url, token: "mine" });
    expect(authorization).toBe("Bearer mine");
    expect(server.state).toMatchObject({ kind: "ready", own: true, model: "big" });
    own.closeAllConnections();
    await new Promise((resolve) => own.close(resolve));
    server.lost({ url: options.url, token: "mine" }, "gone");
    await expect(server.endpoint(NEVER)).rejects.toThrow("cannot be reached");
    expect(server.state.kind).toBe("down");
  });

  it("refuses an address that is none", async () => {
    options = { ...options, url: "file:///etc/passwd" };
    await expect(supervise(SERVER).endpoint(NEVER)).rejects.toThrow("no address of a server");
  });

  it("ends it for good with the extension", async () => {
    const server = supervise(SERVER);
    await server.endpoint(NEVER);
    await server.dispose();
    await expect(server.endpoint(NEVER)).rejects.toThrow("shutting down");
  });
});
