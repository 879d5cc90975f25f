/** Pulls in processes that are killed, stopped, starved, and that meet. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { takeLock } from "../../../../server/files/file-lock.ts";
import { verifyModel } from "../../../../server/models/verify-model.ts";
import { type TinyOptions, temporaryFolder } from "../../../helpers/checkpoints.ts";
import { bundled } from "../../../helpers/child.ts";
import type { Fault } from "../../../helpers/hub/hub.ts";
import { COMMIT, ID, NAME, PullSetting, refusal } from "../../../helpers/pulling.ts";

vi.setConfig({ testTimeout: 60_000 });

let on: PullSetting;
beforeEach(async () => {
  on = await PullSetting.start();
});
afterEach(async () => {
  await on.server.close();
});

describe("processes", () => {
  /** Pulls in a process of its own; reports steps as lines on stdout, the failure on stderr. */
  const PULL = `
    import { pull } from "./server/models/hub/pull-checkpoint.ts";
    const hub = { endpoint: process.env.HUB, token: undefined, retryMs: 1, silenceMs: 5000 };
    pull(${JSON.stringify(ID)}, {
      hub, folder: process.env.FOLDER, type: "f32", signal: new AbortController().signal,
      onProgress: ({ step, done }) => process.stdout.write(step + " " + done + "\\n"),
    }).then(
      () => process.stdout.write("end\\n"),
      (error) => { process.stderr.write(error.message); process.exitCode = 1; },
    );
  `;
  /** The command line in a process of its own. */
  const COMMAND = `
    import { run } from "./server/cli/models/pull.ts";
    run(process.argv.slice(2)).catch((error) => { process.stderr.write(error.message); process.exitCode = 1; });
  `;
  const SLOW: Fault = { kind: "slow", piece: 20_000, ms: 5 };
  const LARGER: TinyOptions = { shape: { layers: 4, hidden: 256, headDim: 32, feedForward: 1024 } };

  test.each<[string, RegExp, Fault | undefined]>([
    ["while downloading", /^download [1-9]/m, SLOW],
    ["while converting", /^weights/m, undefined],
    ["while checking", /^check/m, undefined],
  ])(
    "one killed %s leaves no model; the next takes over and cleans up",
    async (_when, sign, fault) => {
      on.serve(LARGER);
      on.weights(() => fault);
      const child = spawn(process.execPath, [await bundled(PULL)], {
        env: { ...process.env, HUB: on.server.endpoint, FOLDER: on.folder },
        stdio: ["ignore", "pipe", "inherit"],
      });
      let text = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (sign.test(text)) child.kill("SIGKILL");
      });
      await once(child, "close");
      expect(text).toMatch(sign);
      // It may have been quicker than the signal; then there is a complete model.
      if (!text.includes("end")) {
        for (const file of on.installed()) await verifyModel(join(on.folder, file));
        on.heal();
        await on.pull();
      }
      expect(on.installed()).toEqual([`${NAME}.gguf`]);
      expect(readdirSync(on.folder).filter((file) => file.endsWith(".partial"))).toEqual([]);
      expect(on.downloads()).toEqual([]);
      await verifyModel(join(on.folder, `${NAME}.gguf`));
    },
    60_000,
  );

  test("killed again and again on its way, it never goes back", async () => {
    const { files } = on.serve(LARGER);
    on.weights(() => ({ kind: "slow", piece: 200_000, ms: 10 }));
    const size = files.get("model.safetensors")?.content.byteLength ?? 0;
    const script = await bundled(PULL);
    const at = (step: string, share: number) => (line: string) => {
      const [name, done] = line.split(" ");
      return name === step && Number(done) > share * size;
    };
    // The steps of a pull, and how far each process may come. The result is as large as the source.
    const limits = [0.2, 0.5, 0.9].map((share) => at("download", share));
    limits.push(at("weights", 0), at("weights", 0.6), at("check", 0), () => false);
    let kept = 0;
    for (const [index, limit] of limits.entries()) {
      const child = spawn(process.execPath, [script], {
        env: { ...process.env, HUB: on.server.endpoint, FOLDER: on.folder },
        stdio: ["ignore", "pipe", "inherit"],
      });
      const closed = once(child, "close");
      let first: number | undefined;
      for await (const line of createInterface({ input: child.stdout })) {
        if (line.startsWith("download")) first ??= Number(line.split(" ")[1]);
        if (limit(line)) child.kill("SIGKILL");
      }
      await closed;
      // What an earlier process had received is there at once, but for what was still on its way to the disk.
      expect(first).toBeGreaterThanOrEqual(kept);
      kept = Math.max(kept, Math.floor(([0.2, 0.5, 0.9][index] ?? 1) * size));
      // The last one ends by itself; one that was converting may have been quicker than the signal.
      if (on.installed().length === 0) continue;
      expect(index).toBeGreaterThanOrEqual(3);
      break;
    }
    on.heal();
    await on.pull();
    const { facts } = await verifyModel(join(on.folder, `${NAME}.gguf`));
    expect(facts.revision).toBe(COMMIT);
    expect(readdirSync(on.folder).sort()).toEqual([".downloads", `${NAME}.gguf`]);
    expect(on.downloads()).toEqual([]);
  });

  test.each<[string, (child: ChildProcess) => void]>([
    ["Ctrl-C", (child) => child.kill("SIGINT")],
    ["the end of its parent's pipe", (child) => child.stdin?.end()],
  ])(
    "%s stops the command with one sentence, lets go of the lock and keeps what came",
    async (_what, stop) => {
      on.serve(LARGER);
      on.weights(() => SLOW);
      const args = [NAME, "--exit-with-stdin", "--progress", "json"];
      const child = spawn(process.execPath, [await bundled(COMMAND), ...args], {
        env: {
          ...process.env,
          HF_ENDPOINT: on.server.endpoint,
          HF_TOKEN: "",
          CODESCALER_HOME: join(on.folder, ".."),
        },
        stdio: ["pipe", "pipe", "pipe"],
      });
      let text = "";
      let stopped = false;
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        if (stopped || !/"download","done":[1-9]/.test(text)) return;
        stopped = true;
        stop(child);
      });
      const [code] = await once(child, "close");
      expect(code).toBe(1);
      expect(text.split("\n").at(-1)).toBe("The download was stopped. The same command continues it.");
      expect(on.installed()).toEqual([]);
      expect(on.downloads()).toEqual(["LARK-Lab--CodeScaler-1.7B"]);
    },
    60_000,
  );

  test("a disk that takes no more bytes is named; what came stays for the next try", async () => {
    // 32 KiB a file: the kernel refuses the write half-way, as a full disk or a quota does.
    const limited = ["-c", 'ulimit -f 32; exec "$0" "$@"', process.execPath, await bundled(PULL)];
    const child = spawn("bash", limited, {
      env: { ...process.env, HUB: on.server.endpoint, FOLDER: on.folder },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    await once(child, "close");
    expect(text).toMatch(/model.safetensors.part cannot be written: the file would be larger than this disk/);
    expect(on.installed()).toEqual([]);
    on.server.seen.length = 0;
    await on.pull();
    expect(on.ranges()).toEqual([`bytes=${32 * 1024}-`]);
  }, 60_000);

  test("two at once: the second says who is at it and touches nothing", async () => {
    on.weights(() => ({ kind: "slow", piece: 5000, ms: 3 }));
    const first = on.pull();
    while (!on.server.seen.some(({ where }) => where === "cdn"))
      await new Promise((done) => setImmediate(done));
    expect(await refusal(on.pull())).toMatch(/is being downloaded by another window or terminal/);
    expect((await first).fetched).toBe(true);
  });
});

describe("the lock", () => {
  test("is held once, released, and taken again", async () => {
    const path = join(temporaryFolder(), "lock");
    const lock = await takeLock(path);
    expect(await takeLock(path)).toBeUndefined();
    await lock?.release();
    expect(existsSync(path)).toBe(false);
    expect(await takeLock(path)).toBeDefined();
  });

  test("of a dead process, or one that is silent for long, is taken over", async () => {
    const path = join(temporaryFolder(), "lock");
    const dead = spawn(process.execPath, ["-e", ""]);
    await once(dead, "exit");
    writeFileSync(path, `${dead.pid} x`);
    expect(await takeLock(path)).toBeDefined();
    const silent = join(temporaryFolder(), "lock");
    writeFileSync(silent, `${process.pid} x`);
    expect(await takeLock(silent)).toBeUndefined();
    utimesSync(silent, new Date(0), new Date(0));
    expect(await takeLock(silent)).toBeDefined();
  });

  test("goes to one of many that want it at once", async () => {
    const path = join(temporaryFolder(), "lock");
    const taken = await Promise.all(Array.from({ length: 20 }, () => takeLock(path)));
    expect(taken.filter((lock) => lock !== undefined)).toHaveLength(1);
  });
});
