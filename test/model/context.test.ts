/** Memory that runs short while a model is loaded: the context gives way first. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bindings, loadBindings } from "../../server/engine/llama/bindings.ts";
import { installedBuilds } from "../../server/engine/llama/builds.ts";
import { loadLlama } from "../../server/engine/llama/load.ts";
import type { EngineSettings } from "../../server/engine/settings.ts";
import type { RewardModelFile } from "../../server/models/model-file.ts";
import { tinyModel } from "../helpers/tiny-model.ts";

const SETTINGS: EngineSettings = {
  threads: 1,
  contextTokens: 16_384,
  retainedTokens: 16_384,
  batchTokens: 256,
  precision: "exact",
};

let folder: string;
let model: RewardModelFile;
let bindings: Bindings;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "codescaler-context-"));
  model = await tinyModel(folder);
  const build = installedBuilds().find(({ backend }) => backend === "cpu");
  if (!build) throw new Error("no CPU build is installed for this platform");
  bindings = loadBindings(build.folder);
});
afterAll(() => rm(folder, { recursive: true }));

/** The real library on a machine that has room for so many cells; it says no as llama.cpp does. */
function withRoomFor(cells: number): { readonly bindings: Bindings; readonly asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    bindings: {
      ...bindings,
      createContextAsync: async (handle, params) => {
        asked.push(params.n_ctx);
        return params.n_ctx > cells ? null : bindings.createContextAsync(handle, params);
      },
    },
  };
}

test("a context that finds no room is halved until it does, and gives the same rewards", async () => {
  const text = Int32Array.from({ length: 300 }, (_, index) => (index * 7) % 200);
  const whole = await loadLlama(bindings, model, SETTINGS);
  const short = withRoomFor(5000);
  const shrunk = await loadLlama(short.bindings, model, SETTINGS);
  try {
    expect(short.asked).toEqual([16_384, 8192, 4096]);
    expect(shrunk.maxSequence).toBeLessThan(4096);
    const [wanted] = (await whole.score([text], { priority: "interactive" })).rewards;
    const [reward] = (await shrunk.score([text], { priority: "interactive" })).rewards;
    expect(reward).toBeCloseTo(wanted ?? Number.NaN, 4);
  } finally {
    await whole.close();
    await shrunk.close();
  }
});

test("a machine without room for the least context is told so in words", async () => {
  const none = withRoomFor(0);
  await expect(loadLlama(none.bindings, model, SETTINGS)).rejects.toThrow(/not enough memory .* 2048 tokens/);
  expect(none.asked).toEqual([16_384, 8192, 4096, 2048]);
});
