/** The embedded model as shipped, quantised, against what Hugging Face transformers computes from its checkpoint. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LlamaEngine } from "../../server/engine/llama/llama-engine.ts";
import { mediaFolder, packageRoot } from "../../server/files/package-files.ts";
import { readRewardModel } from "../../server/models/read-model.ts";
import { createRenderer, type Renderer } from "../../server/rendering/renderer.ts";
import { tinyEngine } from "../helpers/tiny-model.ts";

interface Group {
  readonly name: string;
  readonly problem: string;
  readonly records: readonly {
    readonly name: string;
    readonly code: string;
    readonly ids: number[];
    readonly reward: number;
  }[];
}

const groups: Group[] = JSON.parse(
  readFileSync(join(packageRoot, "test/fixtures/nano/records.json"), "utf8"),
);
/** What eight-bit weights and activations may move a reward; rewards of one problem differ by several times that. */
const QUANTISATION = 0.1;

let engine: LlamaEngine;
let renderer: Renderer;
beforeAll(async () => {
  const file = await readRewardModel(join(mediaFolder, "nano.gguf"));
  expect(file.type).toBe("q8_0");
  engine = await tinyEngine(file, {
    threads: 1,
    contextTokens: 4096,
    retainedTokens: 1024,
    batchTokens: 512,
    precision: "fast",
  });
  renderer = createRenderer(file, engine.tokenizer);
});
afterAll(() => engine.close());

describe.each(groups)("nano on $name", ({ problem, records }) => {
  const tokens = () =>
    records.map(
      ({ code }) =>
        renderer.render(
          [
            { role: "user", content: problem },
            { role: "assistant", content: code },
          ],
          {},
        ).tokens,
    );

  test("reads the same token ids", () => {
    expect(tokens().map((ids) => [...ids])).toEqual(records.map((record) => record.ids));
  });

  test("orders the programs as the unquantised checkpoint does", async () => {
    const { rewards } = await engine.score(tokens(), { priority: "bulk" });
    for (const [a, first] of records.entries()) {
      expect(Math.abs((rewards[a] ?? Number.NaN) - first.reward), first.name).toBeLessThan(QUANTISATION);
      for (const [b, second] of records.entries()) {
        if (first.reward - second.reward < QUANTISATION) continue;
        expect(rewards[a] ?? Number.NaN, `${first.name} above ${second.name}`).toBeGreaterThan(
          rewards[b] ?? Number.NaN,
        );
      }
    }
  });
});
