import {
  closeSync,
  ftruncateSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { backboneTensors, type Shape } from "../../../../server/models/convert/architectures.ts";
import { makeRandomModel } from "../../../../server/models/convert/random.ts";
import { elements } from "../../../../server/models/gguf/format.ts";
import { TINY, temporaryFolder, tinyCheckpoint } from "../../../helpers/checkpoints.ts";
import { bundled, run } from "../../../helpers/child.ts";

const CONVERT = `
  import { convert } from "./server/models/convert/convert-checkpoint.ts";
  const [folder, out, type] = process.argv.slice(2);
  const before = process.resourceUsage().maxRSS;
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort(new Error("interrupted")));
  convert(folder, out, {
    type,
    signal: controller.signal,
    onProgress: ({ step, done }) => console.log(step, done),
  }).then(
    () => console.log("grown", (process.resourceUsage().maxRSS - before) * 1024),
    (error) => { console.log(error.name, error.message); process.exitCode = 1; },
  );
`;

/** A checkpoint of the given shape whose weights are all zero: a file with holes, large without filling the disk. */
function hollowCheckpoint(shape: Shape): { readonly folder: string; readonly largestTensor: number } {
  const { folder } = tinyCheckpoint("qwen3", { config: configOf(shape) });
  rmSync(join(folder, "model.safetensors"));
  const header: Record<string, unknown> = {};
  let offset = 0;
  let largestTensor = 0;
  const add = (name: string, size: readonly number[]): void => {
    const bytes = 4 * elements(size);
    largestTensor = Math.max(largestTensor, bytes);
    header[name] = { dtype: "F32", shape: size, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  };
  for (const spec of backboneTensors("qwen3", shape)) add(`model.${spec.source}`, [...spec.shape].reverse());
  add("score.weight", [1, shape.hidden]);
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.byteLength));
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, Buffer.concat([length, text]));
  ftruncateSync(file, 8 + text.byteLength + offset);
  closeSync(file);
  return { folder, largestTensor };
}

function configOf(shape: Shape): Record<string, unknown> {
  return {
    hidden_size: shape.hidden,
    intermediate_size: shape.feedForward,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    vocab_size: shape.vocabulary,
  };
}

describe("large checkpoints", () => {
  test("memory stays far below the size of one tensor", async () => {
    // 1.2 GB of float32, 1.1 GB of it in the embedding.
    const shape = {
      ...TINY,
      hidden: 2048,
      heads: 16,
      kvHeads: 8,
      headDim: 128,
      feedForward: 2048,
      layers: 1,
      vocabulary: 131_072,
    };
    const { folder, largestTensor } = hollowCheckpoint(shape);
    expect(largestTensor).toBeGreaterThan(1e9);
    const target = temporaryFolder();
    const out = join(target, "model.gguf");
    const { stdout, code } = await run(process.execPath, [await bundled(CONVERT), folder, out, "q4_0"]);
    expect(stdout).toMatch(/^grown \d+$/m);
    expect(code).toBe(0);
    expect(Number(/grown (\d+)/.exec(stdout)?.[1])).toBeLessThan(largestTensor / 4);
    expect(statSync(out).size).toBeGreaterThan(150e6);
  }, 120_000);

  test("an interrupt in the middle of a tensor ends the work and leaves nothing behind", async () => {
    const { folder } = hollowCheckpoint({ ...TINY, hidden: 1024, vocabulary: 131_072 });
    const target = temporaryFolder();
    const { stdout, code } = await run(
      process.execPath,
      [await bundled(CONVERT), folder, join(target, "model.gguf"), "q8_0"],
      (child) => child.stdout?.once("data", () => child.kill("SIGINT")),
    );
    expect(stdout).toMatch(/Error interrupted/);
    // Noticed inside the tensor of 143 MB, not when all of it was written.
    const done = [...stdout.matchAll(/^weights (\d+)$/gm)].map(([, bytes]) => Number(bytes));
    expect(Math.max(...done)).toBeLessThan(70e6);
    expect(code).toBe(1);
    expect(readdirSync(target)).toEqual([]);
  }, 60_000);

  test("what a killed conversion left is removed by the next one", async () => {
    const { folder } = hollowCheckpoint({ ...TINY, hidden: 1024, vocabulary: 131_072 });
    const target = temporaryFolder();
    const out = join(target, "model.gguf");
    const script = await bundled(CONVERT);
    await run(process.execPath, [script, folder, out, "q8_0"], (child) =>
      child.stdout?.once("data", () => child.kill("SIGKILL")),
    );
    expect(readdirSync(target)).toEqual([expect.stringMatching(/^\.model\.gguf\.\d+-[0-9a-f]+\.partial$/)]);
    const foreign = join(target, `.model.gguf.${process.pid}-00000000.partial`);
    writeFileSync(foreign, "still being written by a running process");
    const { code } = await run(process.execPath, [script, tinyCheckpoint("qwen3").folder, out, "f32"]);
    expect(code).toBe(0);
    expect(
      readdirSync(target)
        .map((name) => join(target, name))
        .sort(),
    ).toEqual([foreign, out].sort());
  }, 60_000);

  test("a disk that takes no more bytes is named, and the half-written file is removed", async () => {
    const { folder } = tinyCheckpoint("qwen3");
    const target = temporaryFolder();
    // 32 KiB a file: the kernel refuses the write half-way, as a full disk or a quota does.
    const limited = ["-c", 'ulimit -f 32; exec "$0" "$@"', process.execPath, await bundled(CONVERT), folder];
    const { stdout } = await run("bash", [...limited, join(target, "model.gguf"), "f32"]);
    expect(stdout).toMatch(
      /ServiceError .*model.gguf cannot be written: the file would be larger than this disk/,
    );
    expect(readdirSync(target)).toEqual([]);
  }, 60_000);

  test("too little room is noticed before anything is written", async () => {
    const folder = temporaryFolder();
    // 500 layers of 70 GB: no disk of a test machine has the room.
    const shape = { ...TINY, layers: 500, hidden: 65_536, heads: 512, headDim: 128, feedForward: 131_072 };
    await expect(makeRandomModel(shape, "f16", join(folder, "model.gguf"))).rejects.toThrow(
      /model.gguf needs [\d.]+ GB and its disk has [\d.]+ [GM]B free. Free some space/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a header that cannot be true costs neither time nor memory", async () => {
    const folder = temporaryFolder();
    const script = await bundled(`
      import { readGguf } from "./server/models/gguf/read-header.ts";
      const before = process.resourceUsage().maxRSS;
      readGguf(process.argv[2]).then(console.log, (error) => {
        console.log(error.message);
        console.log("grown", (process.resourceUsage().maxRSS - before) * 1024);
      });
    `);
    // 40 keys with a million empty texts each: 320 MB that a reader could be made to keep as 40 million strings.
    const parts = [
      Buffer.from("GGUF"),
      Buffer.from([3, 0, 0, 0]),
      Buffer.alloc(8),
      Buffer.from([40, 0, 0, 0, 0, 0, 0, 0]),
    ];
    for (let index = 0; index < 40; index++) {
      const key = Buffer.alloc(8 + 2 + 16);
      key.writeBigUInt64LE(2n, 0);
      key.write(String(index).padStart(2, "0"), 8);
      key.writeUInt32LE(9, 10);
      key.writeUInt32LE(8, 14);
      key.writeBigUInt64LE(1_000_000n, 18);
      parts.push(key, Buffer.alloc(8_000_000));
    }
    const file = join(folder, "hostile.gguf");
    writeFileSync(file, Buffer.concat(parts));
    const { stdout } = await run(process.execPath, [script, file]);
    expect(stdout).toMatch(/is damaged: it has the metadata key "04" with 1000000 elements/);
    expect(Number(/grown (\d+)/.exec(stdout)?.[1])).toBeLessThan(300e6);
  }, 60_000);
});
