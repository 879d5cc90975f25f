/**
 * The golden check: a tiny model with known rewards is scored before any real one, so that a library that
 * loads but computes wrongly (driver, layout, CPU variant) is never trusted with a ranking.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ServiceError } from "../../errors.ts";
import { mediaFolder } from "../../files/package-files.ts";
import { readRewardModel } from "../../models/read-model.ts";
import type { Bindings } from "./bindings.ts";
import { loadLlama } from "./load.ts";

/** Flash attention with a float16 cache was measured within 7.8e-3 of float64 on a model of this size. */
const TOLERANCE = 0.05;

/**
 * Scores media/golden.gguf and compares with the rewards that Hugging Face transformers gave in float64.
 * @param gpus places of the devices in `bindings.devices()` that are to compute; none: the CPU
 * @throws ServiceError engine_failed when they differ
 */
export async function checkGolden(bindings: Bindings, gpus: readonly number[]): Promise<void> {
  const expected: { sequences: number[][]; rewards: number[] } = JSON.parse(
    await readFile(join(mediaFolder, "golden.json"), "utf8"),
  );
  const model = await readRewardModel(join(mediaFolder, "golden.gguf"));
  const engine = await loadLlama(bindings, model, {
    // Far more layers than it has.
    gpu: gpus.length > 0 ? { devices: gpus, layers: 99, name: "" } : undefined,
    threads: 1,
    contextTokens: 512,
    retainedTokens: 0,
    batchTokens: 128,
    precision: "fast",
  });
  try {
    const { rewards } = await engine.score(
      expected.sequences.map((sequence) => Int32Array.from(sequence)),
      { priority: "interactive" },
    );
    rewards.forEach((reward, index) => {
      const wanted = expected.rewards[index] ?? Number.NaN;
      if (Math.abs(reward - wanted) <= TOLERANCE) return;
      throw new ServiceError(
        "engine_failed",
        `The inference library computes wrongly here (${reward.toFixed(4)} instead of ${wanted.toFixed(4)}). Update the GPU driver, or set the device to cpu.`,
      );
    });
  } finally {
    await engine.close();
  }
}
