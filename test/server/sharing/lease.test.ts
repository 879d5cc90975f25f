/** Leases that lie, servers that are replaced, and what whoever took over a port gets to see. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { packageRoot, serverScript } from "../../../server/files/package-files.ts";
import { VERSION } from "../../../shared/contract.ts";
import { LEASE_FILE, LEASE_LOCK, type Lease, leaseUrl } from "../../../shared/sharing/lease.ts";
import { newNonce, proofOf } from "../../../shared/sharing/proof.ts";
import { call, codescaler } from "../../helpers/server-process.ts";
import { serverOfVersion } from "../../helpers/window-process.ts";
import { Home, isRunning, LARGE, SMALL, until } from "../../helpers/windows.ts";

const TOKEN = "t".repeat(43);
const homes: Home[] = [];
const impostors: Impostor[] = [];

function newHome(env?: NodeJS.ProcessEnv): Home {
  const home = new Home(env);
  homes.push(home);
  return home;
}

afterEach(async () => {
  for (const home of homes.splice(0)) await home.dispose();
  for (const impostor of impostors.splice(0)) impostor.close();
});

/** Listens where a server was, keeps all that it is sent, and answers what it is told to. */
class Impostor {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  seen = "";

  constructor(answer: (request: string) => string) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", (data) => {
        this.seen += data.toString("latin1");
        socket.write(answer(data.toString("latin1")));
      });
    });
    impostors.push(this);
  }

  async listen(port = 0): Promise<number> {
    this.#server.listen(port, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return typeof address === "object" && address ? address.port : 0;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

const reply = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
/** A lease that somebody left. */
function leave(home: Home, lease: Partial<Lease> = {}): void {
  mkdirSync(home.folder, { recursive: true, mode: 0o700 });
  const whole: Lease = { version: VERSION, pid: process.pid, port: 1, token: TOKEN, device: "cpu" };
  writeFileSync(join(home.folder, LEASE_FILE), JSON.stringify({ ...whole, ...lease }), { mode: 0o600 });
}

test("an impostor on the port of an old lease gets neither token nor code", async () => {
  const home = newHome();
  const impostor = new Impostor((request) =>
    reply(JSON.stringify({ proof: /nonce=(\w+)/.exec(request)?.[1] })),
  );
  leave(home, { port: await impostor.listen() });
  const window = await home.window();
  expect(await window.tell({ ...SMALL, secret: "MYSECRET" })).toBe(2);
  expect(impostor.seen).toMatch(/^GET \/v1\/challenge\?nonce=[0-9a-f]{64} HTTP\/1\.1/);
  expect(impostor.seen).not.toContain(TOKEN);
  expect(impostor.seen).not.toContain("MYSECRET");
  expect(impostor.seen.toLowerCase()).not.toContain("authorization");
  expect(home.starts()).toBe(1);
});

test("whoever takes over the port of a server that a window uses gets neither token nor code", async () => {
  const home = newHome();
  const window = await home.window();
  await window.tell(SMALL);
  const { pid, port, token } = home.lease() ?? { pid: 0, port: 0, token: "" };
  const impostor = new Impostor(() => reply("{}"));
  process.kill(pid, "SIGKILL");
  await until("the server is gone", () => !isRunning(pid));
  await impostor.listen(port);
  expect(await window.tell({ ...SMALL, secret: "MYSECRET" })).toBe(2);
  expect(impostor.seen).not.toContain(token);
  expect(impostor.seen).not.toContain("MYSECRET");
  expect(home.lease()?.pid).not.toBe(pid);
});

test("a lease whose process number another process has is recovered, with what killed servers left", async () => {
  const home = newHome();
  leave(home);
  // Also what a server leaves that is killed while it writes.
  writeFileSync(join(home.folder, LEASE_LOCK), `${2 ** 22 + 1} killed`);
  writeFileSync(join(home.folder, `${LEASE_FILE}.${2 ** 22 + 1}`), "{");
  const window = await home.window();
  expect(await window.tell(SMALL)).toBe(2);
  expect(home.left()).toEqual([LEASE_FILE]);
});

test("a newer window replaces an older server under load, and no request fails", async () => {
  const home = newHome();
  const next = nextVersion(home);
  const old = await home.window();
  await old.tell({ do: "join" });
  const before = home.lease();
  let replaced = false;
  const load = (async () => {
    let answered = 0;
    for (let after = 0; after < 3; answered++) {
      await old.tell(LARGE);
      if (replaced) after++;
    }
    return answered;
  })();
  // It is awaited below; until then its failure is nobody's.
  load.catch(() => {});
  const fresh = await home.window(next);
  expect(await fresh.tell(SMALL)).toBe(2);
  await until("the old server ends", () => !isRunning(before?.pid ?? 0));
  replaced = true;
  expect(await load).toBeGreaterThanOrEqual(3);
  expect(home.lease()).toMatchObject({ version: next.version });
  // Both are where the lease says: the older window uses the newer server.
  expect(await old.tell({ do: "join" })).toBe(leaseUrl(home.lease() ?? { port: 0 }));
  expect(await fresh.tell({ do: "join" })).toBe(leaseUrl(home.lease() ?? { port: 0 }));
  expect(old.states).not.toContain("down");
});

test("a server that is restarted for one window is followed by the other, and stopped for both", async () => {
  const home = newHome();
  const [a, b] = await Promise.all([home.window(), home.window()]);
  await Promise.all([a.tell(SMALL), b.tell(SMALL)]);
  const first = home.lease()?.pid ?? 0;
  await Promise.all([a.tell({ do: "restart" }), b.tell({ do: "restart" })]);
  await until("the first server ends", () => !isRunning(first));
  expect(await a.tell({ do: "join" })).toBe(await b.tell({ do: "join" }));
  expect(home.starts()).toBe(2);
  const second = home.lease()?.pid ?? 0;
  await a.tell({ do: "stop" });
  await until("the second server ends", () => !isRunning(second));
  await until("the other window knows", () => b.states.at(-1) === "stopped");
  expect(home.left()).toEqual([]);
  expect(await b.tell(SMALL)).toBe(2);
});

test("a window that restarts the server while it is just joining it gets a fresh one", async () => {
  const home = newHome();
  const [a, b] = await Promise.all([home.window(), home.window()]);
  await a.tell({ do: "join" });
  const first = home.lease()?.pid ?? 0;
  const joined = b.tell({ do: "join" });
  await b.tell({ do: "restart" });
  await joined;
  expect(home.lease()?.pid).not.toBe(first);
  expect(await b.tell(SMALL)).toBe(2);
  await until("the first server ends", () => !isRunning(first));
  expect(home.starts()).toBe(2);
});

test("a shared server gives its memory back, loads again when asked, and ends when nobody is left", async () => {
  const home = newHome();
  const server = spawn(
    process.execPath,
    [serverScript, "serve", "--shared", "--device", "cpu", "--unload-after", "1", "--exit-after", "4"],
    { env: { ...home.env, CODESCALER_TOKEN: "not-used" }, stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const ended = once(server, "close");
  const lease = await until("a lease", () => home.lease());
  expect(lease.token).not.toBe("not-used");
  const ask = (method: string, path: string, body?: unknown) =>
    call(leaseUrl(lease), method, path, body, { authorization: `Bearer ${lease.token}` });
  const state = async () => Reflect.get(Object((await ask("GET", "/health")).json), "state");
  await until("the model is unloaded", () => output.includes("model unloaded"));
  expect(await state()).toBe("unloaded");
  const body = { task: { question: "Add." }, candidates: [{ id: "1", text: "x = 1" }] };
  expect((await ask("POST", "/v1/rank", body)).status).toBe(200);
  expect(await ended).toEqual([0, null]);
  expect(output).not.toContain(lease.token);
  expect(output).toMatch(/model unloaded[\s\S]*model loaded[\s\S]*nobody is left/);
  expect(home.left()).toEqual([]);
});

test("a challenge needs no token and gives nothing else; web pages cannot ask", async () => {
  const home = newHome();
  const window = await home.window();
  await window.tell({ do: "join" });
  const lease = home.lease();
  if (!lease) throw new Error("there is no lease");
  const ask = (path: string, headers: Record<string, string> = {}) =>
    call(leaseUrl(lease), "GET", path, undefined, { authorization: "", ...headers });
  const nonce = newNonce();
  expect((await ask(`/v1/challenge?nonce=${nonce}`)).json).toEqual({ proof: proofOf(lease, nonce) });
  expect((await ask("/v1/challenge?nonce=1")).status).toBe(422);
  expect((await ask(`/v1/challenge?nonce=${nonce}&nonce=${nonce}`)).status).toBe(422);
  expect((await ask(`/v1/challenge?nonce=${nonce}`, { origin: "http://evil.example" })).status).toBe(403);
  expect((await ask(`/v1/challenge?nonce=${nonce}`, { host: "evil.example" })).status).toBe(403);
  for (const path of ["/health", "/v1/presence", "/v1/challenge/", "/metrics"]) {
    expect((await ask(path)).status, path).toBe(401);
  }
});

test("a model that is not installed is said once, and leaves no server", async () => {
  const home = newHome();
  const window = await home.window({ model: "no-such-model" });
  await expect(window.tell(SMALL)).rejects.toThrow(/No model named "no-such-model" is installed/);
  expect(window.states.at(-1)).toBe("failed");
  expect(home.left()).toEqual([]);
});

test("a server that cannot write its lease says so and ends", async () => {
  const home = newHome();
  // Nothing can be renamed over a folder that is not empty.
  mkdirSync(join(home.folder, LEASE_FILE, "in the way"), { recursive: true, mode: 0o700 });
  const args = ["serve", "--shared", "--device", "cpu"];
  const { code, stderr } = await codescaler(args, { env: { CODESCALER_HOME: home.path } });
  expect(code).toBe(1);
  expect(stderr).toContain(join(home.folder, LEASE_FILE));
  rmSync(home.folder, { recursive: true });
});

/** The built server as a later version of itself. */
function nextVersion(home: Home): { readonly version: string; readonly script: string } {
  const version = "99.0.0";
  const folder = join(home.path, "next");
  mkdirSync(join(folder, "dist"), { recursive: true });
  for (const part of ["media", "node_modules"]) symlinkSync(join(packageRoot, part), join(folder, part));
  for (const part of readdirSync(join(packageRoot, "dist"))) {
    if (part !== "server.js") symlinkSync(join(packageRoot, "dist", part), join(folder, "dist", part));
  }
  cpSync(join(packageRoot, "package.json"), join(folder, "package.json"));
  const script = join(folder, "dist", "server.js");
  writeFileSync(script, serverOfVersion(version));
  return { version, script };
}
