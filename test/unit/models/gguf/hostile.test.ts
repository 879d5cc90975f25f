/** Model files of an enemy: whatever stands in them, the answer is a checked model or one sentence. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ServiceError } from "../../../../server/errors.ts";
import { mediaFolder } from "../../../../server/files/package-files.ts";
import { convert } from "../../../../server/models/convert/convert-checkpoint.ts";
import { openCheckpoint } from "../../../../server/models/convert/safetensors.ts";
import { readModelFacts, readRewardModel, readTokenizerFile } from "../../../../server/models/read-model.ts";
import { verifyModel } from "../../../../server/models/verify-model.ts";
import { temporaryFolder, tinyCheckpoint, withHeader } from "../../../helpers/checkpoints.ts";
import { lying, putTogether, randomFrom, takeApart } from "../../../helpers/hostile-files.ts";

const golden = readFileSync(join(mediaFolder, "golden.gguf"));
const good = takeApart(golden);

/** The sentence by which it is refused; undefined when it is accepted. All else fails the test. */
async function sentence(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    expect(error.message).toMatch(/^[^\n\0]{1,2000}[.]$/);
    return error.message;
  }
}

test("a file that is taken apart and put together is the same", async () => {
  expect(putTogether(good).equals(golden)).toBe(true);
});

test("thousands of lies in a GGUF: each is refused in one sentence, or says what can be checked", async () => {
  const path = join(temporaryFolder(), "hostile.gguf");
  const before = process.memoryUsage.rss();
  let refused = 0;
  for (let seed = 0; seed < 2000; seed++) {
    const bytes = lying(good, randomFrom(seed));
    // Some lies happen to be the truth.
    if (bytes.equals(golden)) continue;
    writeFileSync(path, bytes);
    try {
      if ((await sentence(readRewardModel(path))) !== undefined) refused++;
      if (seed % 10 !== 0) continue;
      await sentence(readModelFacts(path));
      await sentence(readTokenizerFile(path));
      // The checksum notices what the structure does not.
      expect(await sentence(verifyModel(path))).toBeDefined();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  expect(refused).toBeGreaterThan(1200);
  // What a header claims costs no memory.
  expect(process.memoryUsage.rss() - before).toBeLessThan(400 * 2 ** 20);
});

const HOSTILE_NUMBERS = [-1, 0, 1.5, 2 ** 31, 2 ** 53, 1e308, "8", null, [], {}, [[[[[[]]]]]], true];

test("lies in a safetensors header and the files beside it: refused in one sentence, or converted", async () => {
  const { folder, config, tokenizer } = tinyCheckpoint("qwen3");
  const weights = readFileSync(join(folder, "model.safetensors"));
  const length = Number(weights.readBigUInt64LE());
  const data = weights.subarray(8 + length);
  const text = weights.toString("utf8", 8, 8 + length);
  const header: Record<string, Record<string, unknown>> = JSON.parse(text);
  const names = Object.keys(header).filter((name) => name !== "__metadata__");
  let refused = 0;
  for (let seed = 0; seed < 200; seed++) {
    const random = randomFrom(seed);
    const pick = (): unknown => HOSTILE_NUMBERS[random(HOSTILE_NUMBERS.length)];
    const lies = structuredClone(header);
    const name = names[random(names.length)] ?? "";
    const files: Record<string, unknown> = { "config.json": config, "tokenizer.json": tokenizer };
    let changed: Buffer | undefined;
    switch (random(9)) {
      case 0:
        lies[name] = { ...lies[name], data_offsets: [pick(), pick()] };
        break;
      case 1:
        lies[name] = { ...lies[name], shape: [pick(), pick()] };
        break;
      case 2:
        lies[name] = { ...lies[name], dtype: ["F32", "BF16", "I8", "F64", "X", 3, null][random(7)] };
        break;
      case 3:
        // The same bytes for two names, as a name given twice has it.
        lies[`${name}.copy`] = { ...lies[name] };
        break;
      case 4:
        changed = withHeader(text.replace("{", `{"${name}":${JSON.stringify(header[name])},`), data);
        break;
      case 5:
        changed = weights.subarray(0, random(weights.length));
        break;
      case 6:
        changed = withHeader(`${"[".repeat(100_000)}${"]".repeat(100_000)}`, data);
        break;
      case 7: {
        const keys = Object.keys(config);
        files["config.json"] = { ...config, [keys[random(keys.length)] ?? ""]: pick() };
        break;
      }
      default:
        // One at a time: the first that is refused would hide the other.
        if (random(2) === 0) {
          files["ngram.json"] = { version: pick(), weights: pick(), scale: pick(), coefficient: pick() };
        } else {
          files["matching.json"] = {
            version: pick(),
            dimensions: pick(),
            problem: pick(),
            program: pick(),
            coefficient: pick(),
          };
        }
    }
    const hostile = join(folder, "hostile");
    mkdirSync(hostile, { recursive: true });
    writeFileSync(join(hostile, "model.safetensors"), changed ?? withHeader(lies, data));
    for (const file of ["tokenizer_config.json", "chat_template.jinja"]) {
      try {
        writeFileSync(join(hostile, file), readFileSync(join(folder, file)));
      } catch {
        // This class has its template elsewhere.
      }
    }
    // Those of the case before would be refused first.
    for (const file of ["ngram.json", "matching.json"]) rmSync(join(hostile, file), { force: true });
    for (const [file, content] of Object.entries(files)) {
      writeFileSync(join(hostile, file), content === undefined ? "null" : JSON.stringify(content));
    }
    try {
      await sentence(openCheckpoint(hostile).then((checkpoint) => checkpoint.close()));
      const out = join(hostile, "out.gguf");
      if ((await sentence(convert(hostile, out, { type: "f32" }))) !== undefined) refused++;
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  expect(refused).toBeGreaterThan(100);
});
