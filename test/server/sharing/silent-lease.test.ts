/** Something that says nothing listens at the port of the lease: the start goes on without it. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serverScript } from "../../../server/files/package-files.ts";
import { VERSION } from "../../../shared/contract.ts";
import { LEASE_FILE, type Lease } from "../../../shared/sharing/lease.ts";
import { ownRuntimeFolder } from "../../../shared/sharing/read-lease.ts";
import { joinOrStart } from "../../../src/reward-server/join-server.ts";

test("a silent server is asked twice by the window and twice by the new server, and replaced", async () => {
  const home = await mkdtemp(join(tmpdir(), "codescaler-silent-"));
  let asked = 0;
  const listener = createServer((socket) => {
    asked += 1;
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const lease: Lease = { version: VERSION, pid: process.pid, port, token: "s".repeat(43), device: "cpu" };
  const folder = ownRuntimeFolder({ ...process.env, CODESCALER_HOME: home });
  const command = {
    execPath: process.execPath,
    script: serverScript,
    args: ["serve", "--shared", "--device", "cpu", "--exit-after", "2"],
    folder,
    env: { CODESCALER_HOME: home },
  };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, LEASE_FILE), JSON.stringify(lease), { mode: 0o600 });
  const started: number[] = [];
  const joined = await joinOrStart({
    command,
    version: VERSION,
    replaces: undefined,
    signal: new AbortController().signal,
    events: { onPresence: () => {}, onEnd: () => {} },
    onStart: ({ pid }) => started.push(pid ?? 0),
  });
  expect(joined.lease.pid).toBe(started[0]);
  expect(started).toHaveLength(1);
  expect(asked).toBe(4);
  joined.destroy();
  listener.close();
  process.kill(joined.lease.pid);
  await rm(home, { recursive: true, force: true, maxRetries: 20 });
});
