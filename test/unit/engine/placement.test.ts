import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  GPU_CONTEXT,
  leastContext,
  modelSizes,
  type Placement,
  planPlacement,
  usualContext,
} from "../../../server/engine/placement.ts";
import { CATALOGUE, catalogueModel } from "../../../server/models/catalogue/catalogue.ts";
import type { FileType } from "../../../server/models/gguf/ggml.ts";

const GIB = 2 ** 30;

function sizesOf(name: string, type: FileType = "q8_0") {
  const model = catalogueModel(name);
  if (model === undefined) throw new Error(`${name} is not in the catalogue`);
  return modelSizes({ ...model, type, maxTokens: 4096 });
}

function plan(name: string, freeGib: readonly number[], type: FileType = "q8_0"): Placement | undefined {
  const gpus = freeGib.map((free, index) => ({ index, freeBytes: free * GIB }));
  return planPlacement(sizesOf(name, type), gpus, { insist: false });
}

describe("sizes of the published models", () => {
  test("weights and cache are what llama.cpp allocated on Vulkan for the same shapes", () => {
    const small = sizesOf("skywork-v2-qwen3-0.6b");
    const large = sizesOf("codescaler-1.7b");
    const mib = (bytes: number) => bytes / 2 ** 20;
    expect(mib(small.layers * small.layerBytes + small.outputBytes)).toBeCloseTo(604.1, 0);
    expect(mib(large.layers * large.layerBytes + large.outputBytes)).toBeCloseTo(1743.8, 0);
    expect(mib(large.layers * large.cacheBytes * 8192)).toBe(896);
  });
});

describe("placement", () => {
  test("a model with room goes wholly onto the GPU, with a long context and large batches", () => {
    expect(plan("codescaler-8b", [24])).toMatchObject({
      devices: [0],
      gpuLayers: 36,
      contextTokens: GPU_CONTEXT,
      batchTokens: 2048,
    });
  });

  test("the context shrinks before a layer leaves the GPU", () => {
    const tight = plan("codescaler-8b", [11]);
    expect(tight?.gpuLayers).toBe(36);
    expect(tight?.contextTokens).toBeLessThan(GPU_CONTEXT);
    expect(tight?.contextTokens).toBeGreaterThanOrEqual(leastContext({ maxTokens: 4096 }));
  });

  test("a model that does not fit is split, with the context that candidates need", () => {
    const split = plan("codescaler-8b", [6]);
    expect(split?.gpuLayers).toBeGreaterThan(9);
    expect(split?.gpuLayers).toBeLessThan(36);
    expect(split).toMatchObject({ contextTokens: usualContext({ maxTokens: 4096 }), batchTokens: 512 });
  });

  test("a finer type leaves fewer layers on the same GPU", () => {
    const layers = (type: FileType) => plan("codescaler-8b", [6], type)?.gpuLayers ?? 0;
    expect(layers("q4_0")).toBeGreaterThan(layers("q8_0"));
    expect(layers("q8_0")).toBeGreaterThan(layers("bf16"));
  });

  test("less than a quarter of the layers is not worth it, unless the GPU was insisted on", () => {
    expect(plan("themis-32b", [6])).toBeUndefined();
    const insisted = planPlacement(sizesOf("themis-32b"), [{ index: 0, freeBytes: 6 * GIB }], {
      insist: true,
    });
    expect(insisted?.gpuLayers).toBeGreaterThanOrEqual(1);
  });

  test("without memory, or without a GPU, nothing is placed", () => {
    expect(plan("codescaler-1.7b", [0.1])).toBeUndefined();
    expect(plan("codescaler-1.7b", [])).toBeUndefined();
  });

  test("one GPU that suffices is used alone, the one with most room", () => {
    expect(plan("codescaler-1.7b", [4, 16])?.devices).toEqual([1]);
  });

  test("a model too large for one GPU is spread over all", () => {
    expect(plan("themis-32b", [24, 24])).toMatchObject({ devices: [0, 1], gpuLayers: 64 });
  });

  test("a context that was asked for is kept, and costs layers where it must", () => {
    const gpus = [{ index: 0, freeBytes: 12 * GIB }];
    const wide = planPlacement(sizesOf("codescaler-8b"), gpus, { contextTokens: 32_768, insist: false });
    expect(wide?.contextTokens).toBe(32_768);
    expect(wide?.gpuLayers).toBeLessThan(36);
  });

  test("for every model, type and memory: what is planned fits, and more memory never means less on the GPU", () => {
    const models = fc.constantFrom(...CATALOGUE);
    const types = fc.constantFrom<FileType>("bf16", "q8_0", "q4_0");
    const memory = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(models, types, memory, fc.boolean(), (model, type, free, insist) => {
        const sizes = modelSizes({ ...model, type, maxTokens: 4096 });
        const at = (factor: number) =>
          planPlacement(
            sizes,
            free.map((one, index) => ({ index, freeBytes: one * factor * GIB })),
            { insist },
          );
        const placed = at(1);
        const total = free.reduce((sum, one) => sum + one * GIB, 0);
        if (placed !== undefined) {
          expect(placed.bytes).toBeLessThanOrEqual(total);
          expect(placed.gpuLayers).toBeGreaterThanOrEqual(1);
          expect(placed.gpuLayers).toBeLessThanOrEqual(sizes.layers);
          expect(placed.contextTokens % 256).toBe(0);
          expect(placed.contextTokens).toBeGreaterThanOrEqual(leastContext(sizes));
        }
        expect(at(1.5)?.gpuLayers ?? 0).toBeGreaterThanOrEqual(placed?.gpuLayers ?? 0);
      }),
    );
  });

  test("asking for less and less memory ends without a GPU", () => {
    let share = 1;
    let attempts = 0;
    while (plan("codescaler-8b", [24 * share]) !== undefined) {
      share *= 0.75;
      attempts++;
    }
    expect(attempts).toBeGreaterThan(2);
    expect(attempts).toBeLessThan(12);
  });
});
