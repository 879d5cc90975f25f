/** Model files of an enemy on a running server: some pass the check of the header, and libllama must survive them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mediaFolder } from "../../../server/files/package-files.ts";
import { readRewardModel } from "../../../server/models/read-model.ts";
import {
  array,
  f32,
  lying,
  putTogether,
  type RawEntry,
  type RawGguf,
  randomFrom,
  takeApart,
  text,
  u32,
  u64,
} from "../../helpers/hostile-files.ts";
import { type RunningServer, serve } from "../../helpers/server-process.ts";

const home = mkdtempSync(join(tmpdir(), "codescaler-hostile-"));
const models = join(home, "models");
const good = takeApart(readFileSync(join(mediaFolder, "golden.gguf")));

let server: RunningServer;
beforeAll(async () => {
  mkdirSync(models);
  server = await serve([], { CODESCALER_HOME: home });
});
afterAll(async () => {
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Asks for a ranking by this file: a reward, or one sentence; and the server lives on. */
async function rank(bytes: Buffer): Promise<number> {
  writeFileSync(join(models, "hostile.gguf"), bytes);
  const {
    status,
    json,
    text: answer,
  } = await server.call("POST", "/v1/rank", {
    model: "hostile",
    task: { question: "Add ä and b.", language: "python" },
    candidates: [{ id: "1", text: "def add(a, b):\n    return a + b  # Ωx\n" }],
  });
  if (status === 200) expect(answer).not.toMatch(/NaN|Infinity/);
  else expect(json, answer).toMatchObject({ error: { message: expect.stringMatching(/^[^\n]+\.$/) } });
  expect([200, 422, 500], answer).toContain(status);
  // Another model in between: the next file is read anew.
  const other = await server.call("POST", "/v1/rank", {
    model: "nano",
    task: { question: "Add.", language: "python" },
    candidates: [{ id: "1", text: "x = 1\n" }],
  });
  expect(other.status).toBe(200);
  expect(server.child.exitCode ?? server.child.signalCode).toBeNull();
  return status;
}

const replaced = (key: string, change: (one: RawEntry) => Partial<RawEntry>): RawGguf => ({
  ...good,
  entries: good.entries.map((one) => (one.key === key ? { ...one, ...change(one) } : one)),
});
const as = (type: number, value: Buffer) => () => ({ type, value });

test.each<[string, RawGguf]>([
  ["merges that are a number", replaced("tokenizer.ggml.merges", as(4, u32(1)))],
  ["merges that are a text", replaced("tokenizer.ggml.merges", as(8, text("a b")))],
  ["merges of numbers", replaced("tokenizer.ggml.merges", as(9, array(4, 2n, Buffer.alloc(8))))],
  ["merges of nothing", replaced("tokenizer.ggml.merges", as(9, array(8, 0n, Buffer.alloc(0))))],
  [
    "merges without a space",
    replaced("tokenizer.ggml.merges", as(9, array(8, 2n, Buffer.concat([text("ab"), text("")])))),
  ],
  [
    "merges that are no UTF-8",
    replaced(
      "tokenizer.ggml.merges",
      as(9, array(8, 1n, Buffer.concat([u64(3n), Buffer.from([0xff, 0x20, 0xfe])]))),
    ),
  ],
  ["a start token that is a text", replaced("tokenizer.ggml.bos_token_id", as(8, text("x")))],
  ["a start token beyond the vocabulary", replaced("tokenizer.ggml.bos_token_id", as(4, u32(2 ** 32 - 1)))],
  ["an end token beyond the vocabulary", replaced("tokenizer.ggml.eos_token_id", as(4, u32(2 ** 31)))],
  [
    "a padding token of another type",
    replaced("tokenizer.ggml.padding_token_id", as(9, array(4, 1n, u32(1)))),
  ],
  [
    "a start flag that is an array",
    replaced("tokenizer.ggml.add_bos_token", as(9, array(7, 1n, Buffer.from([1])))),
  ],
  ["a start flag that is set", replaced("tokenizer.ggml.add_bos_token", as(7, Buffer.from([1])))],
  ["a name that is an array", replaced("general.name", as(9, array(4, 1n, u32(1))))],
  ["a kind that is a number", replaced("general.type", as(4, u32(7)))],
  ["a number format that is unknown", replaced("general.file_type", as(4, u32(4_000_000)))],
  ["a template that is an array", replaced("tokenizer.chat_template", as(9, array(4, 1n, u32(1))))],
  ["no limit on its input", replaced("codescaler.max_tokens", as(4, u32(2 ** 32 - 1)))],
  ["an absurd context", replaced("qwen3.context_length", as(4, u32(2 ** 32 - 1)))],
  ["an absurd rotation", replaced("qwen3.rope.freq_base", as(6, f32(1e-45)))],
  ["an absurd epsilon", replaced("qwen3.attention.layer_norm_rms_epsilon", as(6, f32(3e38)))],
  [
    "token types that do not exist",
    replaced("tokenizer.ggml.token_type", ({ value }) => ({
      value: Buffer.concat([value.subarray(0, 12), Buffer.alloc(value.length - 12, 0x7f)]),
    })),
  ],
  [
    "all tokens control tokens",
    replaced("tokenizer.ggml.token_type", ({ value }) => ({
      value: Buffer.concat([
        value.subarray(0, 12),
        Buffer.from(new Int32Array((value.length - 12) / 4).fill(3).buffer),
      ]),
    })),
  ],
  ["weights that are not numbers", { ...good, data: Buffer.alloc(good.data.length, 0xff) }],
  ["weights that are zero", { ...good, data: Buffer.alloc(good.data.length) }],
])("%s: a reward or one sentence, and the server lives on", async (_what, file) => {
  await rank(putTogether(file));
});

test("tokens that are no UTF-8, or lack every letter", async () => {
  const key = "tokenizer.ggml.tokens";
  const count = (value: Buffer) => Number(value.readBigUInt64LE(4));
  // All different, of the same number, and none of them a letter.
  const strange = replaced(key, ({ value }) => ({
    value: array(
      8,
      BigInt(count(value)),
      Buffer.concat(Array.from({ length: count(value) }, (_, id) => text(`<|${id}|>`))),
    ),
  }));
  await rank(putTogether(strange));
  const broken = replaced(key, ({ value }) => {
    const copy = Buffer.from(value);
    // The first byte of the first token's text.
    copy[20] = 0xff;
    return { value: copy };
  });
  await rank(putTogether(broken));
});

test("dozens of lies of all kinds, those first that the check of the header lets through", async () => {
  const path = join(models, "chosen.gguf");
  const chosen: Buffer[] = [];
  const refused: Buffer[] = [];
  for (let seed = 10_000; chosen.length < 30 && seed < 10_600; seed++) {
    const bytes = lying(good, randomFrom(seed));
    writeFileSync(path, bytes);
    const accepted = await readRewardModel(path).then(
      () => true,
      () => false,
    );
    if (accepted) chosen.push(bytes);
    else if (refused.length < 10) refused.push(bytes);
  }
  rmSync(path);
  for (const bytes of chosen) await rank(bytes);
  for (const bytes of refused) expect(await rank(bytes)).toBe(422);
  expect(chosen.length).toBeGreaterThan(10);
});
