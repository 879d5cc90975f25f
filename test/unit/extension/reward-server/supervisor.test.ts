import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LEASE_FILE } from "../../../../shared/sharing/lease.ts";
import type { Log } from "../../../../src/base/log.ts";
import { RankError } from "../../../../src/ranking/server-client.ts";
import type { ServerOptions, ServerState } from "../../../../src/reward-server/server-interface.ts";
import { Supervisor } from "../../../../src/reward-server/supervisor.ts";

const NEVER = new AbortController().signal;
const silent: Log = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

describe("the supervisor", () => {
  let folder: string;
  let supervisor: Supervisor | undefined;
  let states: ServerState["kind"][];
  let options: ServerOptions;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "codescaler-test-"));
    states = [];
    options = { url: "", engines: [], model: "nano", device: "cpu", unloadAfter: 5 };
  });
  afterEach(async () => {
    await supervisor?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  function supervise(script: string, ownToken?: string): Supervisor {
    const path = join(folder, "server.cjs");
    writeFileSync(path, script);
    supervisor = new Supervisor({
      execPath: process.execPath,
      script: path,
      version: "0.1.0",
      folder: join(folder, "run"),
      log: silent,
      options: () => options,
      ownToken: async () => ownToken,
      engineEnvironment: async () => ({}),
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

  it("gives up a server that keeps dying, with its last words, until it is restarted by hand", async () => {
    const server = supervise(
      `console.error("No usable model: the disk is empty."); setTimeout(() => process.kill(process.pid, "SIGKILL"), 50);`,
    );
    const failed = until(server, "failed");
    await expect(server.endpoint(NEVER)).rejects.toThrow("No usable model");
    const state = await failed;
    expect(state).toMatchObject({
      problem: { message: expect.stringContaining("No usable model: the disk is empty.") },
    });
    expect(states.filter((kind) => kind === "starting")).toHaveLength(5);
    expect(await server.output()).toContain("No usable model: the disk is empty.");
    await expect(server.endpoint(NEVER)).rejects.toThrow("by hand");
    await expect(server.restart()).rejects.toThrow("No usable model");
    expect(server.state.kind).toBe("down");
  }, 30_000);

  it("does not start again what refused to start, with its words", async () => {
    const server = supervise(`console.error("No model named “x” is installed."); process.exitCode = 1;`);
    const failed = until(server, "failed");
    await expect(server.endpoint(NEVER)).rejects.toThrow("No model named “x” is installed.");
    expect(await failed).toMatchObject({ problem: { message: expect.stringContaining("No model named") } });
    expect(states).toEqual(["starting", "failed"]);
    options = { ...options, model: "other" };
    await server.optionsChanged();
    expect(server.state.kind).toBe("stopped");
  });

  it("lets go of whoever waits for it when they no longer want it", async () => {
    const server = supervise("setTimeout(() => {}, 2000);");
    const controller = new AbortController();
    const waiting = server.endpoint(controller.signal);
    controller.abort(new Error("typed on"));
    await expect(waiting).rejects.toThrow("typed on");
    expect(server.state.kind).toBe("starting");
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
    server.lost({ url: options.url, token: "mine" }, new RankError("unreachable", "gone"));
    await expect(server.endpoint(NEVER)).rejects.toThrow("cannot be reached");
    expect(server.state.kind).toBe("down");
  });

  it("joins the server of the other windows when the user's own is no longer wanted, and replaces none", async () => {
    const own = createServer((_request, response) => {
      response.setHeader("content-type", "application/json").end(JSON.stringify({ version: "0.1.0" }));
    });
    await new Promise<void>((resolve) => own.listen(0, "127.0.0.1", resolve));
    options = { ...options, url: `http://127.0.0.1:${(own.address() as AddressInfo).port}` };
    const server = supervise(`console.error(process.argv.join(" ")); process.exitCode = 1;`);
    await server.endpoint(NEVER);
    own.closeAllConnections();
    own.close();
    const run = join(folder, "run");
    mkdirSync(run, { mode: 0o700 });
    const lease = { version: "0.1.0", pid: 4711, port: 1, token: "t".repeat(43), device: "cpu" };
    writeFileSync(join(run, LEASE_FILE), JSON.stringify(lease));
    options = { ...options, url: "" };
    await server.optionsChanged();
    const output = (await server.output()).join("\n");
    expect(output).toContain("--shared");
    expect(output).not.toContain("--replaces");
  });

  it("starts with other options what they were changed for while it was being started", async () => {
    const server = supervise(
      `console.error("There is no GPU."); setTimeout(() => { process.exitCode = 1; }, 200);`,
    );
    options = { ...options, device: "gpu" };
    const waiting = server.endpoint(NEVER);
    options = { ...options, device: "cpu" };
    const changed = server.optionsChanged();
    await expect(waiting).rejects.toThrow("There is no GPU.");
    await changed;
    // The refusal was of the options before; the next request tries these.
    expect(server.state.kind).toBe("stopped");
  });

  it("refuses an address that is none", async () => {
    options = { ...options, url: "file:///etc/passwd" };
    await expect(supervise("process.exit(1)").endpoint(NEVER)).rejects.toThrow("no address of a server");
  });

  it("keeps its lease and log from other users, and says when it cannot", async () => {
    const run = join(folder, "run");
    mkdirSync(run, { mode: 0o755 });
    const server = supervise("process.exit(1)");
    await expect(server.endpoint(NEVER)).rejects.toThrow("open to other users");
    expect(server.state.kind).toBe("failed");
    rmSync(run, { recursive: true });
    await server.optionsChanged();
    await expect(server.endpoint(NEVER)).rejects.toThrow("ended (code 1)");
    expect(statSync(run).mode & 0o777).toBe(0o700);
    expect(statSync(join(run, "server.log")).mode & 0o777).toBe(0o600);
  });

  it("starts nothing after the end of the extension", async () => {
    const server = supervise("process.exit(1)");
    await server.dispose();
    await expect(server.endpoint(NEVER)).rejects.toThrow("shutting down");
  });
});
