import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  accuracyOf,
  BENCHMARKS,
  type Benchmark,
  CATALOGUE,
  type CatalogueModel,
  catalogueModel,
  languagesOf,
} from "../../../server/models/catalogue/catalogue.ts";
import {
  cacheBytesPerToken,
  convertedBytes,
  downloadBytes,
  memoryBytes,
  parameters,
} from "../../../server/models/catalogue/needs.ts";
import { recommend } from "../../../server/models/catalogue/recommend.ts";
import { FILE_TYPES } from "../../../server/models/gguf/ggml.ts";
import { isFamily } from "../../../server/models/gguf/keys.ts";
import { ROOT } from "../../helpers/paths.ts";

function known(name: string): CatalogueModel {
  const model = catalogueModel(name);
  if (model === undefined) throw new Error(`${name} is not in the catalogue`);
  return model;
}

describe("the catalogue", () => {
  test("has every published family and size once, under names that can be installed", () => {
    const ids = CATALOGUE.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(CATALOGUE.map(({ repository }) => repository)).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining([
        ...["codescaler-1.7b", "codescaler-4b", "codescaler-8b"],
        ...["0.6b", "1.7b", "4b", "8b"].map((size) => `skywork-v2-qwen3-${size}`),
        ...["skywork-llama-3.1-8b", "acecoderm-7b", "acecoderm-32b"],
        ...["0.6b", "1.7b", "4b", "8b", "14b", "32b"].map((size) => `themis-${size}`),
      ]),
    );
    for (const model of CATALOGUE) {
      expect(model.id).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
      expect(model.repository).toMatch(/^[\w.-]+\/[\w.-]+$/);
      expect(isFamily(model.family)).toBe(true);
      expect(model.licence).not.toBe("");
    }
  });

  test("names a source for every figure", () => {
    for (const { accuracy } of CATALOGUE) {
      for (const { benchmark, percent, source } of accuracy) {
        expect(Object.keys(BENCHMARKS)).toContain(benchmark);
        expect(percent).toBeGreaterThan(50);
        expect(percent).toBeLessThan(100);
        expect(source).toMatch(/^https:\/\//);
      }
    }
  });

  test("finds a model by its name or its repository, in any case", () => {
    expect(catalogueModel("codescaler-1.7b")?.repository).toBe("LARK-Lab/CodeScaler-1.7B");
    expect(catalogueModel("lark-lab/codescaler-1.7b")?.id).toBe("codescaler-1.7b");
    expect(catalogueModel("nano")).toBeUndefined();
  });

  test("is what docs/models.md says", () => {
    const page = readFileSync(join(ROOT, "docs/models.md"), "utf8");
    const rows = [
      ...page.matchAll(/^\| `([^`]+)` \| (\S+\/\S+) \| ([^|]+) \| [^|]+ \| (\S+) \| (\S+) \|$/gm),
    ];
    const figure = (model: CatalogueModel, benchmark: Benchmark) =>
      accuracyOf(model, benchmark)?.percent.toFixed(1) ?? "–";
    expect(rows.map((row) => row.slice(1))).toEqual(
      CATALOGUE.map((model) => [
        model.id,
        model.repository,
        model.licence,
        figure(model, "rm-bench-code"),
        figure(model, "crb-functional"),
      ]),
    );
  });

  test("names languages shortly", () => {
    expect(languagesOf(known("codescaler-8b"))).toBe("python");
    expect(languagesOf(known("themis-8b"))).toBe("8 of 14");
    expect(languagesOf(known("skywork-v2-qwen3-8b"))).toBe("general");
  });
});

describe("needs", () => {
  test.each([
    // Published parameter counts of the base models, without the language-model head.
    ["codescaler-1.7b", 1.72e9],
    ["codescaler-4b", 4.02e9],
    ["codescaler-8b", 7.57e9],
    ["skywork-llama-3.1-8b", 7.5e9],
    ["acecoderm-7b", 7.07e9],
    ["acecoderm-32b", 31.98e9],
    ["themis-14b", 13.99e9],
    ["themis-32b", 31.98e9],
  ])("%s has about %d weights", (name, count) => {
    const { architecture, shape } = known(name);
    expect(parameters(architecture, shape) / count).toBeCloseTo(1, 2);
  });

  test("downloads are as large as the weights are stored", () => {
    expect(downloadBytes(known("codescaler-1.7b")) / 3.44e9).toBeCloseTo(1, 1);
    // float32, with a language-model head of 152,064 × 3,584.
    expect(downloadBytes(known("acecoderm-7b")) / 30.5e9).toBeCloseTo(1, 2);
  });

  test("a type's file is in proportion to its bits", () => {
    const { architecture, shape } = known("codescaler-8b");
    const sizes = FILE_TYPES.map((type) => convertedBytes(architecture, shape, type) / 1e9);
    expect(sizes.map((size) => Number(size.toFixed(0)))).toEqual([30, 15, 15, 8, 5]);
  });

  test("memory is weights, keys and values, and buffers: as measured for 1.7B in q8_0 at 4096 tokens", () => {
    const model = known("codescaler-1.7b");
    expect(4096 * cacheBytesPerToken(model.shape)).toBe(448 * 2 ** 20);
    // 1744 MiB of weights were measured; vocabulary and buffers come on top.
    expect(memoryBytes(model, "q8_0", 4096) / 2 ** 20).toBeGreaterThan(1744 + 448 + 58);
    expect(memoryBytes(model, "q8_0", 4096) / 2 ** 20).toBeLessThan(1744 + 448 + 300);
  });
});

describe("recommendation", () => {
  const gpu = (gigabytes: number) => ({ freeBytes: gigabytes * 1e9, gpu: true });

  test.each([
    [24, "codescaler-8b", "q8_0"],
    [7, "codescaler-4b", "q8_0"],
    [4, "codescaler-1.7b", "q8_0"],
    [2.4, "codescaler-1.7b", "q4_0"],
  ] as const)("for Python with %d GB: %s as %s", (memory, id, type) => {
    const found = recommend(gpu(memory), "python");
    expect(found?.model.id).toBe(id);
    expect(found?.type).toBe(type);
    expect(found?.reason).toMatch(/^It was trained on python, it needs .* GB as .* RM-Bench/);
  });

  test.each([
    ["java", 24, "themis-14b"],
    ["csharp", 12, "themis-8b"],
    ["ruby", 4, "themis-1.7b"],
  ] as const)("for %s with %d GB: %s", (language, memory, id) => {
    const found = recommend(gpu(memory), language);
    expect(found?.model.id).toBe(id);
    expect(found?.reason).toContain(`trained on ${language}`);
    expect(found?.reason).toContain("CodeRewardBench");
  });

  test("a language that no model was trained on does not claim to have been", () => {
    const found = recommend(gpu(24), "kotlin");
    expect(found?.model.family).toBe("themis");
    expect(found?.reason).not.toContain("trained on");
  });

  test("what is recommended always fits", () => {
    for (let memory = 0; memory < 40; memory += 0.5) {
      for (const language of [undefined, "python", "java", "kotlin"] as const) {
        const found = recommend(gpu(memory), language);
        if (found) expect(memoryBytes(found.model, found.type)).toBeLessThanOrEqual(memory * 1e9);
      }
    }
    expect(recommend(gpu(0.5), "python")).toBeUndefined();
  });

  test("without a GPU nothing above two billion weights", () => {
    const found = recommend({ freeBytes: 64e9, gpu: false }, "python");
    expect(found?.model.id).toBe("codescaler-1.7b");
    expect(found?.reason).toContain("without a GPU");
    expect(recommend({ freeBytes: 64e9, gpu: false }, "go")?.model.id).toBe("themis-1.7b");
  });
});
