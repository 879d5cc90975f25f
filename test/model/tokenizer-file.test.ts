/** A model's tokenizer without its weights: the same text, ids and truncation as Hugging Face, for every class. */
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { startTokenizer } from "../../server/engine/llama/start.ts";
import { importTokenizer } from "../../server/models/import-model.ts";
import { readRewardModel, readTokenizerFile } from "../../server/models/read-model.ts";
import { findTokenizer, listTokenizers } from "../../server/models/tokenizer-file.ts";
import { createRenderer } from "../../server/rendering/renderer.ts";
import { parityFixtures } from "../helpers/parity-fixtures.ts";

const folder = await mkdtemp(join(tmpdir(), "codescaler-tokenizer-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a tokenizer that was imported without weights", () => {
  test.each(parityFixtures())("$name: text, ids and truncation", async (fixture) => {
    const bare = join(folder, fixture.name);
    await mkdir(bare);
    for (const file of readdirSync(fixture.folder)) {
      if (!/safetensors/.test(file)) copyFileSync(join(fixture.folder, file), join(bare, file));
    }
    const { name } = await importTokenizer(bare, {
      folder,
      name: fixture.name,
      family: fixture.family,
      maxTokens: fixture.limit,
    });
    const path = await findTokenizer(folder, name);
    if (path === undefined) throw new Error("it was not installed");
    const file = await readTokenizerFile(path);
    const tokenizer = await startTokenizer(file);
    const renderer = createRenderer(file, tokenizer);
    for (const { messages, criterion, text, ids, truncated, refused } of fixture.records) {
      if (refused !== undefined) continue;
      const rendered = renderer.render(messages, { criterion });
      expect(rendered.text).toBe(text);
      expect([...rendered.tokens]).toEqual(ids);
      expect(rendered.truncated).toBe(truncated);
    }
    tokenizer.close();
    expect(() => tokenizer.encode("x")).toThrow(/shutting down/);
    // Nobody takes it for a model that can be used here.
    await expect(readRewardModel(path)).rejects.toThrow(/no reward head/);
  });

  test("is not replaced by another one of the same name", async () => {
    const [first, second] = parityFixtures();
    if (first === undefined || second === undefined) throw new Error("there are no fixtures");
    const path = await findTokenizer(folder, first.name);
    const before = readFileSync(path ?? "");
    await expect(importTokenizer(second.folder, { folder, name: first.name })).rejects.toThrow(
      `A tokenizer named "${first.name}" is installed already. Choose another --name, or remove that one first.`,
    );
    expect(readFileSync(path ?? "").equals(before)).toBe(true);
  });

  test("is found by its name and never by a path", async () => {
    const [name = ""] = await listTokenizers(folder);
    expect(await findTokenizer(folder, name)).toBeDefined();
    expect(await findTokenizer(folder, `../tokenizers/${name}`)).toBeUndefined();
    expect(await findTokenizer(folder, "absent")).toBeUndefined();
  });
});
