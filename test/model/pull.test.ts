/**
 * The whole way of a published model: served by a local Hub as the real one serves it, pulled, checked, converted,
 * installed, loaded, scored, and equal to what Hugging Face's own stack recorded for the same weights.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hubAt } from "../../server/models/hub/hub-site.ts";
import { pull } from "../../server/models/hub/pull-checkpoint.ts";
import { readRewardModel } from "../../server/models/read-model.ts";
import { openStore } from "../../server/models/store.ts";
import { createRenderer } from "../../server/rendering/renderer.ts";
import { type HubServer, repositoryOf, type Storage, startHub } from "../helpers/hub/hub.ts";
import { parityFixtures } from "../helpers/parity-fixtures.ts";
import { tinyEngine } from "../helpers/tiny-model.ts";

/** As in parity.test.ts: float32 sums in another order. */
const TOLERANCE = 1e-4;

/** The repository each class is published under, and how its weights are stored there in this test. */
const PUBLISHED: Readonly<Record<string, readonly [name: string, repository: string, storage: Storage]>> = {
  "qwen3-tied": ["codescaler-1.7b", "LARK-Lab/CodeScaler-1.7B", "lfs"],
  "qwen3-untied": ["codescaler-8b", "LARK-Lab/CodeScaler-8B", "xet"],
  acecode: ["acecoderm-7b", "TIGER-Lab/AceCodeRM-7B", "lfs"],
  "skywork-llama": ["skywork-llama-3.1-8b", "Skywork/Skywork-Reward-Llama-3.1-8B", "xet"],
  themis: ["themis-8b", "project-themis/Themis-RM-8B", "xet"],
};

describe.each(parityFixtures())("pulled and scored: $name", (fixture) => {
  let hub: HubServer;
  let folder: string;
  beforeAll(async () => {
    hub = await startHub({ page: 3 });
    folder = await mkdtemp(join(tmpdir(), "codescaler-pull-"));
  });
  afterAll(async () => {
    await hub.close();
    await rm(folder, { recursive: true });
  });

  test("equal to the reference, over cut connections", async () => {
    const [name, repository, storage] = PUBLISHED[fixture.name] ?? ["", "", "lfs"];
    hub.repositories.set(repository, repositoryOf(fixture.folder, storage));
    hub.fault = ({ where }, nth) =>
      where === "cdn" && nth <= 2 ? { kind: "cut", after: 70_001 } : undefined;
    await pull(name, {
      hub: { ...hubAt(hub.endpoint), retryMs: 1, silenceMs: 10_000 },
      folder,
      type: "f32",
      signal: new AbortController().signal,
    });
    const installed = await openStore(folder, folder).find(name);
    if (installed === undefined) throw new Error(`${name} is not installed`);
    const file = await readRewardModel(installed.path);
    expect(file).toMatchObject({ source: repository, revision: "a".repeat(40) });
    // The fixtures' families; one checkpoint stands for CodeScaler and Skywork V2 alike.
    if (fixture.family !== "skywork-qwen3") expect(file.family).toBe(fixture.family);
    const engine = await tinyEngine(file, {
      threads: 1,
      contextTokens: 2048,
      retainedTokens: 2048,
      batchTokens: 512,
      precision: "exact",
    });
    try {
      const renderer = createRenderer({ ...file, maxTokens: fixture.limit }, engine.tokenizer);
      const records = fixture.records.filter((record) => record.refused === undefined);
      const inputs = records.map(({ messages, criterion, ids }) => {
        const { tokens } = renderer.render(messages, { criterion });
        expect([...tokens]).toEqual(ids);
        return tokens;
      });
      const { rewards } = await engine.score(inputs, { priority: "bulk" });
      const differences = records.map(({ reward }, index) =>
        Math.abs((rewards[index] ?? Number.NaN) - reward),
      );
      expect(records.length).toBeGreaterThan(20);
      for (const difference of differences) expect(difference).toBeLessThanOrEqual(TOLERANCE);
    } finally {
      await engine.close();
    }
  });
});
