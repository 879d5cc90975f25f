/** `codescaler devices`: adds the CUDA build to those of the package, and removes it. */

import { gigabytes } from "../../shared/gigabytes.ts";
import { forgetLosses } from "../devices/crash-marks.ts";
import { addCuda, chooseCuda, cudaBuilds, removeCuda } from "../devices/cuda/cuda.ts";
import { readDrivers } from "../devices/drivers.ts";
import { probe, probeKey } from "../devices/probe-build.ts";
import { BACKEND_NAMES, installedBuilds } from "../engine/llama/builds.ts";
import { folderBytes } from "../files/disk.ts";
import { oneOf, readArgs, UsageError } from "./arguments.ts";
import {
  interruption,
  operandOf,
  PROGRESS_FORMS,
  print,
  progressLine,
  requireNoMore,
  waitLine,
} from "./models/output.ts";
import { formatTable } from "./table.ts";

export const usage = `Usage: codescaler devices list [--json]
       codescaler devices install cuda [options]
       codescaler devices remove cuda [--json]

Adds the build for NVIDIA's CUDA (143 MB to download, or 320 MB for CUDA 12), which may be faster than Vulkan. It needs
NVIDIA's driver and the CUDA runtime (libcudart and libcublas) of this system. It comes from the npm registry, is checked
against hashes that are part of this program, and is used from the next start. Ctrl-C stops; the same command continues.

  --runtime V        CUDA version 13 or 12 (default: the newest whose runtime is found)
  --force            also without driver and runtime
  --progress FORM    text (default) or json: lines {"step","done","total"} on stderr
  --exit-with-stdin  stop when stdin ends: for a parent that owns this process
  --json             print one JSON document

  npm_config_registry, .npmrc  address of a registry and its token, as npm reads them
  HTTPS_PROXY, NO_PROXY, NODE_EXTRA_CA_CERTS  as usual

"codescaler doctor" shows what this machine has.`;

export async function run(args: string[]): Promise<number> {
  const [verb, ...rest] = args;
  if (verb === "list") return list(rest);
  if (verb === "install") return install(rest);
  if (verb === "remove") return remove(rest);
  throw new UsageError(
    `devices needs list, install or remove${verb === undefined ? "" : `, not "${verb}"`}.`,
  );
}

/** The builds there are for this platform, without testing them; `doctor` does that. */
async function list(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { json: { type: "boolean", default: false } });
  requireNoMore(positionals);
  const installed = await Promise.all(
    installedBuilds().map(async ({ backend, folder }) => ({
      backend,
      installed: true,
      bytes: await folderBytes(folder),
      download_bytes: 0,
    })),
  );
  const [cuda] = cudaBuilds();
  const offered =
    cuda === undefined || installed.some(({ backend }) => backend === "cuda")
      ? []
      : [{ backend: "cuda" as const, installed: false, bytes: 0, download_bytes: cuda.downloadBytes }];
  const builds = [...offered, ...installed];
  const text = builds.map(({ backend, installed: there, bytes, download_bytes: download }) => [
    BACKEND_NAMES[backend],
    there ? `installed, ${gigabytes(bytes)}` : `can be added, ${gigabytes(download)} to download`,
  ]);
  print(values.json, builds, formatTable(["build", ""], text));
  return 0;
}

async function install(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, {
    runtime: { type: "string" },
    force: { type: "boolean", default: false },
    progress: { type: "string", default: "text" },
    "exit-with-stdin": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  });
  requireCuda(positionals);
  const form = oneOf("progress", values.progress, PROGRESS_FORMS);
  const runtime =
    values.runtime === undefined ? undefined : Number(oneOf("runtime", values.runtime, ["13", "12"]));
  const drivers = await readDrivers();
  const build = chooseCuda(drivers, runtime, values.force);
  const { folder, fetched } = await addCuda(build, {
    onWait: waitLine(form),
    signal: interruption(
      "The download was stopped. The same command continues it.",
      values["exit-with-stdin"],
    ),
    onProgress: progressLine(form),
  });
  const added = installedBuilds().find(({ backend }) => backend === "cuda");
  const result = added && (await probe(added, drivers, true)).result;
  const works = result?.kind === "usable";
  // What was lost on the files before says nothing of these.
  if (added && works) await forgetLosses(probeKey(added, drivers));
  const problem = result === undefined || result.kind === "usable" ? null : result.problem;
  print(
    values.json,
    { folder, fetched, cuda_runtime: build.cudaMajor, works, problem },
    `The CUDA ${build.cudaMajor} build ${fetched ? "is installed" : "was installed already"}. ${
      works
        ? "It works and is used from the next start."
        : `It does not work here (${problem ?? "it was not found again"}), so the other builds are used; "codescaler doctor" says more.`
    }`,
  );
  return 0;
}

async function remove(args: string[]): Promise<number> {
  const { values, positionals } = readArgs(args, { json: { type: "boolean", default: false } });
  requireCuda(positionals);
  const bytes = await removeCuda();
  print(values.json, { bytes }, `The CUDA build was removed, ${gigabytes(bytes)} freed.`);
  return 0;
}

function requireCuda(positionals: readonly string[]): void {
  const what = operandOf(positionals, "devices install and remove need the name of a build: cuda.");
  if (what !== "cuda") throw new UsageError(`There is no build "${what}" to add; there is cuda.`);
}
