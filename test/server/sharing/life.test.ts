/** How the server starts and ends: ports, parents, signals. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mediaFolder, serverScript } from "../../../server/files/package-files.ts";
import { call, codescaler, serve, TOKEN } from "../../helpers/server-process.ts";

async function waitUntilGone(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`process ${pid} lives on`);
}

test("the ready line comes once it answers, and holds a token only when the server made it", async () => {
  const given = await serve();
  expect(given.ready).toMatchObject({ pid: given.child.pid, model: "nano" });
  expect(given.ready.token).toBeUndefined();
  expect((await given.call("GET", "/health")).status).toBe(200);
  await given.stop();

  const made = await serve([], { CODESCALER_TOKEN: "" });
  expect(made.ready.token).toMatch(/^[\w-]{40,}$/);
  const { status } = await call(made.ready.url, "GET", "/health", undefined, {
    authorization: `Bearer ${made.ready.token}`,
  });
  expect(status).toBe(200);
  await made.stop();
});

test("a port in use is named, with the way out", async () => {
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  const address = blocker.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const { code, stdout, stderr } = await codescaler(["serve", "--device", "cpu", "--port", String(port)]);
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(stderr).toMatch(new RegExp(`Port ${port} is in use`));
  blocker.close();
});

test("an owned server ends when its parent's end of stdin closes", async () => {
  const server = await serve(["--exit-with-stdin"]);
  server.child.stdin?.end();
  const [code] = await once(server.child, "exit");
  expect(code).toBe(0);
});

test("an owned server ends when its parent is killed with -9", async () => {
  // The parent starts the server, prints its pid, and then only waits.
  const parent = spawn(
    process.execPath,
    [
      "-e",
      `const { spawn } = require("node:child_process");
     const child = spawn(process.execPath, [${JSON.stringify(serverScript)}, "serve", "--device", "cpu", "--exit-with-stdin"], { stdio: ["pipe", "pipe", "ignore"] });
     child.stdout.once("data", (line) => process.stdout.write(line));
     setInterval(() => {}, 1000);`,
    ],
    { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, CODESCALER_TOKEN: TOKEN } },
  );
  const [line] = await once(parent.stdout, "data");
  const { pid }: { pid: number } = JSON.parse(String(line));
  parent.kill("SIGKILL");
  await waitUntilGone(pid);
});

test("killed with -9 in the middle of a request, it leaves a clear failure and nothing behind", async () => {
  const server = await serve();
  const work = server
    .call("POST", "/v1/rank", {
      task: { question: "Keep busy." },
      candidates: Array.from({ length: 128 }, (_, index) => ({
        id: String(index),
        text: `def f${index}(a):\n${`    a += ${index}\n`.repeat(100)}`,
      })),
    })
    .catch((error: NodeJS.ErrnoException) => error.code);
  await new Promise((resolve) => setTimeout(resolve, 200));
  server.child.kill("SIGKILL");
  expect(["ECONNRESET", "EPIPE", "ECONNREFUSED"]).toContain(await work);
  await waitUntilGone(server.ready.pid);
  const again = await serve();
  expect((await again.call("GET", "/health")).status).toBe(200);
  await again.stop();
});

test("a signal ends it while it works", async () => {
  const server = await serve();
  const work = server
    .call("POST", "/v1/rank", {
      task: { question: "Keep busy." },
      candidates: Array.from({ length: 200 }, (_, index) => ({
        id: String(index),
        text: `def f${index}(a):\n${`    a += ${index}\n`.repeat(100)}`,
      })),
    })
    .catch((error: NodeJS.ErrnoException) => error.code);
  await new Promise((resolve) => setTimeout(resolve, 200));
  server.child.kill("SIGTERM");
  const [code] = await once(server.child, "exit");
  expect(code).toBe(0);
  // The client is told, not cut off.
  expect(await work).toMatchObject({
    status: 503,
    headers: { "retry-after": "2" },
    json: { error: { code: "restarting" } },
  });
});

test.runIf(existsSync("/dev/full"))("a full disk under its log does not end it", async () => {
  const full = openSync("/dev/full", "a");
  const child = spawn(process.execPath, [serverScript, "serve", "--device", "cpu", "--exit-after", "1"], {
    stdio: ["ignore", "pipe", full],
    env: { ...process.env, CODESCALER_TOKEN: TOKEN },
  });
  closeSync(full);
  if (!child.stdout) throw new Error("the process has no stdout");
  const [line] = await once(child.stdout, "data");
  const { url }: { url: string } = JSON.parse(String(line));
  expect((await call(url, "GET", "/health")).status).toBe(200);
  // And nobody uses it.
  expect(await once(child, "exit")).toEqual([0, null]);
});

/** The model files that a process has in memory. */
async function mappedModels(pid: number): Promise<string[]> {
  const maps = await readFile(`/proc/${pid}/maps`, "utf8");
  return [...new Set(maps.match(/m[abc]\.gguf$/gm))];
}

test("models that are switched while a client goes away leave the server alive", async () => {
  const home = await mkdtemp(join(tmpdir(), "codescaler-switch-"));
  const names = ["ma", "mb", "mc"];
  const folder = join(home, "models");
  await mkdir(folder);
  for (const name of names) await copyFile(join(mediaFolder, "nano.gguf"), join(folder, `${name}.gguf`));
  await writeFile(join(folder, "broken.gguf"), "no model");
  const server = await serve(["--model", "nano"], { CODESCALER_HOME: home });
  const small = (model: string) => ({
    model,
    task: { question: "Add." },
    candidates: [{ id: "1", text: "x = 1" }],
  });
  const large = (model: string) => ({
    ...small(model),
    candidates: Array.from({ length: 64 }, (_, index) => ({
      id: String(index),
      text: `def f${index}(a):\n${`    a += ${index}\n`.repeat(60)}`,
    })),
  });
  for (let round = 0; round < 3; round++) {
    const controller = new AbortController();
    const gone = fetch(new URL("/v1/rank", server.ready.url), {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(large("ma")),
      signal: controller.signal,
    }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 400));
    controller.abort();
    const others = [
      server.call("POST", "/v1/rank", small("mb")),
      server.call("POST", "/v1/rank", small("mc")),
    ];
    for (const reply of await Promise.all(others)) expect(reply.status, reply.text).toBe(200);
    await gone;
  }
  // However many are asked for at once, no more than two are in memory: the one that works, and the next.
  let left = names.length;
  const busy = names.map(async (model) => {
    const reply = await server.call("POST", "/v1/rank", large(model));
    left--;
    return reply;
  });
  while (process.platform === "linux" && left > 0) {
    expect((await mappedModels(server.ready.pid)).length).toBeLessThanOrEqual(2);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const reply of await Promise.all(busy)) expect(reply.status, reply.text).toBe(200);
  // A file that is no model does not push out the one that works.
  const before = await server.call("GET", "/health");
  expect((await server.call("POST", "/v1/rank", small("broken"))).status).toBe(422);
  expect((await server.call("GET", "/health")).json).toMatchObject({
    model: Reflect.get(Object(before.json), "model"),
  });
  await server.stop();
  await rm(home, { recursive: true });
});
