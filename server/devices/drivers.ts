/** What this system has of drivers for GPUs, read from files: nothing is loaded and no program is run. */

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, readdir, readFile, realpath, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Backend } from "../engine/llama/builds.ts";
import type { Environment } from "../files/folders.ts";

/** Where to look; a test has a root of its own. */
export interface SystemRoot {
  /** The folder that is taken for "/". */
  readonly root: string;
  readonly platform: string;
  readonly env: Environment;
}

export const THIS_SYSTEM: SystemRoot = {
  root: process.platform === "win32" ? `${process.env["SystemDrive"] ?? "C:"}\\` : "/",
  platform: process.platform,
  env: process.env,
};

export interface DeviceNode {
  readonly path: string;
  /** This account may open it for reading and writing. */
  readonly usable: boolean;
}

export interface Drivers {
  /** Version of NVIDIA's kernel driver; undefined where there is none or no file says it. */
  readonly nvidia: string | undefined;
  /** Nodes through which programs reach a GPU: /dev/dri/renderD*, /dev/nvidia*, /dev/dxg. Linux only. */
  readonly nodes: readonly DeviceNode[];
  /** Vulkan's loader, as the file that its name leads to. */
  readonly vulkanLoader: string | undefined;
  /** Manifests of Vulkan drivers. */
  readonly vulkanDrivers: readonly string[];
  /** libcudart and libcublas by CUDA's major version, in the order in which they must be loaded. */
  readonly cudaRuntimes: readonly CudaRuntime[];
  /** Changes when a driver does. */
  readonly fingerprint: string;
}

/** A CUDA runtime that a build can use. */
export interface CudaRuntime {
  readonly major: number;
  /** Absolute paths of libcudart, libcublasLt and libcublas, each after those that it needs. */
  readonly libraries: readonly string[];
}

/** Folders of shared libraries on Linux distributions of x64 and arm64. */
const LIBRARY_FOLDERS = [
  "usr/lib/x86_64-linux-gnu",
  "usr/lib/aarch64-linux-gnu",
  "usr/lib64",
  "usr/lib",
  "lib64",
  "usr/local/lib",
  "usr/lib/wsl/lib",
] as const;
const VULKAN_FOLDERS = [
  "usr/share/vulkan/icd.d",
  "etc/vulkan/icd.d",
  "usr/local/share/vulkan/icd.d",
  "usr/local/etc/vulkan/icd.d",
] as const;
/** Libraries that a driver's update replaces; their times distinguish versions where no file names them. */
const DRIVER_FILES: Readonly<Record<string, readonly string[]>> = {
  linux: [
    "usr/lib/wsl/lib/libcuda.so.1",
    "usr/lib/x86_64-linux-gnu/libcuda.so.1",
    "usr/lib64/libcuda.so.1",
    "usr/lib/libcuda.so.1",
  ],
  win32: ["Windows/System32/nvcuda.dll", "Windows/System32/vulkan-1.dll"],
};

/** The CUDA majors that our builds exist for, best first. */
export const CUDA_MAJORS = [13, 12] as const;

export async function readDrivers(system: SystemRoot = THIS_SYSTEM): Promise<Drivers> {
  const [nvidia, nodes, vulkanLoader, vulkanDrivers, cudaRuntimes, files] = await Promise.all([
    nvidiaVersion(system),
    deviceNodes(system),
    findVulkanLoader(system),
    findVulkanDrivers(system),
    findCudaRuntimes(system),
    Promise.all((DRIVER_FILES[system.platform] ?? []).map((file) => stamp(join(system.root, file)))),
  ]);
  const stamps = await Promise.all(vulkanDrivers.map(stamp));
  // Only what says which driver there is; not the nodes' rights, which change with a login.
  const told = JSON.stringify([
    nvidia,
    nodes.map(({ path }) => path),
    vulkanLoader,
    stamps,
    cudaRuntimes,
    files,
    system.env["GGML_VK_VISIBLE_DEVICES"],
    system.env["CUDA_VISIBLE_DEVICES"],
  ]);
  return {
    nvidia,
    nodes,
    vulkanLoader,
    vulkanDrivers,
    cudaRuntimes,
    fingerprint: createHash("sha256").update(told).digest("hex").slice(0, 16),
  };
}

/** Can there be a device for this backend? Without a node there is no GPU on Linux, and no process need be started. */
export function mayExist(backend: Backend, drivers: Drivers, system: SystemRoot = THIS_SYSTEM): boolean {
  if (system.platform !== "linux" || backend === "cpu" || backend === "metal") return true;
  // Whoever names the devices wants them looked at: a software device has no node.
  if (backend === "vulkan" && system.env["GGML_VK_VISIBLE_DEVICES"]) return true;
  if (backend === "cuda") {
    return drivers.nodes.some(({ path }) => path.includes("nvidia") || path.endsWith("dxg"));
  }
  return drivers.nodes.length > 0;
}

/** "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.14  Thu …" */
async function nvidiaVersion({ root }: SystemRoot): Promise<string | undefined> {
  const text = await readFile(join(root, "proc/driver/nvidia/version"), "utf8").catch(() => "");
  return /^NVRM version:.*?\s(\d+\.\d+(?:\.\d+)?)\s/m.exec(text)?.[1];
}

async function deviceNodes({ root, platform }: SystemRoot): Promise<DeviceNode[]> {
  if (platform !== "linux") return [];
  const names = async (folder: string, pattern: RegExp): Promise<string[]> =>
    (await readdir(join(root, folder)).catch(() => []))
      .filter((name) => pattern.test(name))
      .map((name) => join(root, folder, name));
  const paths = [
    ...(await names("dev/dri", /^renderD\d+$/)),
    ...(await names("dev", /^(nvidia\d+|nvidiactl|nvidia-uvm|dxg)$/)),
  ].sort();
  return Promise.all(
    paths.map(async (path) => ({
      path,
      usable: await access(path, constants.R_OK | constants.W_OK).then(
        () => true,
        () => false,
      ),
    })),
  );
}

async function findVulkanLoader({ root, platform, env }: SystemRoot): Promise<string | undefined> {
  if (platform === "win32") return existing(join(root, "Windows/System32/vulkan-1.dll"));
  if (platform !== "linux") return undefined;
  const folders = [...searchPath(env["LD_LIBRARY_PATH"]), ...LIBRARY_FOLDERS.map((one) => join(root, one))];
  for (const folder of folders) {
    const found = await existing(join(folder, "libvulkan.so.1"));
    // The name leads to a file with the version in its own name.
    if (found !== undefined) return realpath(found).catch(() => found);
  }
  return undefined;
}

async function findVulkanDrivers({ root, platform, env }: SystemRoot): Promise<string[]> {
  if (platform !== "linux") return [];
  const named = searchPath(env["VK_DRIVER_FILES"] ?? env["VK_ICD_FILENAMES"]);
  if (named.length > 0) return named;
  const found: string[] = [];
  for (const folder of VULKAN_FOLDERS) {
    for (const name of (await readdir(join(root, folder)).catch(() => [])).sort()) {
      if (name.endsWith(".json")) found.push(join(root, folder, name));
    }
  }
  return found;
}

/**
 * The CUDA runtimes of this system. A toolkit's folder is often not among those that the system's loader looks through,
 * so the libraries are loaded by path before the build.
 */
async function findCudaRuntimes(system: SystemRoot): Promise<CudaRuntime[]> {
  const folders = await cudaFolders(system);
  const found: CudaRuntime[] = [];
  for (const major of CUDA_MAJORS) {
    const names =
      system.platform === "win32"
        ? [`cudart64_${major}.dll`, `cublasLt64_${major}.dll`, `cublas64_${major}.dll`]
        : [`libcudart.so.${major}`, `libcublasLt.so.${major}`, `libcublas.so.${major}`];
    const libraries: string[] = [];
    for (const name of names) {
      for (const folder of folders) {
        const path = await existing(join(folder, name));
        if (path === undefined) continue;
        libraries.push(path);
        break;
      }
    }
    if (libraries.length === names.length) found.push({ major, libraries });
  }
  return found;
}

async function cudaFolders({ root, platform, env }: SystemRoot): Promise<string[]> {
  if (platform === "win32") {
    const toolkits = join(root, "Program Files/NVIDIA GPU Computing Toolkit/CUDA");
    const versions = (await readdir(toolkits).catch(() => [])).sort().reverse();
    return [
      ...[env["CUDA_PATH"] ?? "", ...versions.map((version) => join(toolkits, version))]
        .filter((folder) => folder !== "")
        // CUDA 13 moved its libraries one folder down.
        .flatMap((folder) => [join(folder, "bin", "x64"), join(folder, "bin")]),
      ...searchPath(env["PATH"]),
    ];
  }
  if (platform !== "linux") return [];
  const local = (await readdir(join(root, "usr/local")).catch(() => []))
    .filter((name) => /^cuda(-\d+(\.\d+)?)?$/.test(name))
    .sort()
    .reverse();
  return [
    ...searchPath(env["LD_LIBRARY_PATH"]),
    ...local.flatMap((name) => [
      join(root, "usr/local", name, "lib64"),
      join(root, "usr/local", name, "targets/x86_64-linux/lib"),
    ]),
    join(root, "opt/cuda/lib64"),
    ...LIBRARY_FOLDERS.map((one) => join(root, one)),
  ];
}

function searchPath(value: string | undefined): string[] {
  return (value ?? "").split(delimiter).filter((folder) => folder !== "");
}

async function existing(path: string): Promise<string | undefined> {
  return stat(path).then(
    () => path,
    () => undefined,
  );
}

/** A file by name, size and time; undefined when it is not there. */
async function stamp(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats && `${path} ${stats.size} ${Math.round(stats.mtimeMs)}`;
}
