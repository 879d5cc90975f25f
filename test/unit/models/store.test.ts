import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { cacheFolder, modelFolder } from "../../../server/files/folders.ts";
import { convert } from "../../../server/models/convert/convert-checkpoint.ts";
import { makeRandomModel, RECIPE, randomModel } from "../../../server/models/convert/random.ts";
import {
  CHECKSUM_KEY,
  elements,
  type MetadataValue,
  type TensorPlan,
} from "../../../server/models/gguf/format.ts";
import { byteLength, isFileType } from "../../../server/models/gguf/ggml.ts";
import { readGguf } from "../../../server/models/gguf/read-header.ts";
import { createGguf } from "../../../server/models/gguf/write.ts";
import { readModelFacts, readRewardModel } from "../../../server/models/read-model.ts";
import { openStore } from "../../../server/models/store.ts";
import { verifyModel } from "../../../server/models/verify-model.ts";
import { TINY, temporaryFolder, tinyCheckpoint } from "../../helpers/checkpoints.ts";
import { failureOf } from "../../helpers/refusal.ts";

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
      facts: { kind: "reward", family: "codescaler", source: "a/b", type: "f32", hidden: 32, maxTokens: 512 },
      problem: undefined,
    });
  });

  test("a GGUF without a reward head is a language model, and a found one is used where it is", async () => {
    const own = temporaryFolder();
    const home = temporaryFolder();
    const bytes = readFileSync(await tinyModel());
    // The same file as somebody else would have made it.
    bytes.write("codescaler.head.weighs", bytes.indexOf("codescaler.head.weight"));
    writeFileSync(join(own, "coder.gguf"), bytes);
    const elsewhere = join(home, "models");
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "coder-q8_0.gguf"), bytes);
    vi.stubEnv("LLAMA_CACHE", elsewhere);
    const store = openStore(temporaryFolder(), own);
    expect(await store.list()).toMatchObject([
      { id: "coder", facts: { kind: "language", type: "f32", maxTokens: 512, chat: true } },
    ]);
    expect(await store.find("llama.cpp:coder-q8_0")).toEqual({
      id: "llama.cpp:coder-q8_0",
      path: join(elsewhere, "coder-q8_0.gguf"),
      embedded: false,
    });
    expect(await store.find("llama.cpp:other")).toBeUndefined();
    vi.unstubAllEnvs();
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
  /** A complete tiny model with other metadata, and perhaps other tensors. */
  async function fileWith(
    change: (metadata: Map<string, MetadataValue>) => void,
    tensors?: (plans: TensorPlan[]) => TensorPlan[],
  ): Promise<string> {
    const { metadata, tensors: infos } = await readGguf(await tinyModel());
    const changed = new Map(metadata);
    changed.delete(CHECKSUM_KEY);
    change(changed);
    const plans = infos.map(({ name, shape, type }): TensorPlan => {
      if (!isFileType(type)) throw new Error(`${name} is in ${type}`);
      return { name, shape, type };
    });
    const planned = tensors?.(plans) ?? plans;
    const path = join(temporaryFolder(), "model.gguf");
    const writer = await createGguf(path, changed, planned);
    for (const { name, shape, type } of planned) {
      await writer.tensor(name, [new Uint8Array(byteLength(type, elements(shape)))]);
    }
    await writer.finish();
    return path;
  }

  async function refusal(path: string): Promise<string> {
    const error = await failureOf(readRewardModel(path));
    expect(error.code).toBe("model_unusable");
    expect(error.message).not.toContain("\n");
    return error.message;
  }

  const text = (value: string): MetadataValue => ({ kind: "string", value });
  const uint = (value: number): MetadataValue => ({ kind: "uint32", value });
  const float = (value: number): MetadataValue => ({ kind: "float32", value });

  test("unchanged, it is accepted", async () => {
    const note = await fileWith((all) => all.set("general.author", text("someone")));
    expect(await readRewardModel(note)).toMatchObject({ family: "codescaler" });
  });

  test.each<[string, string, MetadataValue | undefined, RegExp]>([
    [
      "a language model without a head",
      "codescaler.head.weight",
      undefined,
      /has no reward head: it is an ordinary language model/,
    ],
    ["a newer format", "codescaler.format", uint(2), /newer version of CodeScaler/],
    ["an unknown family", "codescaler.family", text("x\ny"), /family "x\\ny"/],
    ["an unknown type", "codescaler.type", text("q5_k"), /none of f32, f16/],
    ["no room for a token", "codescaler.max_tokens", uint(0), /no tokens at all/],
    [
      "a head of another size",
      "codescaler.head.weight",
      { kind: "float32s", value: new Float32Array(7) },
      /head of 7 weights for a hidden size of 32/,
    ],
    [
      "a head with a NaN",
      "codescaler.head.weight",
      { kind: "float32s", value: new Float32Array(32).fill(Number.NaN) },
      /values that are not numbers/,
    ],
    ["a head of texts", "codescaler.head.weight", text("x"), /lacks the metadata codescaler.head.weight/],
    [
      "an infinite bias",
      "codescaler.head.bias",
      float(Number.POSITIVE_INFINITY),
      /values that are not numbers/,
    ],
    ["no template", "tokenizer.chat_template", undefined, /lacks the metadata tokenizer.chat_template/],
    ["an unknown normal form", "codescaler.tokenizer.normalizer", text("NFKC"), /normal form "NFKC"/],
    ["criteria that are no texts", "codescaler.criteria", text("[1]"), /criteria that are no JSON object/],
    [
      "another architecture",
      "general.architecture",
      text("bert"),
      /lacks the metadata bert.embedding_length/,
    ],
    ["another kind of tokenizer", "tokenizer.ggml.model", text("llama"), /tokenizer that is not known/],
    ["another pre-tokenizer", "tokenizer.ggml.pre", text("default"), /tokenizer that is not known/],
    ["no merges", "tokenizer.ggml.merges", undefined, /lacks a part of its vocabulary/],
    ["no token types", "tokenizer.ggml.token_type", undefined, /lacks a part of its vocabulary/],
    [
      "token types for others",
      "tokenizer.ggml.token_type",
      { kind: "int32s", value: new Int32Array(3) },
      /tokens for 270 rows/,
    ],
    [
      "fewer tokens than rows",
      "tokenizer.ggml.tokens",
      { kind: "strings", value: ["a", "b"] },
      /has 2 tokens for 270 rows/,
    ],
    // libllama ends the process over these: they must not reach it.
    [
      "equal tokens",
      "tokenizer.ggml.tokens",
      { kind: "strings", value: new Array<string>(270).fill("a") },
      /equal or empty tokens/,
    ],
    ["no layers", "qwen3.block_count", uint(0), /impossible qwen3.block_count 0/],
    ["too many layers", "qwen3.block_count", uint(4_000_000_000), /claims 4000000000 layers/],
    ["a layer more than there is", "qwen3.block_count", uint(3), /lacks the tensor blk.2.attn_norm.weight/],
    ["a layer less than there is", "qwen3.block_count", uint(1), /holds the tensor "blk.1.attn_norm.weight"/],
    [
      "a rotation of another size",
      "qwen3.rope.dimension_count",
      uint(8),
      /impossible qwen3.rope.dimension_count 8/,
    ],
    [
      "values of another size",
      "qwen3.attention.value_length",
      uint(8),
      /impossible qwen3.attention.value_length 8/,
    ],
    [
      "a negative epsilon",
      "qwen3.attention.layer_norm_rms_epsilon",
      float(-1),
      /impossible qwen3.attention.layer_norm_rms_epsilon -1/,
    ],
    [
      "an epsilon that is no number",
      "qwen3.attention.layer_norm_rms_epsilon",
      float(Number.NaN),
      /layer_norm_rms_epsilon NaN/,
    ],
    ["a rotation base of zero", "qwen3.rope.freq_base", float(0), /impossible qwen3.rope.freq_base 0/],
    ["no heads", "qwen3.attention.head_count_kv", uint(0), /impossible qwen3.attention.head_count_kv 0/],
    [
      "a setting that we never write",
      "qwen3.expert_count",
      uint(8),
      /holds the setting "qwen3.expert_count"/,
    ],
    ["a part of several", "split.count", uint(2), /holds the setting "split.count"/],
  ])("%s is refused in one sentence", async (_what, key, value, sentence) => {
    const path = await fileWith((all) => {
      all.delete(key);
      if (value !== undefined) all.set(key, value);
    });
    expect(await refusal(path)).toMatch(sentence);
  });

  test.each<[string, (plans: TensorPlan[]) => TensorPlan[], RegExp]>([
    [
      "a tensor less",
      (plans) => plans.filter(({ name }) => name !== "blk.0.ffn_up.weight"),
      /lacks the tensor blk.0.ffn_up.weight/,
    ],
    [
      "a tensor more",
      (plans) => [...plans, { name: "output.bias", shape: [4], type: "f32" }],
      /holds the tensor "output.bias"/,
    ],
    [
      "rope divisors on Qwen",
      (plans) => [...plans, { name: "rope_freqs.weight", shape: [8], type: "f32" }],
      /holds the tensor "rope_freqs.weight"/,
    ],
    [
      "another shape",
      (plans) => plans.map((plan) => (plan.name === "output_norm.weight" ? { ...plan, shape: [64] } : plan)),
      /output_norm.weight in the shape \[64\] instead of \[32\]/,
    ],
    [
      "a norm in half precision",
      (plans) => plans.map((plan) => (plan.name === "output_norm.weight" ? { ...plan, type: "f16" } : plan)),
      /output_norm.weight in f16 instead of f32/,
    ],
  ])("%s is refused in one sentence", async (_what, tensors, sentence) => {
    expect(await refusal(await fileWith(() => {}, tensors))).toMatch(sentence);
  });

  test("a list does not read the vocabulary", async () => {
    // Equal tokens would be refused if they were looked at.
    const path = await fileWith((all) =>
      all.set("tokenizer.ggml.tokens", { kind: "strings", value: ["a", "a"] }),
    );
    expect(await readModelFacts(path)).toMatchObject({ family: "codescaler", maxTokens: 512, hidden: 32 });
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
