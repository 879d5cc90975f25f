/** From the Hub to an installed model, with everything that stops it on the way; processes are really killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { run as models } from "../../../server/cli/models.ts";
import { ServiceError } from "../../../server/errors.ts";
import { takeLock } from "../../../server/models/file-lock.ts";
import type { Hub } from "../../../server/models/hub-request.ts";
import { type PullOptions, pull, pullTarget } from "../../../server/models/pull.ts";
import { removeModel } from "../../../server/models/remove.ts";
import { unfinishedDownloads } from "../../../server/models/staging.ts";
import { openStore } from "../../../server/models/store.ts";
import { verifyModel } from "../../../server/models/verify.ts";
import { type Fault, type HubServer, type Repository, repositoryOf, startHub } from "../../hub/hub.ts";
import { type TinyOptions, temporaryFolder, tinyCheckpoint } from "./checkpoints.ts";
import { bundled } from "./child.ts";

/** A repository of the catalogue, so that its name and family come from there. */
const ID = "LARK-Lab/CodeScaler-1.7B";
const NAME = "codescaler-1.7b";
const COMMIT = "c".repeat(40);

let server: HubServer;
let folder: string;
beforeEach(async () => {
  server = await startHub();
  folder = join(temporaryFolder(), "models");
  serve();
});
afterEach(async () => {
  await server.close();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function serve(options: TinyOptions = {}, id = ID, commit = COMMIT): Repository {
  const repository = repositoryOf(tinyCheckpoint("qwen3", options).folder, "lfs", commit);
  server.repositories.set(id, repository);
  return repository;
}

const hub = (): Hub => ({ endpoint: server.endpoint, token: undefined, retryMs: 1, silenceMs: 5000 });
const start = (more: Partial<PullOptions> = {}, wanted = ID) =>
  pull(wanted, { hub: hub(), folder, type: "f32", signal: new AbortController().signal, ...more });

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => new Error("it worked"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof ServiceError)) throw error;
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error.message;
}

const downloads = () =>
  existsSync(join(folder, ".downloads")) ? readdirSync(join(folder, ".downloads")) : [];
const installed = () => readdirSync(folder).filter((file) => file.endsWith(".gguf"));
const weights = () => server.seen.filter(({ where }) => where === "cdn").map(({ range }) => range ?? "whole");
const always = (path: string, fault: Fault) => {
  server.fault = (request) => (request.path.includes(path) ? fault : undefined);
};
const cdn = (times: number, fault: Fault) => {
  let count = 0;
  server.fault = (request) => (request.where === "cdn" && count++ < times ? fault : undefined);
};

describe("pull", () => {
  test("installs a model of the catalogue under its name, and leaves nothing else", async () => {
    const steps = new Set<string>();
    const { name, facts, fetched } = await start({ onProgress: ({ step }) => steps.add(step) }, NAME);
    expect({ name, fetched }).toEqual({ name: NAME, fetched: true });
    expect(facts).toMatchObject({ family: "codescaler", source: ID, revision: COMMIT, type: "f32" });
    expect([...steps]).toEqual(["download", "weights", "check"]);
    expect((await openStore(temporaryFolder(), folder).find(NAME))?.path).toBe(facts.path);
    expect((await verifyModel(facts.path)).facts.revision).toBe(COMMIT);
    expect(readdirSync(folder).sort()).toEqual([".downloads", `${NAME}.gguf`]);
    expect(downloads()).toEqual([]);
  });

  test("never takes more of the disk than the download and the result together", async () => {
    const repository = serve({ shape: { layers: 6, hidden: 128 } });
    let most = 0;
    const bytes = (path: string): number =>
      statSync(path).isDirectory()
        ? readdirSync(path).reduce((sum, name) => sum + bytes(join(path, name)), 0)
        : statSync(path).size;
    const { facts } = await start({
      type: "q8_0",
      onProgress: () => {
        most = Math.max(most, bytes(folder));
      },
    });
    const source = [...repository.files.values()].reduce((sum, { content }) => sum + content.byteLength, 0);
    // The plan and the lock have some hundred bytes.
    expect(most).toBeLessThan(source + facts.fileBytes + 4096);
    expect(most).toBeGreaterThan(source);
    expect(bytes(folder)).toBe(facts.fileBytes);
  });

  test("any other repository of the Hub is installed under its own name", async () => {
    serve({}, "Some-One/My.Reward_Model");
    const { name, facts } = await start({ type: "q8_0" }, "Some-One/My.Reward_Model");
    expect(name).toBe("my.reward_model");
    expect(facts).toMatchObject({ type: "q8_0", source: "Some-One/My.Reward_Model" });
    expect((await start({ name: "second" }, "Some-One/My.Reward_Model")).facts.path).toBe(
      join(folder, "second.gguf"),
    );
  });

  test("fetches only what the conversion reads", async () => {
    const repository = serve();
    const files = new Map([
      ...repository.files,
      ["pytorch_model.bin", { content: Buffer.alloc(100), storage: "lfs" as const }],
      ["modeling.py", { content: Buffer.from("import os"), storage: "git" as const }],
    ]);
    server.repositories.set(ID, { ...repository, files });
    await start();
    expect(server.seen.some(({ path }) => /pytorch_model|modeling/.test(path))).toBe(false);
  });

  test("what is installed already is not fetched again; another type or commit is", async () => {
    await start();
    expect((await start()).fetched).toBe(false);
    expect((await start({ type: "q8_0" })).fetched).toBe(true);
    serve({}, ID, "d".repeat(40));
    expect(await start({ type: "q8_0" })).toMatchObject({
      fetched: true,
      facts: { revision: "d".repeat(40) },
    });
    expect(installed()).toEqual([`${NAME}.gguf`]);
  });

  test("a commit can be chosen, an unknown one is said so", async () => {
    expect((await start({ revision: COMMIT })).facts.revision).toBe(COMMIT);
    expect(await refusal(start({ revision: "v9" }))).toMatch(/has no such revision/);
    expect(await refusal(start({ revision: "../../main" }))).toMatch(/is no branch, tag or commit/);
  });

  test.each([
    ["nothing-like-it", /There is no model "nothing-like-it" to pull. Known are codescaler-1.7b, /],
    ["../../etc/passwd", /There is no model/],
    ["a/../b", /There is no model/],
    ["a--b/c", /There is no model/],
    ["https://huggingface.co/a/b", /There is no model/],
  ])("%s is no name of a model", (wanted, sentence) => {
    expect(() => pullTarget(wanted)).toThrow(sentence);
  });

  test.each(["nano", "../x", "a/b", ".hidden", "Über", "con\0"])(
    "nothing is installed as %j",
    async (name) => {
      expect(await refusal(start({ name }))).toMatch(/cannot be (a model's name|replaced)/);
      expect(existsSync(folder)).toBe(false);
    },
  );
});

describe("a pull that is stopped", () => {
  test("by a cut connection goes on by itself", async () => {
    cdn(3, { kind: "cut", after: 20_000 });
    await start();
    expect(weights().length).toBeGreaterThanOrEqual(4);
    expect((await verifyModel(join(folder, `${NAME}.gguf`))).facts.type).toBe("f32");
  });

  test("for good keeps what came, and the next one continues there", async () => {
    brokenWeights(30_000);
    expect(await refusal(start())).toMatch(/in trouble \(status 503\). Run the same command again later/);
    expect(installed()).toEqual([]);
    const [unfinished] = await unfinishedDownloads(folder);
    expect(unfinished).toMatchObject({ repository: ID });
    server.seen.length = 0;
    server.fault = () => undefined;
    await start();
    expect(weights()).toContain("bytes=30000-");
    expect(await unfinishedDownloads(folder)).toEqual([]);
  });

  test("with a new commit on the Hub keeps the files that did not change, and no others", async () => {
    const before = serve();
    // tokenizer.json is complete when the weights fail.
    always(".safetensors", { kind: "reply", status: 404 });
    await refusal(start());
    const changed = new Map(before.files);
    changed.set(
      "model.safetensors",
      repositoryOf(tinyCheckpoint("qwen3", { change: other }).folder).files.get("model.safetensors") ??
        never(),
    );
    server.repositories.set(ID, { commit: "e".repeat(40), files: changed });
    writeFileSync(
      join(folder, ".downloads", "LARK-Lab--CodeScaler-1.7B", "model.safetensors.part"),
      "old bytes",
    );
    server.fault = () => undefined;
    server.seen.length = 0;
    expect((await start()).facts.revision).toBe("e".repeat(40));
    expect(weights()).toEqual(["whole"]);
    expect(server.seen.some(({ path }) => path.endsWith("tokenizer.json"))).toBe(false);
  });

  test.each<[string, string, Fault, RegExp]>([
    ["a web page instead of weights", ".safetensors", page(), /sent a web page instead of model.safetensors/],
    ["a web page instead of a small file", "config.json", page(), /sent a web page instead of/],
    ["a missing file", ".safetensors", { kind: "reply", status: 404 }, /knows no LARK-Lab/],
    [
      "a wait of an hour",
      ".safetensors",
      { kind: "reply", status: 429, headers: { "Retry-After": "3600" } },
      /asks to wait 60 minutes/,
    ],
  ])(
    "%s: nothing is installed, the old model stays, a second try works",
    async (_what, path, fault, sentence) => {
      await start({ type: "q8_0" });
      const old = readFileSync(join(folder, `${NAME}.gguf`));
      always(path, fault);
      expect(await refusal(start({ type: "f16" }))).toMatch(sentence);
      expect(readFileSync(join(folder, `${NAME}.gguf`)).equals(old)).toBe(true);
      server.fault = () => undefined;
      expect((await start({ type: "f16" })).facts.type).toBe("f16");
    },
  );

  test("a wrong hash is never converted", async () => {
    cdn(99, { kind: "corrupt", at: 50_000 });
    expect(await refusal(start())).toMatch(/came with a wrong hash/);
    expect(installed()).toEqual([]);
  });

  test("a file that was damaged on the disk in between is found out", async () => {
    const part = join(folder, ".downloads", "LARK-Lab--CodeScaler-1.7B", "model.safetensors.part");
    brokenWeights(30_000);
    await refusal(start());
    expect(statSync(part).size).toBe(30_000);
    writeFileSync(part, Buffer.alloc(statSync(part).size, 7));
    server.fault = () => undefined;
    expect((await start()).fetched).toBe(true);
  });

  test("by Ctrl-C: the old state stays, the next one continues", async () => {
    const controller = new AbortController();
    const reason = new ServiceError("cancelled", "Stopped.");
    onWeights((nth) => (nth === 1 ? { kind: "slow", piece: 5000, ms: 2 } : undefined));
    const work = start({
      signal: controller.signal,
      onProgress: ({ step, done }) => {
        if (step === "download" && done > 20_000) controller.abort(reason);
      },
    });
    await expect(work).rejects.toBe(reason);
    expect(installed()).toEqual([]);
    await start();
    expect(weights().at(-1)).toMatch(/^bytes=\d+-$/);
  });
});

describe("what cannot become a model", () => {
  test.each<[string, TinyOptions, RegExp]>([
    [
      "another class",
      { change: ({ config }) => (config["architectures"] = ["Qwen3ForCausalLM"]) },
      /names the class "Qwen3ForCausalLM", which is no reward model/,
    ],
    [
      "an unknown tokenizer",
      { change: ({ tokenizer }) => (tokenizer["pre_tokenizer"] = null) },
      /tokenizer.json/,
    ],
  ])("%s is refused before the weights are fetched, and leaves nothing", async (_what, options, sentence) => {
    serve(options);
    expect(await refusal(start())).toMatch(sentence);
    expect(server.seen.some(({ path }) => path.includes(".safetensors"))).toBe(false);
    expect(downloads()).toEqual([]);
  });

  test("a repository without safetensors", async () => {
    const { files, commit } = serve();
    const left = new Map([...files].filter(([path]) => !path.endsWith(".safetensors")));
    server.repositories.set(ID, { commit, files: left });
    expect(await refusal(start())).toMatch(/Only safetensors can be pulled/);
  });

  test.each([
    "../../evil.safetensors",
    "/etc/evil.safetensors",
    "..\\evil.safetensors",
    "absent.safetensors",
    5,
  ])("an index that names %j is refused, even when the Hub lists such a file", async (part) => {
    const { files, commit } = serve();
    const index = Buffer.from(JSON.stringify({ weight_map: { "score.weight": part } }));
    const evil = { content: Buffer.from("evil"), storage: "lfs" as const };
    const more = new Map([
      ...files,
      ["model.safetensors.index.json", { content: index, storage: "git" as const }],
      ...(part === "absent.safetensors" ? [] : [[String(part), evil] as const]),
    ]);
    server.repositories.set(ID, { commit, files: more });
    expect(await refusal(start())).toMatch(/which its index names/);
    expect(server.seen.some(({ path }) => path.includes("evil"))).toBe(false);
    expect(readdirSync(join(folder, "..", ".."))).not.toContain("evil.safetensors");
  });

  test("more than fits on the disk is refused before it is fetched", async () => {
    const { files, commit } = serve();
    server.repositories.set(ID, { commit, files });
    // The listing claims a size that no disk has.
    const huge = 2 ** 52;
    const listing = [...files].map(([path, { content }]) => ({
      type: "file",
      path,
      oid: "0".repeat(40),
      size: content.byteLength,
      lfs: path === "model.safetensors" ? { oid: "0".repeat(64), size: huge } : undefined,
    }));
    const truth = await (await fetch(`${server.endpoint}/api/models/${ID}/tree/${COMMIT}`)).json();
    const real = new Map(
      (truth as { path: string; oid: string; lfs?: unknown }[]).map((one) => [one.path, one]),
    );
    const body = JSON.stringify(
      listing.map((one) => (one.path === "model.safetensors" ? one : real.get(one.path))),
    );
    always("/tree/", { kind: "reply", status: 200, body, headers: { "Content-Type": "application/json" } });
    expect(await refusal(start())).toMatch(/codescaler-1.7b.gguf needs .* GB and its disk has/);
    expect(server.seen.some(({ path }) => path.includes(".safetensors"))).toBe(false);
  });
});

describe("processes", () => {
  /** Pulls in a process of its own; reports steps as lines on stdout, the failure on stderr. */
  const PULL = `
    import { pull } from "./server/models/pull.ts";
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
    import { run } from "./server/cli/models-pull.ts";
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
      serve(LARGER);
      onWeights(() => fault);
      const child = spawn(process.execPath, [await bundled(PULL)], {
        env: { ...process.env, HUB: server.endpoint, FOLDER: folder },
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
        for (const file of installed()) await verifyModel(join(folder, file));
        server.fault = () => undefined;
        await start();
      }
      expect(installed()).toEqual([`${NAME}.gguf`]);
      expect(readdirSync(folder).filter((file) => file.endsWith(".partial"))).toEqual([]);
      expect(downloads()).toEqual([]);
      await verifyModel(join(folder, `${NAME}.gguf`));
    },
    60_000,
  );

  test.each<[string, (child: ChildProcess) => void]>([
    ["Ctrl-C", (child) => child.kill("SIGINT")],
    ["the end of its parent's pipe", (child) => child.stdin?.end()],
  ])(
    "%s stops the command with one sentence, lets go of the lock and keeps what came",
    async (_what, stop) => {
      serve(LARGER);
      onWeights(() => SLOW);
      const args = [NAME, "--exit-with-stdin", "--progress", "json"];
      const child = spawn(process.execPath, [await bundled(COMMAND), ...args], {
        env: {
          ...process.env,
          HF_ENDPOINT: server.endpoint,
          HF_TOKEN: "",
          CODESCALER_HOME: join(folder, ".."),
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
      expect(installed()).toEqual([]);
      expect(downloads()).toEqual(["LARK-Lab--CodeScaler-1.7B"]);
    },
    60_000,
  );

  test("a disk that takes no more bytes is named; what came stays for the next try", async () => {
    // 32 KiB a file: the kernel refuses the write half-way, as a full disk or a quota does.
    const limited = ["-c", 'ulimit -f 32; exec "$0" "$@"', process.execPath, await bundled(PULL)];
    const child = spawn("bash", limited, {
      env: { ...process.env, HUB: server.endpoint, FOLDER: folder },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    await once(child, "close");
    expect(text).toMatch(/model.safetensors.part cannot be written: the file would be larger than this disk/);
    expect(installed()).toEqual([]);
    server.seen.length = 0;
    await start();
    expect(weights()).toEqual([`bytes=${32 * 1024}-`]);
  }, 60_000);

  test("two at once: the second says who is at it and touches nothing", async () => {
    onWeights(() => ({ kind: "slow", piece: 5000, ms: 3 }));
    const first = start();
    while (!server.seen.some(({ where }) => where === "cdn")) await new Promise((done) => setImmediate(done));
    expect(await refusal(start())).toMatch(/is being downloaded by another window or terminal/);
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

describe("remove", () => {
  test("deletes a model and what is left of its download, by any of its names", async () => {
    const store = openStore(temporaryFolder(), folder);
    await start();
    expect(await removeModel(store, NAME)).toMatchObject({ what: ["model"] });
    cdn(99, { kind: "reply", status: 404 });
    await refusal(start());
    expect(downloads()).not.toEqual([]);
    expect(await removeModel(store, ID)).toMatchObject({ what: ["download"] });
    expect(downloads()).toEqual([]);
    expect(await refusal(removeModel(store, NAME))).toMatch(/No model named "codescaler-1.7b" is installed/);
  });

  test("never touches embedded models or other files", async () => {
    const media = temporaryFolder();
    writeFileSync(join(media, "nano.gguf"), "x");
    const store = openStore(media, folder);
    expect(await refusal(removeModel(store, "nano"))).toMatch(/comes with CodeScaler/);
    expect(await refusal(removeModel(store, "../media/nano"))).toMatch(/No model named/);
    expect(existsSync(join(media, "nano.gguf"))).toBe(true);
  });
});

describe("the command line", () => {
  let stdout = "";
  let stderr = "";
  beforeEach(() => {
    stdout = "";
    stderr = "";
    vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
      stdout += chunk;
      return true;
    });
    vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
      stderr += chunk;
      return true;
    });
    const home = temporaryFolder();
    folder = join(home, "models");
    vi.stubEnv("CODESCALER_HOME", home);
    vi.stubEnv("HF_ENDPOINT", server.endpoint);
    vi.stubEnv("HF_TOKEN", "");
  });

  test("pull, list and remove work on one another's results", async () => {
    expect(await models(["pull", NAME, "--type", "bf16"])).toBe(0);
    expect(stdout).toMatch(
      /^codescaler-1.7b is installed: LARK-Lab\/CodeScaler-1.7B \(c+\), family codescaler, bf16/,
    );
    expect(stderr).toMatch(
      /Downloading 100 % of 1 MB\n.*Converting \d+ % of 1 MB\n.*Checking 100 % of 1 MB\n/s,
    );
    stdout = "";
    expect(await models(["pull", NAME, "--type", "bf16", "--json"])).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ id: NAME, fetched: false, type: "bf16" });

    stdout = "";
    await models(["list", "--json"]);
    const listed: { id: string; installed: boolean }[] = JSON.parse(stdout);
    expect(listed.filter(({ id }) => id === NAME)).toEqual([
      expect.objectContaining({ installed: true, source: ID }),
    ]);
    expect(listed.find(({ id }) => id === "codescaler-8b")).toMatchObject({
      installed: false,
      repository: "LARK-Lab/CodeScaler-8B",
      licence: "MIT",
    });

    stdout = "";
    expect(await models(["remove", NAME])).toBe(0);
    expect(stdout).toMatch(/^codescaler-1.7b: removed the model, 1 MB freed.\n$/);
    expect(installed()).toEqual([]);
  });

  test("progress for a program is lines of JSON", async () => {
    await models(["pull", NAME, "--progress", "json", "--json"]);
    const lines = stderr
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ step: "download" }));
    expect(lines.at(-1)).toMatchObject({ step: "check" });
    expect(stdout.trim().split("\n")).toHaveLength(1);
  });

  test("list shows a download that was begun, and recommends", async () => {
    cdn(99, { kind: "reply", status: 404 });
    await refusal(models(["pull", NAME]));
    stdout = "";
    await models(["list", "--language", "py"]);
    expect(stdout).toMatch(/codescaler-1.7b +3.5 GB \(begun\)/);
    expect(stdout).toContain(`The download of ${ID} is not finished`);
    expect(stdout).toMatch(/^(Recommended: \S+ as \S+ \(|None of them fits)/m);
  });

  test.each([
    [["pull"], /needs the name of a model/],
    [["pull", "a/b", "--type", "q5"], /--type must be/],
    [["list", "--language", "cobol"], /--language must be/],
    [["remove"], /needs the name of a model/],
    [["import"], /needs a folder or a GGUF/],
  ])("%j is wrong usage", async (args, sentence) => {
    await expect(models([...args])).rejects.toThrow(sentence);
  });
});

/** Spoils requests for the weights; the first is number 1. */
function onWeights(fault: (nth: number) => Fault | undefined): void {
  const content = server.repositories.get(ID)?.files.get("model.safetensors")?.content ?? never();
  const hash = createHash("sha256").update(content).digest("hex");
  server.fault = (request, nth) =>
    request.where === "cdn" && request.path.endsWith(hash) ? fault(nth) : undefined;
}

/** The first request for the weights brings so many bytes, all further ones nothing. */
function brokenWeights(bytes: number): void {
  onWeights((nth) => (nth === 1 ? { kind: "cut", after: bytes } : { kind: "reply", status: 503 }));
}

function page(): Fault {
  return {
    kind: "reply",
    status: 200,
    headers: { "Content-Type": "text/html" },
    body: "<html>log in</html>",
  };
}

function other({ tensors }: { readonly tensors: Record<string, { readonly data: Uint8Array }> }): void {
  tensors["score.weight"]?.data.fill(0);
}

function never(): never {
  throw new Error("the file is missing");
}
