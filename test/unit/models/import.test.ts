import { appendFileSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ServiceError } from "../../../server/errors.ts";
import { convert } from "../../../server/models/convert/convert-checkpoint.ts";
import { type ImportOptions, importModel } from "../../../server/models/import-model.ts";
import { verifyModel } from "../../../server/models/verify-model.ts";
import { temporaryFolder, tinyCheckpoint } from "../../helpers/checkpoints.ts";
import { refusal } from "../../helpers/refusal.ts";

async function start(path: string, more: Partial<ImportOptions> = {}) {
  const folder = join(temporaryFolder(), "models");
  const work = importModel(path, { folder, type: "q8_0", signal: new AbortController().signal, ...more });
  return { folder, ...(await work) };
}

async function gguf(): Promise<string> {
  const path = join(temporaryFolder(), "My Model.Q8.gguf");
  await convert(tinyCheckpoint("llama").folder, path, { type: "bf16", source: "a/b", revision: "r1" });
  return path;
}

describe("import", () => {
  test("converts a folder and installs it under the folder's name", async () => {
    const source = tinyCheckpoint("qwen2").folder;
    const { name, facts, folder } = await start(source);
    expect(name).toBe(basename(source).toLowerCase());
    expect(facts).toMatchObject({ family: "acecode", type: "q8_0", revision: "local" });
    expect(readdirSync(folder)).toEqual([`${name}.gguf`]);
  });

  test("a folder of the Hugging Face cache is recognised: name of the catalogue, repository, commit", async () => {
    const { folder: source } = tinyCheckpoint("qwen3");
    const commit = "f".repeat(40);
    const cache = join(temporaryFolder(), "models--LARK-Lab--CodeScaler-4B", "snapshots", commit);
    mkdirSync(cache, { recursive: true });
    for (const file of readdirSync(source)) copyFileSync(join(source, file), join(cache, file));
    const { name, facts } = await start(cache);
    expect(name).toBe("codescaler-4b");
    expect(facts).toMatchObject({ source: "LARK-Lab/CodeScaler-4B", revision: commit });
  });

  test("copies a GGUF byte for byte, checked", async () => {
    const source = await gguf();
    const steps = new Set<string>();
    const { name, facts } = await start(source, { onProgress: ({ step }) => steps.add(step) });
    expect(name).toBe("my-model.q8");
    expect([...steps]).toEqual(["copy", "check"]);
    expect(readFileSync(facts.path).equals(readFileSync(source))).toBe(true);
    expect((await verifyModel(facts.path)).facts).toMatchObject({
      source: "a/b",
      revision: "r1",
      type: "bf16",
    });
  });

  test("never replaces a model", async () => {
    const source = await gguf();
    const { folder } = await start(source, { name: "mine" });
    const before = readFileSync(join(folder, "mine.gguf"));
    expect(await refusal(start(tinyCheckpoint("qwen3").folder, { folder, name: "mine" }))).toMatch(
      /"mine" is installed already. Choose another --name/,
    );
    expect(readFileSync(join(folder, "mine.gguf")).equals(before)).toBe(true);
  });

  test.each<[string, (path: string) => void, RegExp]>([
    [
      "a damaged GGUF",
      (path) => {
        const bytes = readFileSync(path);
        const at = bytes.byteLength - 100;
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        writeFileSync(path, bytes);
      },
      /My Model.Q8.gguf is damaged: its content does not match its checksum/,
    ],
    [
      "a GGUF with more at its end",
      (path) => appendFileSync(path, "x"),
      /My Model.Q8.gguf has \d+ bytes instead of/,
    ],
    ["half a GGUF", (path) => writeFileSync(path, readFileSync(path).subarray(0, 5000)), /My Model.Q8.gguf/],
    ["a web page", (path) => writeFileSync(path, "<html>"), /is not a GGUF file/],
  ])("%s is refused, and nothing is left behind", async (_what, spoil, sentence) => {
    const path = await gguf();
    spoil(path);
    const folder = join(temporaryFolder(), "models");
    expect(await refusal(start(path, { folder }))).toMatch(sentence);
    expect(readdirSync(join(folder, "..")).includes("models") ? readdirSync(folder) : []).toEqual([]);
  });

  test("what is not there is said so", async () => {
    expect(await refusal(start(join(temporaryFolder(), "absent")))).toMatch(/absent/);
  });

  test("cancelling leaves nothing", async () => {
    const folder = join(temporaryFolder(), "models");
    const controller = new AbortController();
    const reason = new ServiceError("cancelled", "Stopped.");
    const onProgress = () => controller.abort(reason);
    const work = start(await gguf(), { folder, signal: controller.signal, onProgress });
    await expect(work).rejects.toBe(reason);
    expect(readdirSync(folder)).toEqual([]);
  });
});
