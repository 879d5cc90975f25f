import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { UsageError } from "../../../server/cli/arguments.ts";
import { run } from "../../../server/cli/models/models.ts";
import { temporaryFolder, tinyCheckpoint } from "../../helpers/checkpoints.ts";

let stdout = "";
let stderr = "";
beforeEach(() => {
  stdout = "";
  stderr = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    stdout += chunk;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
    stderr += chunk;
    return true;
  });
  return () => vi.restoreAllMocks();
});

describe("codescaler models", () => {
  test("convert, verify and list work on one another's results", async () => {
    const home = temporaryFolder();
    vi.stubEnv("CODESCALER_HOME", home);
    mkdirSync(join(home, "models"));
    const { folder } = tinyCheckpoint("llama");
    const out = join(home, "models", "small.gguf");

    expect(await run(["convert", folder, "--out", out, "--type", "bf16", "--revision", "r1"])).toBe(0);
    expect(stdout).toMatch(/small.gguf: .* \(r1\), family skywork-llama, bf16, 1 MB\n$/);
    expect(stderr).toMatch(/Converting \d+ % of 1 MB\n/);
    expect(stderr).toMatch(/Checking 100 % of 1 MB\n/);

    stdout = "";
    expect(await run(["verify", "small", "--json"])).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      path: out,
      family: "skywork-llama",
      type: "bf16",
      revision: "r1",
      max_tokens: 512,
      hidden: 32,
      bytes: readFileSync(out).byteLength,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });

    writeFileSync(join(home, "models", "broken.gguf"), "");
    stdout = "";
    await run(["list", "--json"]);
    const listed: { id: string }[] = JSON.parse(stdout);
    expect(listed.find(({ id }) => id === "small")).toMatchObject({
      embedded: false,
      family: "skywork-llama",
    });
    expect(listed.find(({ id }) => id === "broken")).toMatchObject({
      problem: expect.stringMatching(/not a GGUF/),
    });
    stdout = "";
    await run(["list"]);
    expect(stdout).toMatch(/^small +skywork-llama +bf16 +1 MB +512 /m);
    vi.unstubAllEnvs();
  });

  test("a damaged file does not verify", async () => {
    const out = join(temporaryFolder(), "model.gguf");
    await run(["convert", tinyCheckpoint("qwen3").folder, "--out", out]);
    const bytes = readFileSync(out);
    bytes[bytes.byteLength - 40] = (bytes[bytes.byteLength - 40] ?? 0) ^ 1;
    const bad = join(temporaryFolder(), "bad.gguf");
    writeFileSync(bad, bytes);
    await expect(run(["verify", bad])).rejects.toThrow(/does not match its checksum/);
    copyFileSync(out, bad);
    expect(await run(["verify", bad])).toBe(0);
  });

  test.each([
    [[], /models needs list, pull, import, convert, fit, verify or remove/],
    [["explode"], /not "explode"/],
    [["convert"], /needs the folder/],
    [["convert", "x"], /needs --out/],
    [["convert", "x", "--out", "model.safetensors"], /ends in .gguf/],
    [["convert", "x", "--out", "y.gguf", "--type", "q5"], /--type must be f32/],
    [["convert", "x", "--out", "y.gguf", "--family", "z"], /--family must be codescaler/],
    [["convert", "x", "--out", "y.gguf", "--max-tokens", "0"], /--max-tokens/],
    [["verify"], /needs a model's name or file/],
    [["list", "all", "of", "them"], /one argument too many/],
    [["list", "--nonsense"], /nonsense/],
  ] as const)("%j is wrong usage", async (args, sentence) => {
    const error: unknown = await run([...args]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UsageError);
    expect(String(error)).toMatch(sentence);
  });

  test("Ctrl-C cancels a conversion and leaves nothing behind", async () => {
    const target = temporaryFolder();
    const work = run(["convert", tinyCheckpoint("qwen3").folder, "--out", join(target, "model.gguf")]);
    process.emit("SIGINT");
    await expect(work).rejects.toThrow("The conversion was cancelled; nothing was written.");
    expect(readdirSync(target)).toEqual([]);
  });
});
