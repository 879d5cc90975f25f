import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createRenderer, type RenderedModel, type Renderer } from "../../../server/families/renderer.ts";
import { bpeTokenizer } from "./bpe.ts";
import { type ParityFixture, parityFixtures } from "./parity.ts";

/** What a converted file would say of the fixture's model. */
function modelOf(fixture: ParityFixture): RenderedModel {
  const read = (name: string): string => readFileSync(join(fixture.folder, name), "utf8");
  const config = JSON.parse(read("tokenizer_config.json")) as Record<string, unknown>;
  const embedded = config["chat_template"];
  const llama = fixture.family === "skywork-llama";
  const themis = fixture.family === "themis";
  return {
    family: fixture.family,
    chatTemplate: typeof embedded === "string" ? embedded : read("chat_template.jinja"),
    normalizer: llama ? "none" : "NFC",
    maxTokens: fixture.limit,
    criteria: new Map(
      themis ? Object.entries(JSON.parse(read("criteria.json")) as Record<string, string>) : [],
    ),
    bosToken: llama ? "<|begin_of_text|>" : undefined,
    eosToken: llama ? "<|eot_id|>" : "<|im_end|>",
  };
}

function rendererOf(fixture: ParityFixture): Renderer {
  const tokenizer = bpeTokenizer(readFileSync(join(fixture.folder, "tokenizer.json"), "utf8"));
  return createRenderer(modelOf(fixture), tokenizer);
}

describe.each(parityFixtures())("rendering as Hugging Face: $name", (fixture) => {
  const renderer = rendererOf(fixture);
  test.each(fixture.records.filter((record) => record.refused === undefined))("$name", (record) => {
    const { text, tokens, truncated } = renderer.render(record.messages, { criterion: record.criterion });
    expect(text).toBe(record.text);
    expect([...tokens]).toEqual(record.ids);
    expect(truncated).toBe(record.truncated);
  });
});
