import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ServiceError } from "../../../server/errors.ts";
import { convert } from "../../../server/models/convert.ts";
import { cacheFolder, modelFolder } from "../../../server/models/folders.ts";
import type { MetadataValue } from "../../../server/models/gguf-format.ts";
import { rewardMetadata } from "../../../server/models/gguf-keys.ts";
import { createGguf } from "../../../server/models/gguf-write.ts";
import { makeRandomModel, RECIPE, randomModel } from "../../../server/models/random.ts";
import { readModelFacts, readRewardModel } from "../../../server/models/reward-model.ts";
import { openStore } from "../../../server/models/store.ts";
import { verifyModel } from "../../../server/models/verify.ts";
import { TINY, temporaryFolder, tinyCheckpoint } from "./checkpoints.ts";

async function tinyModel(): Promise<string> {
  const path = join(temporaryFolder(), "tiny.gguf");
  await convert(tinyCheckpoint("qwen3").folder, path, { type: "f32", source: "a/b" });
  return path;
}

describe("the model store", () => {
  test("embedded and own models are found by name", async () => {
    const model = await tinyModel();
    const media = temporaryFolder();
    const own = temporaryFolder();
    copyFileSync(model, join(media, "nano.gguf"));
    copyFileSync(model, join(own, "codescaler-1.7b.gguf"));
    copyFileSync(model, join(own, "nano.gguf"));
    writeFileSync(join(own, "notes.txt"), "");
    writeFileSync(join(own, ".half.gguf.1234.partial"), "");
    const store = openStore(media, own);
    expect(await store.installed()).toEqual([
      { id: "nano", path: join(media, "nano.gguf"), embedded: true },
      { id: "codescaler-1.7b", path: join(own, "codescaler-1.7b.gguf"), embedded: false },
    ]);
    expect((await store.find("nano"))?.embedded).toBe(true);
    expect((await store.list())[1]).toMatchObject({
      id: "codescaler-1.7b",
      facts: { family: "codescaler", source: "a/b", type: "f32", hidden: 32, maxTokens: 512 },
      problem: undefined,
    });
  });

  test("a name never leads out of the folder", async () => {
    const model = await tinyModel();
    const base = temporaryFolder();
    const own = join(base, "models");
    mkdirSync(own);
    copyFileSync(model, join(base, "outside.gguf"));
    const store = openStore(join(base, "media"), own);
    for (const name of [
      "../outside",
      "..\\outside",
      join(base, "outside"),
      "",
      ".",
      "..",
      "x/../../outside",
      "outside\0",
    ]) {
      expect(await store.find(name), name).toBeUndefined();
    }
  });

  test("no folders at all is an empty store", async () => {
    const folder = join(temporaryFolder(), "nowhere");
    const store = openStore(folder, folder);
    expect(await store.list()).toEqual([]);
    expect(await store.find("nano")).toBeUndefined();
  });

  test("a broken file is listed with what is wrong with it", async () => {
    const own = temporaryFolder();
    writeFileSync(join(own, "broken.gguf"), "GGUF");
    const [broken] = await openStore(temporaryFolder(), own).list();
    expect(broken?.facts).toBeUndefined();
    expect(broken?.problem).toMatch(/is not a GGUF file/);
  });
});

describe("what a model file says", () => {
  const vocabulary = {
    tokens: Array.from({ length: TINY.vocabulary }, (_, id) => `t${id}`),
    types: new Int32Array(TINY.vocabulary).fill(1),
    merges: [],
    pre: "qwen2",
    bos: undefined,
    eos: undefined,
    pad: undefined,
    normalizer: "none",
  } as const;

  /** A file with our metadata, changed. Without tensors: only the header is read. */
  async function fileWith(change: (metadata: Map<string, MetadataValue>) => void): Promise<string> {
    const path = join(temporaryFolder(), "model.gguf");
    const metadata = rewardMetadata({
      name: "x",
      architecture: "qwen3",
      shape: TINY,
      vocabulary,
      family: "nano",
      source: "s",
      revision: "r",
      type: "f32",
      maxTokens: 100,
      head: new Float32Array(TINY.hidden),
      bias: 0,
      chatTemplate: "",
    });
    change(metadata);
    await (await createGguf(path, metadata, [])).finish();
    return path;
  }
  const text = (value: string): MetadataValue => ({ kind: "string", value });
  const uint = (value: number): MetadataValue => ({ kind: "uint32", value });

  test.each<[string, (metadata: Map<string, MetadataValue>) => void, RegExp]>([
    [
      "a language model without a head",
      (all) => void all.delete("codescaler.head.weight"),
      /has no reward head: it is an ordinary language model/,
    ],
    ["a newer format", (all) => void all.set("codescaler.format", uint(2)), /newer version of CodeScaler/],
    ["an unknown family", (all) => void all.set("codescaler.family", text("x\ny")), /family "x\\ny"/],
    ["an unknown type", (all) => void all.set("codescaler.type", text("q5_k")), /none of f32, f16/],
    ["no room for a token", (all) => void all.set("codescaler.max_tokens", uint(0)), /no tokens at all/],
    [
      "a head of another size",
      (all) => void all.set("codescaler.head.weight", { kind: "float32s", value: new Float32Array(7) }),
      /head of 7 weights for a hidden size of 32/,
    ],
    [
      "a head with a NaN",
      (all) =>
        void all.set("codescaler.head.weight", {
          kind: "float32s",
          value: new Float32Array(32).fill(Number.NaN),
        }),
      /values that are not numbers/,
    ],
    [
      "a head of texts",
      (all) => void all.set("codescaler.head.weight", text("x")),
      /lacks the metadata codescaler.head.weight/,
    ],
    [
      "no template",
      (all) => void all.delete("tokenizer.chat_template"),
      /lacks the metadata tokenizer.chat_template/,
    ],
    [
      "equal tokens",
      (all) => void all.set("tokenizer.ggml.tokens", { kind: "strings", value: ["a", "a"] }),
      /equal tokens/,
    ],
    [
      "token types for others",
      (all) => void all.set("tokenizer.ggml.token_type", { kind: "int32s", value: new Int32Array(3) }),
      /without token types/,
    ],
    [
      "an unknown normal form",
      (all) => void all.set("codescaler.tokenizer.normalizer", text("NFKC")),
      /normal form "NFKC"/,
    ],
    [
      "criteria that are no texts",
      (all) => void all.set("codescaler.criteria", text("[1]")),
      /criteria that are no JSON object/,
    ],
    ["no layers", (all) => void all.delete("qwen3.block_count"), /lacks the metadata qwen3.block_count/],
  ])("%s is refused in one sentence", async (_what, change, sentence) => {
    const error: unknown = await readRewardModel(await fileWith(change)).catch((reason: unknown) => reason);
    if (!(error instanceof ServiceError)) throw error;
    expect(error.code).toBe("model_unusable");
    expect(error.message).toMatch(sentence);
    expect(error.message).not.toContain("\n");
  });

  test("a header without its tensors does not verify", async () => {
    await expect(verifyModel(await fileWith(() => {}))).rejects.toThrow(/lacks the tensor token_embd.weight/);
  });

  test("a list does not read the vocabulary", async () => {
    // Equal tokens would be refused if they were looked at.
    const path = await fileWith((all) =>
      all.set("tokenizer.ggml.tokens", { kind: "strings", value: ["a", "a"] }),
    );
    expect(await readModelFacts(path)).toMatchObject({ family: "nano", maxTokens: 100, hidden: 32 });
  });
});

describe("random models", () => {
  const shape = { ...TINY, headDim: 32, hidden: 64 };

  test.each(["f32", "q8_0", "q4_0"] as const)(
    "%s: a verified reward model, the same bytes each time",
    async (type) => {
      const [one, two] = [join(temporaryFolder(), "one.gguf"), join(temporaryFolder(), "two.gguf")];
      await makeRandomModel(shape, type, one);
      await makeRandomModel(shape, type, two);
      const { facts, sha256 } = await verifyModel(one);
      expect(facts).toMatchObject({ type, hidden: 64, layers: 2, family: "codescaler" });
      expect(facts.addedTokens.get("<|im_end|>")).toBe(TINY.vocabulary - 1);
      expect((await verifyModel(two)).sha256).toBe(sha256);
    },
  );

  test.each([
    "random:qwen3-9b:q8_0",
    "random:qwen3-8b:q5_k",
    "random:qwen3-8b",
    "random:constructor:f32",
    "random:qwen3-8b:f32:x",
  ])("%s is refused with what there is", async (specification) => {
    await expect(randomModel(specification, { folder: temporaryFolder() })).rejects.toThrow(
      /is not random:SHAPE:TYPE. Shapes are qwen3-0.6b, .*; types are f32, f16, bf16, q8_0, q4_0/,
    );
  });

  test("a file that is there already is taken, one of an older recipe is not", async () => {
    const folder = temporaryFolder();
    const file = join(folder, `random-qwen3-0.6b-q4_0-${RECIPE}.gguf`);
    writeFileSync(join(folder, `random-qwen3-0.6b-q4_0-${RECIPE - 1}.gguf`), "");
    const signal = AbortSignal.abort(new Error("made anew"));
    const specification = "random:qwen3-0.6b:q4_0";
    await expect(randomModel(specification, { folder, signal })).rejects.toThrow("made anew");
    writeFileSync(file, "");
    expect(await randomModel(specification, { folder, signal })).toBe(file);
  });
});

describe("folders", () => {
  test("the variables of CodeScaler win over those of the platform", () => {
    expect(modelFolder({ CODESCALER_HOME: "/c", XDG_DATA_HOME: "/x" }, "linux")).toBe(join("/c", "models"));
    expect(modelFolder({ XDG_DATA_HOME: "/x" }, "linux")).toBe(join("/x", "codescaler", "models"));
    expect(modelFolder({}, "darwin")).toMatch(/Library.Application Support.codescaler.models$/);
    expect(modelFolder({ LOCALAPPDATA: "/l" }, "win32")).toBe(join("/l", "codescaler", "models"));
    expect(cacheFolder({ CODESCALER_CACHE: "/c" }, "linux")).toBe("/c");
    expect(cacheFolder({ XDG_CACHE_HOME: "/x" }, "linux")).toBe(join("/x", "codescaler"));
  });
});
