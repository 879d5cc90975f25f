/** From the Hub to an installed model, with everything that stops it on the way. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ServiceError } from "../../../../server/errors.ts";
import { pullTarget } from "../../../../server/models/hub/pull-checkpoint.ts";
import { unfinishedDownloads } from "../../../../server/models/hub/staging.ts";
import { openStore } from "../../../../server/models/store.ts";
import { verifyModel } from "../../../../server/models/verify-model.ts";
import { type TinyOptions, temporaryFolder, tinyCheckpoint } from "../../../helpers/checkpoints.ts";
import { type Fault, repositoryOf } from "../../../helpers/hub/hub.ts";
import { COMMIT, ID, NAME, PullSetting, refusal } from "../../../helpers/pulling.ts";

vi.setConfig({ testTimeout: 60_000 });

let on: PullSetting;
beforeEach(async () => {
  on = await PullSetting.start();
});
afterEach(async () => {
  await on.server.close();
});

describe("pull", () => {
  test("installs a model of the catalogue under its name, and leaves nothing else", async () => {
    const steps = new Set<string>();
    const { name, facts, fetched } = await on.pull({ onProgress: ({ step }) => steps.add(step) }, NAME);
    expect({ name, fetched }).toEqual({ name: NAME, fetched: true });
    expect(facts).toMatchObject({ family: "codescaler", source: ID, revision: COMMIT, type: "f32" });
    expect([...steps]).toEqual(["download", "weights", "check"]);
    expect((await openStore(temporaryFolder(), on.folder).find(NAME))?.path).toBe(facts.path);
    expect((await verifyModel(facts.path)).facts.revision).toBe(COMMIT);
    expect(readdirSync(on.folder).sort()).toEqual([".downloads", `${NAME}.gguf`]);
    expect(on.downloads()).toEqual([]);
  });

  test("never takes more of the disk than the download and the result together", async () => {
    const repository = on.serve({ shape: { layers: 6, hidden: 128 } });
    let most = 0;
    const bytes = (path: string): number =>
      statSync(path).isDirectory()
        ? readdirSync(path).reduce((sum, name) => sum + bytes(join(path, name)), 0)
        : statSync(path).size;
    const { facts } = await on.pull({
      type: "q8_0",
      onProgress: () => {
        most = Math.max(most, bytes(on.folder));
      },
    });
    const source = [...repository.files.values()].reduce((sum, { content }) => sum + content.byteLength, 0);
    // The plan and the lock have some hundred bytes.
    expect(most).toBeLessThan(source + facts.fileBytes + 4096);
    expect(most).toBeGreaterThan(source);
    expect(bytes(on.folder)).toBe(facts.fileBytes);
  });

  test("any other repository of the Hub is installed under its own name", async () => {
    on.serve({}, "Some-One/My.Reward_Model");
    const { name, facts } = await on.pull({ type: "q8_0" }, "Some-One/My.Reward_Model");
    expect(name).toBe("my.reward_model");
    expect(facts).toMatchObject({ type: "q8_0", source: "Some-One/My.Reward_Model" });
    expect((await on.pull({ name: "second" }, "Some-One/My.Reward_Model")).facts.path).toBe(
      join(on.folder, "second.gguf"),
    );
  });

  test("fetches only what the conversion reads", async () => {
    const repository = on.serve();
    const files = new Map([
      ...repository.files,
      ["pytorch_model.bin", { content: Buffer.alloc(100), storage: "lfs" as const }],
      ["modeling.py", { content: Buffer.from("import os"), storage: "git" as const }],
    ]);
    on.server.repositories.set(ID, { ...repository, files });
    await on.pull();
    expect(on.server.seen.some(({ path }) => /pytorch_model|modeling/.test(path))).toBe(false);
  });

  test("what is installed already is not fetched again; another type or commit is", async () => {
    await on.pull();
    expect((await on.pull()).fetched).toBe(false);
    expect((await on.pull({ type: "q8_0" })).fetched).toBe(true);
    on.serve({}, ID, "d".repeat(40));
    expect(await on.pull({ type: "q8_0" })).toMatchObject({
      fetched: true,
      facts: { revision: "d".repeat(40) },
    });
    expect(on.installed()).toEqual([`${NAME}.gguf`]);
  });

  test("a commit can be chosen, an unknown one is said so", async () => {
    expect((await on.pull({ revision: COMMIT })).facts.revision).toBe(COMMIT);
    expect(await refusal(on.pull({ revision: "v9" }))).toMatch(/has no such revision/);
    expect(await refusal(on.pull({ revision: "../../main" }))).toMatch(/is no branch, tag or commit/);
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
      expect(await refusal(on.pull({ name }))).toMatch(/cannot be (a model's name|replaced)/);
      expect(existsSync(on.folder)).toBe(false);
    },
  );
});

describe("a pull that is stopped", () => {
  test("by a cut connection goes on by itself", async () => {
    on.network(3, { kind: "cut", after: 20_000 });
    await on.pull();
    expect(on.ranges().length).toBeGreaterThanOrEqual(4);
    expect((await verifyModel(join(on.folder, `${NAME}.gguf`))).facts.type).toBe("f32");
  });

  test("for good keeps what came, and the next one continues there", async () => {
    on.brokenWeights(30_000);
    expect(await refusal(on.pull())).toMatch(/in trouble \(status 503\). Run the same command again later/);
    expect(on.installed()).toEqual([]);
    const [unfinished] = await unfinishedDownloads(on.folder);
    expect(unfinished).toMatchObject({ repository: ID });
    on.server.seen.length = 0;
    on.heal();
    await on.pull();
    expect(on.ranges()).toContain("bytes=30000-");
    expect(await unfinishedDownloads(on.folder)).toEqual([]);
  });

  test("with a new commit on the Hub keeps the files that did not change, and no others", async () => {
    const before = on.serve();
    // tokenizer.json is complete when the weights fail.
    on.always(".safetensors", { kind: "reply", status: 404 });
    await refusal(on.pull());
    const changed = new Map(before.files);
    changed.set(
      "model.safetensors",
      repositoryOf(tinyCheckpoint("qwen3", { change: other }).folder).files.get("model.safetensors") ??
        never(),
    );
    on.server.repositories.set(ID, { commit: "e".repeat(40), files: changed });
    writeFileSync(
      join(on.folder, ".downloads", "LARK-Lab--CodeScaler-1.7B", "model.safetensors.part"),
      "old bytes",
    );
    on.heal();
    on.server.seen.length = 0;
    expect((await on.pull()).facts.revision).toBe("e".repeat(40));
    expect(on.ranges()).toEqual(["whole"]);
    expect(on.server.seen.some(({ path }) => path.endsWith("tokenizer.json"))).toBe(false);
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
      await on.pull({ type: "q8_0" });
      const old = readFileSync(join(on.folder, `${NAME}.gguf`));
      on.always(path, fault);
      expect(await refusal(on.pull({ type: "f16" }))).toMatch(sentence);
      expect(readFileSync(join(on.folder, `${NAME}.gguf`)).equals(old)).toBe(true);
      on.heal();
      expect((await on.pull({ type: "f16" })).facts.type).toBe("f16");
    },
  );

  test("a wrong hash is never converted", async () => {
    on.network(99, { kind: "corrupt", at: 50_000 });
    expect(await refusal(on.pull())).toMatch(/came with a wrong hash/);
    expect(on.installed()).toEqual([]);
  });

  test("a file that was damaged on the disk in between is found out", async () => {
    const part = join(on.folder, ".downloads", "LARK-Lab--CodeScaler-1.7B", "model.safetensors.part");
    on.brokenWeights(30_000);
    await refusal(on.pull());
    expect(statSync(part).size).toBe(30_000);
    writeFileSync(part, Buffer.alloc(statSync(part).size, 7));
    on.heal();
    expect((await on.pull()).fetched).toBe(true);
  });

  test("by Ctrl-C: the old state stays, the next one continues", async () => {
    const controller = new AbortController();
    const reason = new ServiceError("cancelled", "Stopped.");
    on.weights((nth) => (nth === 1 ? { kind: "slow", piece: 5000, ms: 2 } : undefined));
    const work = on.pull({
      signal: controller.signal,
      onProgress: ({ step, done }) => {
        if (step === "download" && done > 20_000) controller.abort(reason);
      },
    });
    await expect(work).rejects.toBe(reason);
    expect(on.installed()).toEqual([]);
    await on.pull();
    expect(on.ranges().at(-1)).toMatch(/^bytes=\d+-$/);
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
    on.serve(options);
    expect(await refusal(on.pull())).toMatch(sentence);
    expect(on.server.seen.some(({ path }) => path.includes(".safetensors"))).toBe(false);
    expect(on.downloads()).toEqual([]);
  });

  test("a repository without safetensors", async () => {
    const { files, commit } = on.serve();
    const left = new Map([...files].filter(([path]) => !path.endsWith(".safetensors")));
    on.server.repositories.set(ID, { commit, files: left });
    expect(await refusal(on.pull())).toMatch(/Only safetensors can be pulled/);
  });

  test.each([
    "../../evil.safetensors",
    "/etc/evil.safetensors",
    "..\\evil.safetensors",
    "absent.safetensors",
    5,
  ])("an index that names %j is refused, even when the Hub lists such a file", async (part) => {
    const { files, commit } = on.serve();
    const index = Buffer.from(JSON.stringify({ weight_map: { "score.weight": part } }));
    const evil = { content: Buffer.from("evil"), storage: "lfs" as const };
    const more = new Map([
      ...files,
      ["model.safetensors.index.json", { content: index, storage: "git" as const }],
      ...(part === "absent.safetensors" ? [] : [[String(part), evil] as const]),
    ]);
    on.server.repositories.set(ID, { commit, files: more });
    expect(await refusal(on.pull())).toMatch(/which its index names/);
    expect(on.server.seen.some(({ path }) => path.includes("evil"))).toBe(false);
    expect(readdirSync(join(on.folder, "..", ".."))).not.toContain("evil.safetensors");
  });

  test("more than fits on the disk is refused before it is fetched", async () => {
    const { files, commit } = on.serve();
    on.server.repositories.set(ID, { commit, files });
    // The listing claims a size that no disk has.
    const huge = 2 ** 52;
    const listing = [...files].map(([path, { content }]) => ({
      type: "file",
      path,
      oid: "0".repeat(40),
      size: content.byteLength,
      lfs: path === "model.safetensors" ? { oid: "0".repeat(64), size: huge } : undefined,
    }));
    const truth = await (await fetch(`${on.server.endpoint}/api/models/${ID}/tree/${COMMIT}`)).json();
    const real = new Map(
      (truth as { path: string; oid: string; lfs?: unknown }[]).map((one) => [one.path, one]),
    );
    const body = JSON.stringify(
      listing.map((one) => (one.path === "model.safetensors" ? one : real.get(one.path))),
    );
    on.always("/tree/", {
      kind: "reply",
      status: 200,
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect(await refusal(on.pull())).toMatch(/codescaler-1.7b.gguf needs .* GB and its disk has/);
    expect(on.server.seen.some(({ path }) => path.includes(".safetensors"))).toBe(false);
  });
});

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
