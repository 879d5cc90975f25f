import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createListener, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { claimLease, leaseState, makePrivate, releaseLease } from "../../../server/sharing/lease-holder.ts";
import {
  compareVersions,
  decide,
  LEASE_FILE,
  LEASE_LOCK,
  type Lease,
  parseLease,
  runtimeFolder,
} from "../../../shared/sharing/lease.ts";
import { isProof, newNonce, proofOf } from "../../../shared/sharing/proof.ts";
import { ProvenAgent, proves } from "../../../shared/sharing/proven-agent.ts";
import { readLease } from "../../../shared/sharing/read-lease.ts";

const LEASE: Lease = { version: "1.2.3", pid: 42, port: 4242, token: "t".repeat(43), device: "auto" };
const DEAD = 2 ** 22 + 1;
const servers: Server[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "codescaler-lease-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A server that knows the token, and answers everything else with what it was asked. */
async function genuine(lease: Partial<Lease> = {}): Promise<Lease> {
  const whole = { ...LEASE, ...lease };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://127.0.0.1");
    const proof = proofOf(
      { ...whole, port: (server.address() as AddressInfo).port },
      searchParams.get("nonce") ?? "",
    );
    response.end(JSON.stringify(pathname === "/v1/challenge" ? { proof } : { pathname }));
  });
  return { ...whole, port: await listening(server) };
}

describe("a lease", () => {
  it("is read back as it was written, and from nothing that is not whole", () => {
    const text = JSON.stringify(LEASE);
    expect(parseLease(text)).toEqual(LEASE);
    for (let length = 0; length < text.length; length++)
      expect(parseLease(text.slice(0, length))).toBeUndefined();
    for (const wrong of [
      { port: 0 },
      { port: 65_536 },
      { port: "4242" },
      { pid: 1.5 },
      { token: "short" },
      { token: `${"a".repeat(40)}\r\nX-Evil: 1` },
      { version: "new" },
      { device: null },
    ]) {
      expect(parseLease(JSON.stringify({ ...LEASE, ...wrong })), JSON.stringify(wrong)).toBeUndefined();
    }
    for (const other of ["null", "[]", "1", '"x"']) expect(parseLease(other)).toBeUndefined();
  });

  it.each([
    ["is joined by its own version", "1.2.3", true, undefined, "join"],
    ["is joined by an older version", "1.2.2", true, undefined, "join"],
    ["is replaced by a newer version", "1.10.0", true, undefined, "replace"],
    ["is replaced when a user wants a fresh server", "1.2.3", true, 42, "replace"],
    ["is joined when it is the fresh server already", "1.2.3", true, 41, "join"],
    ["is nothing when its server proves nothing", "1.2.3", false, undefined, "start"],
    ["is nothing when its server is old and proves nothing", "2.0.0", false, 42, "start"],
  ])("%s", (_, version, proved, replaces, what) => {
    expect(decide(LEASE, proved, { version, replaces })).toBe(what);
    expect(decide(undefined, proved, { version, replaces })).toBe("start");
  });

  it("knows which version is older", () => {
    expect(compareVersions("0.9.0", "0.10.0")).toBeLessThan(0);
    expect(compareVersions("1.0.0", "0.99.99")).toBeGreaterThan(0);
    expect(compareVersions("1.0.0-beta", "1.0.0")).toBe(0);
  });

  it("lies in one folder for each home, and for each machine where homes are shared", () => {
    const place = { env: {}, platform: "linux", home: "/home/me", host: "box" };
    expect(runtimeFolder(place)).toBe("/home/me/.local/state/codescaler/run/box");
    expect(runtimeFolder({ ...place, host: "other/../x" })).toBe(
      "/home/me/.local/state/codescaler/run/other_.._x",
    );
    expect(runtimeFolder({ ...place, env: { CODESCALER_HOME: "/models" } })).toBe("/models/run/box");
    // A Mac is called differently in every network.
    expect(runtimeFolder({ ...place, platform: "darwin" })).toBe(
      "/home/me/Library/Application Support/codescaler/run",
    );
  });

  it.runIf(process.getuid !== undefined)(
    "is not taken from a folder that others can write to or look into",
    async () => {
      writeFileSync(join(folder, LEASE_FILE), JSON.stringify(LEASE));
      chmodSync(folder, 0o700);
      expect(await readLease(folder)).toEqual(LEASE);
      const link = `${folder}-link`;
      symlinkSync(folder, link);
      expect(await readLease(link)).toBeUndefined();
      rmSync(link);
      for (const mode of [0o770, 0o707, 0o750, 0o701]) {
        chmodSync(folder, mode);
        expect(await readLease(folder), mode.toString(8)).toBeUndefined();
      }
      await makePrivate(folder);
      expect(await readLease(folder)).toEqual(LEASE);
      writeFileSync(join(folder, LEASE_FILE), JSON.stringify({ ...LEASE, more: "x".repeat(5000) }));
      expect(await readLease(folder)).toBeUndefined();
    },
  );
});

describe("a proof", () => {
  it("holds for its nonce, version, process, port and token only", () => {
    const nonce = newNonce();
    const proof = proofOf(LEASE, nonce);
    expect(isProof(LEASE, nonce, proof)).toBe(true);
    expect(isProof(LEASE, newNonce(), proof)).toBe(false);
    for (const other of [{ version: "1.2.4" }, { pid: 43 }, { port: 4243 }, { token: "u".repeat(43) }]) {
      expect(isProof({ ...LEASE, ...other }, nonce, proof)).toBe(false);
    }
    for (const wrong of ["", undefined, null, 7, {}, `${proof}0`, proof.toUpperCase()]) {
      expect(isProof(LEASE, nonce, wrong)).toBe(false);
    }
  });

  it("is given by a server that knows the token, and by no other", async () => {
    const lease = await genuine();
    expect(await proves(lease)).toBe(true);
    expect(await proves({ ...lease, token: "u".repeat(43) })).toBe(false);
    expect(await proves({ ...lease, pid: 43 })).toBe(false);
  });

  it.each<[string, string]>([
    ["something else", "hello\r\n\r\n"],
    ["another status", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}"],
    ["too much", "x".repeat(10_000)],
    ["no JSON", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull"],
  ])("is not given by %s", async (_, answer) => {
    const port = await listening(createListener((socket) => socket.on("error", () => {}).end(answer)));
    expect(await proves({ ...LEASE, port })).toBe(false);
  });

  it("is waited for no longer than it takes a busy machine", async () => {
    let asked = 0;
    const port = await listening(
      createListener((socket) => {
        asked++;
        socket.on("error", () => {});
      }),
    );
    expect(await proves({ ...LEASE, port }, 50)).toBe(false);
    expect(asked).toBe(2);
  });

  it("is asked for on every connection before a request is sent", async () => {
    const lease = await genuine();
    const seen: string[] = [];
    const impostor = createServer((request, response) => {
      seen.push(`${request.url?.split("?")[0]} ${request.headers.authorization}`);
      response.end("{}");
    });
    const port = await listening(impostor);
    const options = { headers: { authorization: `Bearer ${lease.token}` } };
    const get = async (to: Lease) => {
      const { request } = await import("node:http");
      const agent = new ProvenAgent(to);
      const sent = request(`http://127.0.0.1:${to.port}/v1/rank`, { agent, ...options });
      sent.end();
      const [response] = await once(sent, "response").finally(() => agent.destroy());
      return response.statusCode;
    };
    expect(await get(lease)).toBe(200);
    await expect(get({ ...lease, port })).rejects.toThrow("The proof is wrong");
    expect(seen).toEqual(["/v1/challenge undefined"]);
  });
});

describe("the file of the lease", () => {
  const claim = async (lease: Lease, replaces?: number) => claimLease(folder, lease, replaces);
  const put = (text: string) => writeFileSync(join(folder, LEASE_FILE), text);

  it("is taken where there is none, and closed to others", async () => {
    expect(await claim(LEASE)).toEqual({ kind: "claimed", replaced: undefined });
    expect(await readLease(folder)).toEqual(LEASE);
    expect(statSync(join(folder, LEASE_FILE)).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual([LEASE_FILE]);
  });

  it("is left to a server that proves itself, unless that is older", async () => {
    const running = await genuine();
    put(JSON.stringify(running));
    expect(await claim(LEASE)).toEqual({ kind: "joined", lease: running });
    expect(await claim({ ...LEASE, version: "1.2.2" })).toEqual({ kind: "joined", lease: running });
    expect(await claim({ ...LEASE, version: "1.3.0" })).toEqual({ kind: "claimed", replaced: running });
    put(JSON.stringify(running));
    expect(await claim(LEASE, running.pid)).toEqual({ kind: "claimed", replaced: running });
  });

  it.each<[string, string]>([
    ["of a server that ended", JSON.stringify({ ...LEASE, pid: DEAD, port: 1 })],
    ["of a process whose number another one has", JSON.stringify({ ...LEASE, pid: process.pid, port: 1 })],
    ["half-written", '{"version":"1.2.3","pi'],
    ["empty", ""],
  ])("is taken from one that is %s", async (_, text) => {
    put(text);
    writeFileSync(join(folder, LEASE_LOCK), `${DEAD} killed while it held the lock`);
    writeFileSync(join(folder, `${LEASE_FILE}.${DEAD}`), "killed while it wrote");
    expect(await claim(LEASE)).toEqual({ kind: "claimed", replaced: undefined });
    expect(readdirSync(folder)).toEqual([LEASE_FILE]);
  });

  it("is given back by its server and by no other", async () => {
    await claim(LEASE);
    const other = { ...LEASE, token: "u".repeat(43) };
    expect([await leaseState(folder, LEASE), await leaseState(folder, other)]).toEqual(["mine", "other"]);
    await releaseLease(folder, other);
    expect(await readLease(folder)).toEqual(LEASE);
    await releaseLease(folder, LEASE);
    expect(await leaseState(folder, LEASE)).toBe("missing");
    await releaseLease(folder, LEASE);
  });

  it("is claimed by one of many at the same moment", async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, async (_, index) =>
        genuine({ pid: 100 + index, token: String(index).repeat(43) }),
      ),
    );
    const claims = await Promise.all(all.map((lease) => claim(lease)));
    expect(claims.filter(({ kind }) => kind === "claimed")).toHaveLength(1);
    expect(readdirSync(folder)).toEqual([LEASE_FILE]);
  });

  it("is in no folder that cannot be made", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(makePrivate(join(folder, "file", "run"))).rejects.toThrow(/cannot be written/);
    mkdirSync(join(folder, "run"), { mode: 0o755 });
    await makePrivate(join(folder, "run"));
    expect(statSync(join(folder, "run")).mode & 0o777).toBe(0o700);
  });
});
