import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ServiceError } from "../../../../server/errors.ts";
import type { Architecture } from "../../../../server/models/convert/architectures.ts";
import { type ConvertOptions, convert } from "../../../../server/models/convert/convert-checkpoint.ts";
import { elements } from "../../../../server/models/gguf/format.ts";
import { FILE_TYPES } from "../../../../server/models/gguf/ggml.ts";
import { MATCHING_VERSION, NGRAM_VERSION } from "../../../../server/models/gguf/keys.ts";
import { readGguf } from "../../../../server/models/gguf/read-header.ts";
import { readRewardModel } from "../../../../server/models/read-model.ts";
import { verifyModel } from "../../../../server/models/verify-model.ts";
import {
  f32,
  safetensors,
  TINY,
  type TinyCheckpoint,
  type TinyOptions,
  temporaryFolder,
  tinyCheckpoint,
} from "../../../helpers/checkpoints.ts";
import { failureOf } from "../../../helpers/refusal.ts";

const F32 = { type: "f32" } as const;

async function converted(
  architecture: Architecture,
  tiny: TinyOptions = {},
  options: ConvertOptions = F32,
): Promise<string> {
  const out = join(temporaryFolder(), "model.gguf");
  await convert(tinyCheckpoint(architecture, tiny).folder, out, options);
  return out;
}

/** An ngram.json as the training writes it, with some fields changed. */
function writeNgram(folder: string, changes: Readonly<Record<string, unknown>>): void {
  const weights = Buffer.from(Int8Array.from({ length: 256 }, (_, bucket) => bucket - 128)).toString(
    "base64",
  );
  const ngram = { version: NGRAM_VERSION, scale: 0.5, coefficient: -2, weights };
  writeFileSync(join(folder, "ngram.json"), JSON.stringify({ ...ngram, ...changes }));
}

/** A table of a matching part. */
function tableOf(length: number, step: number): Int8Array {
  return Int8Array.from({ length }, (_, place) => ((place * step) % 255) - 127);
}

/** A matching.json as the training writes it, with some fields changed. */
function writeMatching(folder: string, changes: Readonly<Record<string, unknown>>): void {
  const [problem, program] = [3, 7].map((step) => Buffer.from(tableOf(256 * 8, step)).toString("base64"));
  const matching = { version: MATCHING_VERSION, dimensions: 8, coefficient: 1.5, problem, program };
  writeFileSync(join(folder, "matching.json"), JSON.stringify({ ...matching, ...changes }));
}

/** So many zeros as a file of parts has them. */
function zeros(bytes: number): string {
  return Buffer.alloc(bytes).toString("base64");
}

/** Values of an f32 tensor of the file. */
async function tensorValues(path: string, name: string): Promise<Float32Array> {
  const tensor = (await readGguf(path)).tensors.find((one) => one.name === name);
  if (tensor?.type !== "f32") throw new Error(`no f32 tensor ${name}`);
  const bytes = Uint8Array.from(readFileSync(path).subarray(tensor.offset, tensor.offset + tensor.bytes));
  return new Float32Array(bytes.buffer);
}

async function refusal(folder: string, options: ConvertOptions = F32): Promise<string> {
  const target = temporaryFolder();
  const error = await failureOf(convert(folder, join(target, "model.gguf"), options));
  expect(error.code).toMatch(/model_unusable|model_not_found/);
  expect(error.message).not.toContain("\n");
  expect(readdirSync(target)).toEqual([]);
  return error.message;
}

const spoiled = (architecture: Architecture, change: (checkpoint: TinyCheckpoint) => void) =>
  tinyCheckpoint(architecture, { change }).folder;

describe("conversion", () => {
  test.each(["qwen3", "llama", "qwen2"] as const)(
    "%s: head, sizes and vocabulary arrive",
    async (architecture) => {
      const model = await readRewardModel(await converted(architecture));
      expect(model).toMatchObject({
        architecture,
        hidden: 32,
        layers: 2,
        kvHeads: 1,
        headDim: 16,
        contextLength: 512,
        maxTokens: 512,
        kvBytesPerToken: 2 * 2 * 1 * 32,
        type: "f32",
        revision: "local",
        bias: architecture === "qwen2" ? 0.5 : 0,
        normalizer: architecture === "llama" ? "none" : "NFC",
        eosToken: "<|im_end|>",
        bosToken: undefined,
        chatTemplate: "{% for m in messages %}{{ m.content }}{% endfor %}",
      });
      expect([...model.head]).toEqual(Array.from({ length: 32 }, (_, at) => at / 8));
      expect([...model.addedTokens]).toEqual([
        ["<|endoftext|>", 256],
        ["<|im_start|>", 257],
        ["<|im_end|>", 258],
        ["<think>", 259],
      ]);
    },
  );

  test("weights keep their values and their order", async () => {
    const tiny = tinyCheckpoint("qwen3");
    const out = join(temporaryFolder(), "model.gguf");
    await convert(tiny.folder, out, F32);
    for (const [name, source] of [
      ["token_embd.weight", "model.embed_tokens.weight"],
      ["blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj.weight"],
      ["blk.0.attn_q_norm.weight", "model.layers.0.self_attn.q_norm.weight"],
      ["output_norm.weight", "model.norm.weight"],
    ] as const) {
      const data = Uint8Array.from(tiny.tensors[source]?.data ?? []);
      expect(await tensorValues(out, name)).toEqual(new Float32Array(data.buffer));
    }
  });

  test("llama: query and key rows of a rotated pair come to stand side by side, the others stay", async () => {
    const rows = (name: string): TinyOptions => ({
      change: ({ tensors }) => {
        const tensor = tensors[name];
        if (tensor) tensors[name] = f32(tensor.shape, (at) => Math.floor(at / TINY.hidden));
      },
    });
    const rowOrder = async (name: string, source: string): Promise<number[]> => {
      const values = await tensorValues(await converted("llama", rows(source)), name);
      return Array.from({ length: values.length / TINY.hidden }, (_, row) => values[row * TINY.hidden] ?? -1);
    };
    const pairs = (head: number) =>
      Array.from({ length: 8 }, (_, at) => [head * 16 + at, head * 16 + at + 8]);
    expect(await rowOrder("blk.1.attn_q.weight", "model.layers.1.self_attn.q_proj.weight")).toEqual([
      ...pairs(0).flat(),
      ...pairs(1).flat(),
    ]);
    expect(await rowOrder("blk.0.attn_k.weight", "model.layers.0.self_attn.k_proj.weight")).toEqual(
      pairs(0).flat(),
    );
    expect(await rowOrder("blk.0.attn_v.weight", "model.layers.0.self_attn.v_proj.weight")).toEqual(
      Array.from({ length: 16 }, (_, at) => at),
    );
  });

  test("llama: rope scaling becomes a divisor per frequency", async () => {
    const scaling = {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 64,
    };
    for (const config of [
      { rope_scaling: scaling },
      { rope_parameters: { ...scaling, rope_theta: 10_000 } },
    ]) {
      const divisors = await tensorValues(await converted("llama", { config }), "rope_freqs.weight");
      expect(divisors).toHaveLength(8);
      // Wavelengths 6.3 (kept), 20 (blended), 63 (just below 64: nearly slowed fully), 199 and more (slowed).
      expect(divisors[0]).toBe(1);
      expect(divisors[1]).toBeCloseTo(
        1 / ((1 - (64 / (2 * Math.PI * 10 ** 0.5) - 1) / 3) / 8 + (64 / (2 * Math.PI * 10 ** 0.5) - 1) / 3),
        5,
      );
      expect(divisors[2]).toBeGreaterThan(7);
      expect([...divisors.subarray(3)]).toEqual([8, 8, 8, 8, 8]);
    }
  });

  test.each(["pretrained_model.model.", "", "base_model.model.model."])(
    "the backbone may be called %j",
    async (prefix) => {
      const model = await readRewardModel(await converted("qwen2", { prefix }));
      expect(model.bias).toBe(0.5);
    },
  );

  test("a language-model head is left out", async () => {
    const out = await converted("qwen3", {
      change: ({ tensors }) => {
        tensors["lm_head.weight"] = f32([TINY.vocabulary, TINY.hidden], () => 1);
      },
    });
    expect((await readGguf(out)).tensors.some(({ name }) => name === "output.weight")).toBe(false);
  });

  test("parts and an index make the same file as one part", async () => {
    const tiny = tinyCheckpoint("qwen3");
    const whole = join(temporaryFolder(), "whole.gguf");
    await convert(tiny.folder, whole, { ...F32, source: "x" });
    rmSync(join(tiny.folder, "model.safetensors"));
    const weightMap: Record<string, string> = {};
    for (const [index, [name, tensor]] of Object.entries(tiny.tensors).entries()) {
      const part = `model-${index}.safetensors`;
      writeFileSync(join(tiny.folder, part), safetensors({ [name]: tensor }));
      weightMap[name] = part;
    }
    writeFileSync(
      join(tiny.folder, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: weightMap }),
    );
    const parts = join(temporaryFolder(), "parts.gguf");
    await convert(tiny.folder, parts, { ...F32, source: "x" });
    expect(readFileSync(parts).equals(readFileSync(whole))).toBe(true);
  });

  test.each(FILE_TYPES)("%s: matrices get the type, norms and biases stay f32", async (type) => {
    const header = await readGguf(await converted("qwen2", {}, { type }));
    for (const tensor of header.tensors) {
      const expected = tensor.shape.length === 1 ? "f32" : type;
      const embedding = tensor.name === "token_embd.weight" && type === "q4_0";
      expect(tensor.type, tensor.name).toBe(embedding ? "q8_0" : expected);
    }
  });

  test("rows that do not fill blocks of 32 become f16", async () => {
    const out = await converted("qwen3", { shape: { feedForward: 40 } }, { type: "q8_0" });
    const types = new Map((await readGguf(out)).tensors.map(({ name, type }) => [name, type]));
    expect(types.get("blk.0.ffn_down.weight")).toBe("f16");
    expect(types.get("blk.0.ffn_up.weight")).toBe("q8_0");
  });

  test("embedding rows without a token become unused tokens with spellings of their own", async () => {
    const { metadata, tensors } = await readGguf(
      await converted("qwen3", {
        change: ({ tokenizer }) => {
          const model = tokenizer["model"] as { vocab: Record<string, number> };
          model.vocab["[PAD262]"] = 263;
        },
      }),
    );
    const tokens = metadata.get("tokenizer.ggml.tokens");
    const types = metadata.get("tokenizer.ggml.token_type");
    if (tokens?.kind !== "strings" || types?.kind !== "int32s") throw new Error("no vocabulary");
    expect(tensors[0]?.shape).toEqual([32, 270]);
    expect(new Set(tokens.value).size).toBe(270);
    expect(tokens.value.slice(260, 264)).toEqual(["in", "Ġin", "[[PAD262]]", "[PAD262]"]);
    expect([...types.value.slice(258, 265)]).toEqual([3, 3, 1, 1, 5, 1, 5]);
    expect(metadata.get("tokenizer.ggml.merges")).toEqual({ kind: "strings", value: ["i n", "Ġ in"] });
    expect(metadata.get("tokenizer.ggml.add_bos_token")).toEqual({ kind: "bool", value: false });
  });

  test("the pre-tokenizer is recognised by its split", async () => {
    const pre = async (architecture: Architecture, change?: TinyOptions["change"]) =>
      (await readGguf(await converted(architecture, change ? { change } : {}))).metadata.get(
        "tokenizer.ggml.pre",
      )?.value;
    expect(await pre("qwen3")).toBe("qwen2");
    expect(await pre("llama")).toBe("llama-bpe");
    expect(
      await pre("llama", ({ tokenizer }) => {
        (tokenizer["model"] as Record<string, unknown>)["ignore_merges"] = false;
      }),
    ).toBe("smaug-bpe");
    expect(
      await pre("qwen3", ({ tokenizer }) => {
        tokenizer["pre_tokenizer"] = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
      }),
    ).toBe("gpt-2");
  });

  test("the family follows class and name, unless it is given", async () => {
    const family = async (architecture: Architecture, source: string, given?: ConvertOptions["family"]) => {
      const out = await converted(
        architecture,
        { config: { _name_or_path: source } },
        { ...F32, family: given },
      );
      const model = await readRewardModel(out);
      return [model.family, model.source];
    };
    expect(await family("qwen3", "LARK-Lab/CodeScaler-1.7B")).toEqual([
      "codescaler",
      "LARK-Lab/CodeScaler-1.7B",
    ]);
    expect(await family("qwen3", "Skywork/Skywork-Reward-V2-Qwen3-4B")).toEqual([
      "skywork-qwen3",
      "Skywork/Skywork-Reward-V2-Qwen3-4B",
    ]);
    expect((await family("qwen3", "project-themis/Themis-RM-0.6B"))[0]).toBe("themis");
    expect((await family("llama", "x/y"))[0]).toBe("skywork-llama");
    expect((await family("qwen2", "x/y"))[0]).toBe("acecode");
    expect((await family("qwen3", "x/y", "nano"))[0]).toBe("nano");
    expect((await family("qwen3", "x/y"))[0]).toBe("codescaler");
  });

  test("repository and commit are read off a Hugging Face cache folder", async () => {
    const snapshot = join(temporaryFolder(), "models--LARK-Lab--CodeScaler-1.7B", "snapshots", "abc123");
    mkdirSync(snapshot, { recursive: true });
    const tiny = tinyCheckpoint("qwen3");
    for (const file of readdirSync(tiny.folder)) {
      writeFileSync(join(snapshot, file), readFileSync(join(tiny.folder, file)));
    }
    const out = join(temporaryFolder(), "model.gguf");
    expect(await convert(snapshot, out, F32)).toMatchObject({
      source: "LARK-Lab/CodeScaler-1.7B",
      revision: "abc123",
      path: out,
    });
  });

  test("calibration and criteria travel with the model", async () => {
    const out = await converted("qwen3", {
      change: ({ folder }) => {
        writeFileSync(join(folder, "calibration.json"), '{"slope": 0.5, "intercept": -1}');
        writeFileSync(join(folder, "criteria.json"), '{"memory": "Judge memory use."}');
      },
    });
    const model = await readRewardModel(out);
    expect(model.calibration).toEqual({ slope: 0.5, intercept: -1 });
    expect([...model.criteria]).toEqual([["memory", "Judge memory use."]]);
    expect(model.family).toBe("themis");
  });

  test("the linear part of a nano's reward travels with it", async () => {
    const out = await converted(
      "qwen3",
      { change: ({ folder }) => writeNgram(folder, {}) },
      { ...F32, family: "nano" },
    );
    const { ngram } = await readRewardModel(out);
    expect(ngram).toEqual({
      version: NGRAM_VERSION,
      weights: Int8Array.from({ length: 256 }, (_, bucket) => bucket - 128),
      scale: 0.5,
      coefficient: -2,
    });
  });

  test("the matching part of a nano's reward travels with it", async () => {
    const out = await converted(
      "qwen3",
      { change: ({ folder }) => writeMatching(folder, {}) },
      { ...F32, family: "nano" },
    );
    const { matching, ngram } = await readRewardModel(out);
    expect(ngram).toBeUndefined();
    expect(matching).toEqual({
      version: MATCHING_VERSION,
      dimensions: 8,
      problem: tableOf(256 * 8, 3),
      program: tableOf(256 * 8, 7),
      coefficient: 1.5,
    });
  });

  test("tables of the largest size that is taken fit the header", async () => {
    const tables = { dimensions: 128, problem: zeros(2 ** 22), program: zeros(2 ** 22) };
    const out = await converted(
      "qwen3",
      { change: ({ folder }) => writeMatching(folder, tables) },
      { ...F32, family: "nano" },
    );
    expect((await readRewardModel(out)).matching?.program.length).toBe(2 ** 22);
  });

  test("chat templates are found in all three places", async () => {
    const tiny = tinyCheckpoint("qwen3");
    const template = async (): Promise<string> => {
      const out = join(temporaryFolder(), "model.gguf");
      await convert(tiny.folder, out, F32);
      return (await readRewardModel(out)).chatTemplate;
    };
    const write = (name: string, content: unknown) =>
      writeFileSync(join(tiny.folder, name), JSON.stringify(content));
    rmSync(join(tiny.folder, "chat_template.jinja"));
    write("tokenizer_config.json", {
      chat_template: [
        { name: "tools", template: "t" },
        { name: "default", template: "d" },
      ],
    });
    expect(await template()).toBe("d");
    write("tokenizer_config.json", { chat_template: "plain" });
    expect(await template()).toBe("plain");
    write("tokenizer_config.json", {});
    write("chat_template.json", { chat_template: "own file" });
    expect(await template()).toBe("own file");
  });

  test("the longest input is the given one, within the model's positions", async () => {
    const { maxTokens } = await readRewardModel(await converted("qwen3", {}, { ...F32, maxTokens: 100 }));
    expect(maxTokens).toBe(100);
    const positions = { shape: { maxPositions: 40_960 } };
    expect((await readRewardModel(await converted("qwen3", positions))).maxTokens).toBe(4096);
    await expect(converted("qwen3", {}, { ...F32, maxTokens: 513 })).rejects.toThrow(/has 512 positions/);
  });

  test("progress rises to the end", async () => {
    const seen: number[] = [];
    let total = 0;
    const out = await converted(
      "qwen3",
      {},
      {
        ...F32,
        onProgress: (progress) => {
          total = progress.total;
          if (progress.step === "weights") seen.push(progress.done);
          else expect(progress.done).toBeLessThanOrEqual(progress.total);
        },
      },
    );
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(total).toBe(readFileSync(out).byteLength);
    const matrices = (await readGguf(out)).tensors.reduce((sum, { shape }) => sum + 4 * elements(shape), 0);
    expect(seen.at(-1)).toBe(matrices);
  });
});

describe("what cannot be converted is refused in one sentence", () => {
  const config = (values: Record<string, unknown>) => (checkpoint: TinyCheckpoint) => {
    Object.assign(checkpoint.config, values);
  };
  test.each<[string, Record<string, unknown>, RegExp]>([
    [
      "an ordinary language model",
      { architectures: ["Qwen3ForCausalLM"] },
      /names the class "Qwen3ForCausalLM"/,
    ],
    ["no class", { architectures: undefined }, /names the class ""/],
    ["a size that is missing", { hidden_size: undefined }, /no usable hidden_size/],
    ["a size that is absurd", { num_hidden_layers: 1e9 }, /no usable num_hidden_layers/],
    ["a size that is negative", { vocab_size: -1 }, /no usable vocab_size/],
    ["a size that is a text", { intermediate_size: "64" }, /no usable intermediate_size/],
    ["heads that do not divide", { num_attention_heads: 3, num_key_value_heads: 2 }, /do not fit together/],
    ["another activation", { hidden_act: "gelu" }, /activation "gelu"/],
    ["a sliding window", { use_sliding_window: true }, /sliding-window/],
    ["sliding layers", { layer_types: ["full_attention", "sliding_attention"] }, /without full attention/],
    ["quantised weights", { quantization_config: {} }, /quantised already/],
    ["another rope scaling", { rope_scaling: { type: "yarn", factor: 4 } }, /rope scaling "yarn"/],
    ["llama3 rope on Qwen", { rope_scaling: { rope_type: "llama3", factor: 8 } }, /rope scaling "llama3"/],
    ["a base that is no number", { rope_theta: -1 }, /rope_theta or rms_norm_eps/],
  ])("%s", async (_what, values, sentence) => {
    expect(await refusal(spoiled("qwen3", config(values)))).toMatch(sentence);
  });

  test.each<[string, (tensors: TinyCheckpoint["tensors"]) => void, RegExp]>([
    [
      "a missing tensor",
      (all) => delete all["model.layers.1.mlp.up_proj.weight"],
      /lacks the tensor "model.layers.1.mlp.up_proj.weight"/,
    ],
    [
      "a missing embedding",
      (all) => delete all["model.embed_tokens.weight"],
      /lacks the tensor "model.embed_tokens.weight"/,
    ],
    ["a missing head", (all) => delete all["score.weight"], /lacks the tensor "score.weight"/],
    [
      "a head with two labels",
      (all) => {
        all["score.weight"] = f32([2, 32], () => 1);
      },
      /"score.weight" in the shape \[2, 32\] where config.json asks for \[1, 32\]/,
    ],
    [
      "a wrong shape",
      (all) => {
        all["model.norm.weight"] = f32([31], () => 1);
      },
      /"model.norm.weight" in the shape \[31\]/,
    ],
    [
      "a tensor that its class has not",
      (all) => {
        all["model.layers.0.self_attn.q_proj.bias"] = f32([32], () => 1);
      },
      /holds the tensor "model.layers.0.self_attn.q_proj.bias"/,
    ],
    [
      "weights in float64",
      (all) => {
        all["model.norm.weight"] = { dtype: "F64", shape: [32], data: new Uint8Array(256) };
      },
      /in F64; F32, F16 and BF16/,
    ],
    [
      "a NaN",
      (all) => {
        all["model.norm.weight"] = f32([32], (at) => (at === 7 ? Number.NaN : 1));
      },
      /NaN or infinite weights in the tensor "model.norm.weight"/,
    ],
    [
      "an infinite head",
      (all) => {
        all["score.weight"] = f32([1, 32], () => Number.POSITIVE_INFINITY);
      },
      /NaN or infinite weights in the tensor "score.weight"/,
    ],
  ])("%s", async (_what, change, sentence) => {
    expect(await refusal(spoiled("qwen3", ({ tensors }) => void change(tensors)))).toMatch(sentence);
  });

  test("a value head without its bias", async () => {
    expect(
      await refusal(spoiled("qwen2", ({ tensors }) => void delete tensors["v_head.summary.bias"])),
    ).toMatch(/lacks the tensor "v_head.summary.bias"/);
  });

  test("weights beyond half precision in f16, which bf16 holds", async () => {
    const folder = spoiled("qwen3", ({ tensors }) => {
      tensors["model.layers.0.mlp.up_proj.weight"] = f32([64, 32], () => 70_000);
    });
    expect(await refusal(folder, { type: "f16" })).toMatch(
      /weights of 7.00e\+4 .* f16 cannot hold. Use --type bf16/,
    );
    await convert(folder, join(temporaryFolder(), "model.gguf"), { type: "bf16" });
  });

  const model = (values: Record<string, unknown>) => (checkpoint: TinyCheckpoint) => {
    Object.assign(checkpoint.tokenizer["model"] as object, values);
  };
  const vocabulary = (values: Record<string, unknown>) => (checkpoint: TinyCheckpoint) => {
    Object.assign((checkpoint.tokenizer["model"] as { vocab: object }).vocab, values);
  };
  const added = (values: Record<string, unknown>) => (checkpoint: TinyCheckpoint) => {
    (checkpoint.tokenizer["added_tokens"] as object[]).push({ id: 265, content: "<x>", ...values });
  };
  test.each<[string, (checkpoint: TinyCheckpoint) => void, RegExp]>([
    ["a tokenizer that is no BPE", model({ type: "Unigram" }), /no byte-level BPE/],
    ["byte fallback", model({ byte_fallback: true }), /no byte-level BPE/],
    ["word endings", model({ end_of_word_suffix: "</w>" }), /no byte-level BPE/],
    ["a vocabulary without bytes", model({ vocab: { a: 0 } }), /lacks tokens for single bytes/],
    ["a token beyond the embedding", vocabulary({ zz: 270 }), /"zz" beyond the 270 rows/],
    ["a token without a number", vocabulary({ zz: "1" }), /"zz" no proper id/],
    ["two tokens with one id", vocabulary({ zz: 5 }), /the id 5 to two tokens/],
    ["an added token with another id", added({ content: "in" }), /"in" two ids/],
    ["an added token that swallows spaces", added({ lstrip: true }), /swallows spaces/],
    ["an added token that is always parsed", added({ content: "<|start|>" }), /candidates could forge/],
    ["an added token without a spelling", added({ content: "" }), /without a spelling/],
    ["a merge of three", model({ merges: ["i n g"] }), /impossible merge/],
    ["a merge into no token", model({ merges: [["x", "y"]] }), /impossible merge/],
    ["a merge twice", model({ merges: ["i n", "i n"] }), /merge "i n" twice/],
    [
      "an unknown split",
      ({ tokenizer }) => {
        tokenizer["pre_tokenizer"] = {
          type: "Sequence",
          pretokenizers: [
            { type: "Split", pattern: { Regex: "." }, behavior: "Isolated" },
            { type: "ByteLevel", use_regex: false },
          ],
        };
      },
      /splits text in a way that is not known/,
    ],
    ["whole words on a Qwen split", model({ ignore_merges: true }), /splits text in a way that is not known/],
    [
      "a space in front",
      ({ tokenizer }) => {
        tokenizer["pre_tokenizer"] = { type: "ByteLevel", add_prefix_space: true };
      },
      /no byte-level BPE/,
    ],
    [
      "another normal form",
      ({ tokenizer }) => {
        tokenizer["normalizer"] = { type: "NFKC" };
      },
      /normalises text/,
    ],
  ])("%s", async (_what, change, sentence) => {
    expect(await refusal(spoiled("qwen3", change))).toMatch(sentence);
  });

  test.each<[string, (folder: string) => void, RegExp]>([
    ["no config", (folder) => rmSync(join(folder, "config.json")), /holds no config.json/],
    [
      "a config that is no JSON",
      (folder) => writeFileSync(join(folder, "config.json"), "{"),
      /is not a JSON object/,
    ],
    ["no tokenizer", (folder) => rmSync(join(folder, "tokenizer.json")), /holds no tokenizer.json/],
    ["no chat template", (folder) => rmSync(join(folder, "chat_template.jinja")), /holds no chat template/],
    [
      "cut-off weights",
      (folder) =>
        writeFileSync(
          join(folder, "model.safetensors"),
          readFileSync(join(folder, "model.safetensors")).subarray(0, -8),
        ),
      /is cut off/,
    ],
    [
      "a calibration without numbers",
      (folder) => writeFileSync(join(folder, "calibration.json"), '{"slope":"1"}'),
      /two numbers slope and intercept/,
    ],
    [
      "criteria that are no texts",
      (folder) => writeFileSync(join(folder, "criteria.json"), '{"a":1}'),
      /one JSON object/,
    ],
    ["an n-gram model of the future", (folder) => writeNgram(folder, { version: 99 }), /version 99/],
    ["three buckets", (folder) => writeNgram(folder, { weights: "AAAA" }), /3 weights.*no power of two/],
    ["no coefficient", (folder) => writeNgram(folder, { coefficient: null }), /scale and a coefficient/],
    [
      "more buckets than are taken",
      (folder) => writeNgram(folder, { weights: Buffer.alloc(2 ** 21).toString("base64") }),
      /2097152 weights/,
    ],
    [
      "an n-gram model in another family",
      (folder) => writeNgram(folder, {}),
      /only the family nano can have/,
    ],
    [
      "a matching part of the future",
      (folder) => writeMatching(folder, { version: 99 }),
      /of version 99; version 1/,
    ],
    ["no dimensions", (folder) => writeMatching(folder, { dimensions: null }), /of NaN dimensions/],
    ["two dimensions", (folder) => writeMatching(folder, { dimensions: 2 }), /of 2 dimensions/],
    ["half a dimension", (folder) => writeMatching(folder, { dimensions: 8.5 }), /of 8.5 dimensions/],
    ["tables of two sizes", (folder) => writeMatching(folder, { problem: "AAAA" }), /3 and 2048 bytes/],
    ["no tables", (folder) => writeMatching(folder, { problem: 1, program: [] }), /of 0 buckets/],
    ["rows that do not fill the tables", (folder) => writeMatching(folder, { dimensions: 9 }), /no power of/],
    [
      "tables that are too large",
      (folder) =>
        writeMatching(folder, { dimensions: 256, problem: zeros(2 ** 23), program: zeros(2 ** 23) }),
      /of 8388608 bytes/,
    ],
    ["no coefficient", (folder) => writeMatching(folder, { coefficient: "1" }), /without a coefficient/],
    [
      "a matching part in another family",
      (folder) => writeMatching(folder, {}),
      /matching part that only the family nano can have/,
    ],
  ])("%s", async (_what, change, sentence) => {
    const { folder } = tinyCheckpoint("qwen3");
    change(folder);
    expect(await refusal(folder)).toMatch(sentence);
  });

  test("a folder that does not exist, and a file in its place", async () => {
    expect(await refusal(join(temporaryFolder(), "nowhere"))).toMatch(/does not exist/);
    const { folder } = tinyCheckpoint("qwen3");
    expect(await refusal(join(folder, "config.json"))).toMatch(/is a file/);
  });
});

describe("a conversion that does not end well leaves nothing behind", () => {
  test("cancelled before and between tensors", async () => {
    const { folder } = tinyCheckpoint("qwen3");
    for (const after of [0, 1, 5]) {
      const target = temporaryFolder();
      const controller = new AbortController();
      const reason = new ServiceError("cancelled", "Enough.");
      let calls = 0;
      if (after === 0) controller.abort(reason);
      const work = convert(folder, join(target, "model.gguf"), {
        ...F32,
        signal: controller.signal,
        onProgress: () => {
          if (++calls === after) controller.abort(reason);
        },
      });
      await expect(work).rejects.toBe(reason);
      expect(readdirSync(target)).toEqual([]);
    }
  });

  test("cancelled while the result is checked", async () => {
    const target = temporaryFolder();
    const controller = new AbortController();
    const work = convert(tinyCheckpoint("qwen3").folder, join(target, "model.gguf"), {
      ...F32,
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step === "check") controller.abort(new Error("too late"));
      },
    });
    await expect(work).rejects.toThrow("too late");
    expect(readdirSync(target)).toEqual([]);
  });

  test("an older file at the target stays as it was when the new one fails", async () => {
    const target = join(temporaryFolder(), "model.gguf");
    writeFileSync(target, "older");
    const folder = spoiled("qwen3", ({ tensors }) => {
      tensors["model.norm.weight"] = f32([32], () => Number.NaN);
    });
    await expect(convert(folder, target, F32)).rejects.toThrow(/NaN/);
    expect(readFileSync(target, "utf8")).toBe("older");
  });

  test("a target folder that does not exist, or is the target itself, is named", async () => {
    const { folder } = tinyCheckpoint("qwen3");
    const target = temporaryFolder();
    await expect(convert(folder, join(target, "nowhere", "x.gguf"), F32)).rejects.toThrow(
      /the folder does not exist/,
    );
    await expect(convert(folder, target, F32)).rejects.toThrow(/it is a folder/);
    expect(readdirSync(target)).toEqual([]);
  });

  test("a folder without the right to write is named", async () => {
    const { folder } = tinyCheckpoint("qwen3");
    const target = temporaryFolder();
    chmodSync(target, 0o555);
    chmodSync(folder, 0o755);
    // Rights do not bind root: for the time of this test it becomes nobody.
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      const work = convert(folder, join(target, "model.gguf"), F32);
      await expect(work).rejects.toMatchObject({ code: "disk_failed" });
      await expect(work).rejects.toThrow(/this account may not write there/);
    } finally {
      if (root) process.seteuid?.(0);
      chmodSync(target, 0o755);
    }
    expect(existsSync(join(target, "model.gguf"))).toBe(false);
  });
});

describe("verification", () => {
  test("a bit flipped anywhere is found", async () => {
    const out = await converted("qwen3", {}, { type: "q8_0" });
    const good = readFileSync(out);
    await expect(verifyModel(out)).resolves.toMatchObject({ tensors: 24 });
    const bad = join(temporaryFolder(), "bad.gguf");
    for (let place = 5; place < good.byteLength; place += 401) {
      const bytes = Buffer.from(good);
      bytes[place] = (bytes[place] ?? 0) ^ 1;
      writeFileSync(bad, bytes);
      await expect(verifyModel(bad), `byte ${place}`).rejects.toBeInstanceOf(ServiceError);
    }
  });

  test("bytes missing or added at the end are found", async () => {
    const good = readFileSync(await converted("qwen3"));
    const bad = join(temporaryFolder(), "bad.gguf");
    writeFileSync(bad, good.subarray(0, -1));
    await expect(verifyModel(bad)).rejects.toThrow(/is cut off|bytes instead of/);
    writeFileSync(bad, Buffer.concat([good, Buffer.alloc(1)]));
    await expect(verifyModel(bad)).rejects.toThrow(/bytes instead of/);
  });
});
