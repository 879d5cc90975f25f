/** Which prebuilt llama.cpp libraries there are for a platform, best first, and where they are. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { addedCuda } from "../../devices/cuda/cuda.ts";

/** How a build computes. `cpu` runs everywhere and is the last resort. */
export type Backend = "cuda" | "metal" | "vulkan" | "cpu";

export interface Build {
  readonly backend: Backend;
  /** Absolute path of the folder with the shared libraries. */
  readonly folder: string;
  /** Major version of the CUDA runtime that it needs from the system. */
  readonly cudaMajor?: number | undefined;
}

const PACKAGES: Readonly<Record<string, readonly (readonly [Backend, string])[]>> = {
  "linux-x64": [
    ["vulkan", "linux-x64-vulkan"],
    ["cpu", "linux-x64"],
  ],
  "linux-arm64": [["cpu", "linux-arm64"]],
  "darwin-arm64": [["metal", "mac-arm64-metal"]],
  "darwin-x64": [["cpu", "mac-x64"]],
  "win32-x64": [
    ["vulkan", "win-x64-vulkan"],
    ["cpu", "win-x64"],
  ],
  "win32-arm64": [["cpu", "win-arm64"]],
};

/** The builds installed for this platform, best first: the one that the user added, then those of the package. */
export function installedBuilds(platform = process.platform, arch = process.arch): Build[] {
  const require = createRequire(__filename);
  const added = addedCuda(platform, arch);
  const own = (PACKAGES[`${platform}-${arch}`] ?? []).flatMap(([backend, name]) => {
    try {
      const folder = join(dirname(require.resolve(`@node-llama-cpp/${name}`)), "..", "bins", name);
      return existsSync(folder) ? [{ backend, folder }] : [];
    } catch {
      return [];
    }
  });
  return added === undefined
    ? own
    : [{ backend: "cuda" as const, folder: added.folder, cudaMajor: added.cudaMajor }, ...own];
}

/** How a person would call a backend. */
export const BACKEND_NAMES: Readonly<Record<Backend, string>> = {
  cuda: "CUDA",
  metal: "Metal",
  vulkan: "Vulkan",
  cpu: "CPU",
};
