/** `models pull`, `list` and `remove` as their users call them. */
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { run as models } from "../../../../server/cli/models/models.ts";
import { removeModel } from "../../../../server/models/remove-model.ts";
import { openStore } from "../../../../server/models/store.ts";
import { temporaryFolder } from "../../../helpers/checkpoints.ts";
import { ID, NAME, PullSetting, refusal } from "../../../helpers/pulling.ts";

vi.setConfig({ testTimeout: 60_000 });

let on: PullSetting;
beforeEach(async () => {
  on = await PullSetting.start();
});
afterEach(async () => {
  await on.server.close();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe("remove", () => {
  test("deletes a model and what is left of its download, by any of its names", async () => {
    const store = openStore(temporaryFolder(), on.folder);
    await on.pull();
    expect(await removeModel(store, NAME)).toMatchObject({ what: ["model"] });
    on.network(99, { kind: "reply", status: 404 });
    await refusal(on.pull());
    expect(on.downloads()).not.toEqual([]);
    expect(await removeModel(store, ID)).toMatchObject({ what: ["download"] });
    expect(on.downloads()).toEqual([]);
    expect(await refusal(removeModel(store, NAME))).toMatch(/No model named "codescaler-1.7b" is installed/);
  });

  test("never touches embedded models or other files", async () => {
    const media = temporaryFolder();
    writeFileSync(join(media, "nano.gguf"), "x");
    const store = openStore(media, on.folder);
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
    vi.stubEnv("CODESCALER_HOME", dirname(on.folder));
    vi.stubEnv("HF_ENDPOINT", on.server.endpoint);
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
    expect(on.installed()).toEqual([]);
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
    on.network(99, { kind: "reply", status: 404 });
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
